using System.Net;
using Microsoft.Net.Http.Headers;

namespace Maisi.Bridge.Server;

/// <summary>Who may do what: keys, or this machine alone; and no page of another site.</summary>
internal sealed class Access(MaisiServerOptions options)
{
    private const string KeyHeader = "X-API-Key", Bearer = "Bearer ";

    private static readonly string[] _ownHosts = ["localhost", "127.0.0.1", "[::1]"];

    private readonly ApiKeyRing _keys = new(options.ApiKeys);

    /// <summary>The client of a request; empty without keys.</summary>
    /// <param name="context">The request.</param>
    /// <param name="isOpen">Whether everybody may know the answer.</param>
    /// <exception cref="RequestProblem">It may not.</exception>
    public string Require(HttpContext context, bool isOpen)
    {
        var request = context.Request;
        RequireOrigin(request);
        if (isOpen)
            return "";
        if (_keys.IsEmpty)
        {
            // A name that leads here from elsewhere would let a page of another site in.
            if (!options.AllowAnonymous && (!IsLocal(context.Connection.RemoteIpAddress) || !_ownHosts.Contains(request.Host.Host, StringComparer.OrdinalIgnoreCase)))
                throw new RequestProblem(StatusCodes.Status403Forbidden, "local-only", "This server answers its own machine alone.", hint: "Its operator can give out keys.");
            return "";
        }
        return _keys.Find(Key(request)) ?? throw new RequestProblem(StatusCodes.Status401Unauthorized, "key", "A key is needed.", hint: "Send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'.");
    }

    private void RequireOrigin(HttpRequest request)
    {
        var origin = request.Headers.Origin.ToString();
        if (origin.Length > 0 && !origin.Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase) && !options.CorsOrigins.Contains(origin, StringComparer.OrdinalIgnoreCase))
            throw new RequestProblem(StatusCodes.Status403Forbidden, "origin", "Pages of other sites may not call this server.");
    }

    private static string Key(HttpRequest request)
    {
        var authorization = request.Headers[HeaderNames.Authorization].ToString();
        return authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? authorization[Bearer.Length..].Trim() : request.Headers[KeyHeader].ToString();
    }

    private static bool IsLocal(IPAddress? address) => address is null || IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
}
