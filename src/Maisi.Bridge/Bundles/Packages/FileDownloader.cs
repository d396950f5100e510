using System.Net;
using System.Net.Http.Headers;

namespace Maisi.Bridge.Bundles;

/// <summary>A file to fetch.</summary>
/// <param name="Url">From where.</param>
/// <param name="Path">To where; it appears only when it is complete and verified.</param>
/// <param name="Size">Its size in bytes, when known.</param>
/// <param name="Hash">Its hash in hexadecimal digits, when known.</param>
/// <param name="HashType">md5, sha1, sha256 or sha512.</param>
public sealed record FileRequest(Uri Url, string Path, long? Size = null, string? Hash = null, string HashType = "sha256");

/// <summary>What has been fetched so far.</summary>
/// <param name="File">The file.</param>
/// <param name="Received">Bytes received.</param>
/// <param name="Total">Bytes in all, when known.</param>
public readonly record struct DownloadProgress(string File, long Received, long? Total);

/// <summary>
/// Fetches files over HTTP. A broken download goes on where it stopped: the part is kept beside the target as <c>.part</c>, with the
/// server's version tag, so that a file that has changed meanwhile starts anew.
/// </summary>
/// <param name="http">The client; it follows redirects.</param>
public sealed class FileDownloader(HttpClient http)
{
    private const int Attempts = 4;
    private const int BufferSize = 1 << 17;

    /// <summary>Fetches one file; does nothing when it is there and verified.</summary>
    /// <param name="request">What to fetch.</param>
    /// <param name="progress">Told about every block.</param>
    /// <param name="cancellation">Stops; what has been received is kept.</param>
    /// <returns>False when the file was there already.</returns>
    /// <exception cref="BundleException">The server refuses, or size or hash differ.</exception>
    public async Task<bool> DownloadAsync(FileRequest request, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        if (File.Exists(request.Path))
        {
            Verify(request, request.Path, keep: true);
            return false;
        }
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(request.Path))!);
        var part = request.Path + ".part";
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await ReceiveAsync(request, part, progress, cancellation).ConfigureAwait(false);
                break;
            }
            catch (Exception e) when (e is HttpRequestException { StatusCode: null or >= HttpStatusCode.InternalServerError } or IOException && attempt < Attempts)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200 * attempt), cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                throw new BundleException(BundleErrorKind.RuntimeError, $"cannot fetch {request.Url}: {e.Message}", hint: "run the command again: it goes on where it stopped", inner: e);
            }
        }
        Verify(request, part, keep: false);
        File.Move(part, request.Path, overwrite: true);
        File.Delete(part + ".tag");
        return true;
    }

    private async Task ReceiveAsync(FileRequest request, string part, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        var have = File.Exists(part) ? new FileInfo(part).Length : 0;
        if (request.Size is { } size && have == size)
            return;
        using var message = new HttpRequestMessage(HttpMethod.Get, request.Url);
        if (have > 0)
        {
            message.Headers.Range = new RangeHeaderValue(have, null);
            if (File.Exists(part + ".tag") && EntityTagHeaderValue.TryParse(await File.ReadAllTextAsync(part + ".tag", cancellation).ConfigureAwait(false), out var tag))
                message.Headers.IfRange = new RangeConditionHeaderValue(tag);
        }
        using var response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            // The part is as long as the file or longer: its size and hash decide.
            if (response.Content.Headers.ContentRange?.Length == have)
                return;
            File.Delete(part);
            throw new IOException("the part does not fit the file any more");
        }
        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException($"the server answers {(int)response.StatusCode} {response.ReasonPhrase}", null, response.StatusCode);
        var resumed = response.StatusCode == HttpStatusCode.PartialContent && response.Content.Headers.ContentRange?.From == have;
        var received = resumed ? have : 0;
        var total = response.Content.Headers.ContentLength + received;
        if (request.Size is { } expected && total is { } announced && announced != expected)
            throw new BundleException(BundleErrorKind.ValueError, $"{request.Url} has {announced:N0} bytes, not {expected:N0}", hint: "the file on the server is another one than expected");
        if (response.Headers.ETag is { IsWeak: false } strong)
            await File.WriteAllTextAsync(part + ".tag", strong.ToString(), cancellation).ConfigureAwait(false);
        var body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            var file = new FileStream(part, resumed ? FileMode.Append : FileMode.Create, FileAccess.Write, FileShare.None, BufferSize, useAsync: true);
            await using (file.ConfigureAwait(false))
            {
                var buffer = new byte[BufferSize];
                for (int count; (count = await body.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0;)
                {
                    await file.WriteAsync(buffer.AsMemory(0, count), cancellation).ConfigureAwait(false);
                    received += count;
                    if (received > request.Size)
                        throw new BundleException(BundleErrorKind.ValueError, $"{request.Url} is longer than {request.Size:N0} bytes");
                    progress?.Report(new DownloadProgress(request.Path, received, total));
                }
            }
        }
        if (total is { } all && received < all)
            throw new IOException($"the connection broke after {received:N0} of {all:N0} bytes");
    }

    private static void Verify(FileRequest request, string path, bool keep)
    {
        var hint = keep ? "delete the file to fetch it again" : "the damaged part was deleted: run the command again";
        var length = new FileInfo(path).Length;
        string? problem = null;
        if (request.Size is { } size && length != size)
            problem = $"has {length:N0} bytes, not {size:N0}";
        else if (request.Hash is { Length: > 0 } hash && FileHash.OfFile(path, request.HashType) is var found && !found.Equals(hash, StringComparison.OrdinalIgnoreCase))
            problem = $"has the {request.HashType} {found}, not {hash}";
        if (problem is null)
            return;
        if (!keep)
        {
            File.Delete(path);
            File.Delete(path + ".tag");
        }
        throw new BundleException(BundleErrorKind.ValueError, $"'{request.Path}' {problem}", hint: hint);
    }
}
