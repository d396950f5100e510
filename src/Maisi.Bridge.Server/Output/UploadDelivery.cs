using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace Maisi.Bridge.Server;

/// <summary>
/// PUTs the ZIP to a URL that a client gives: https, a host that the operator has allowed, no redirect, no proxy, and only to an address
/// of the public internet, checked on the connection itself so that a name cannot change its mind.
/// </summary>
internal sealed class UploadDelivery : IDisposable
{
    private const string Field = "pre_signed_url";

    private readonly MaisiServerOptions _options;
    private readonly HttpClient _http;

    /// <param name="options">Which hosts are allowed.</param>
    public UploadDelivery(MaisiServerOptions options)
    {
        _options = options;
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseProxy = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(15), ConnectCallback = ConnectAsync, PooledConnectionLifetime = TimeSpan.Zero,
        })
        {
            Timeout = TimeSpan.FromMinutes(30),
        };
    }

    /// <summary>The URL that a client gave.</summary>
    /// <exception cref="RequestProblem">It is not allowed.</exception>
    public Uri Resolve(string asked)
    {
        if (_options.UploadHosts.Count == 0)
            throw RequestProblem.Field(Field, "is not offered by this server: its operator has allowed no host");
        if (!Uri.TryCreate(asked, UriKind.Absolute, out var url) || asked.Any(c => char.IsControl(c) || c == ' '))
            throw RequestProblem.Field(Field, "is no URL");
        if (url.Scheme != Uri.UriSchemeHttps && !(_options.AllowPrivateUploads && url.Scheme == Uri.UriSchemeHttp))
            throw RequestProblem.Field(Field, "must be an https URL");
        if (url.UserInfo.Length > 0 || url.Fragment.Length > 0 || !_options.UploadHosts.Any(host => Allows(host, url)))
            throw RequestProblem.Field(Field, "leads to a host that this server's operator has not allowed");
        return url;
    }

    /// <summary>Sends a file.</summary>
    /// <exception cref="RequestProblem">The host did not take it.</exception>
    public async Task SendAsync(Uri url, string file, CancellationToken token)
    {
        await using var source = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, useAsync: true);
        using var request = new HttpRequestMessage(HttpMethod.Put, url) { Content = new StreamContent(source) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/zip");
        request.Content.Headers.ContentLength = source.Length;
        if (url.Host.EndsWith(".blob.core.windows.net", StringComparison.OrdinalIgnoreCase))
            request.Headers.Add("x-ms-blob-type", "BlockBlob");
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
            if (!response.IsSuccessStatusCode)
                throw Refused($"The host answered {(int)response.StatusCode}.");
        }
        catch (HttpRequestException e)
        {
            throw Refused(e.InnerException is RequestProblem inner ? inner.Message : $"The host could not be reached ({e.HttpRequestError}).");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static bool Allows(string allowed, Uri url)
    {
        var parts = allowed.Split(':');
        var port = parts.Length > 1 ? parts[1] : "443";
        var sameHost = parts[0].StartsWith("*.", StringComparison.Ordinal)
            ? url.IdnHost.EndsWith(parts[0][1..], StringComparison.OrdinalIgnoreCase) : url.IdnHost.Equals(parts[0], StringComparison.OrdinalIgnoreCase);
        return sameHost && url.HostNameType == UriHostNameType.Dns && url.Port.ToString(System.Globalization.CultureInfo.InvariantCulture) == port;
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken token)
    {
        var addresses = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, token);
        if (!_options.AllowPrivateUploads && !addresses.All(AddressRules.IsPublic))
            throw Refused("The host's name leads to an address that is not public.");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, token);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static RequestProblem Refused(string detail) => new(StatusCodes.Status502BadGateway, "upload", "The results could not be uploaded.", detail);
}
