using System.Net;
using System.Security.Cryptography;

namespace Maisi.Bridge.Tests.Bundles;

/// <summary>A small HTTP server with ranges and entity tags.</summary>
internal sealed class LoopbackServer : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly int _port;

    public LoopbackServer()
    {
        for (var attempt = 0; ; attempt++)
        {
            _port = Random.Shared.Next(20_000, 60_000);
            _listener.Prefixes.Clear();
            _listener.Prefixes.Add($"http://127.0.0.1:{_port}/");
            try
            {
                _listener.Start();
                break;
            }
            catch (HttpListenerException) when (attempt < 20)
            {
                // The port is taken: try another one.
            }
        }
        _ = ServeAsync();
    }

    public Dictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    public Queue<int> BreakAfter { get; } = new();

    public List<(string Path, string? Range)> Requests { get; } = [];

    public Uri Url(string path) => new($"http://127.0.0.1:{_port}/{path}");

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            await AnswerAsync(context);
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var range = request.Headers["Range"];
        Requests.Add((request.RawUrl!, range));
        if (!Files.TryGetValue(request.RawUrl!, out var content))
        {
            response.StatusCode = 404;
            response.Close();
            return;
        }
        var tag = $"\"{Convert.ToHexString(MD5.HashData(content))}\"";
        response.Headers["ETag"] = tag;
        var start = range is not null && request.Headers["If-Range"] is var condition && (condition is null || condition == tag) ? int.Parse(range["bytes=".Length..].TrimEnd('-')) : 0;
        if (start > 0)
        {
            response.StatusCode = 206;
            response.Headers["Content-Range"] = $"bytes {start}-{content.Length - 1}/{content.Length}";
        }
        response.ContentLength64 = content.Length - start;
        try
        {
            var send = BreakAfter.TryDequeue(out var limit) ? Math.Min(limit, content.Length - start) : content.Length - start;
            await response.OutputStream.WriteAsync(content.AsMemory(start, send));
            if (start + send < content.Length)
                response.Abort();
            else
                response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or IOException)
        {
            response.Abort();
        }
    }
}
