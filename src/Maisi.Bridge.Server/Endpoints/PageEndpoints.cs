using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace Maisi.Bridge.Server;

/// <summary>The web page: files of this assembly, nothing from elsewhere.</summary>
internal static class PageEndpoints
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    private static readonly (string Path, string Resource, string Type)[] _files =
    [
        ("/", "index.html", "text/html; charset=utf-8"), ("/maisi.css", "maisi.css", "text/css; charset=utf-8"), ("/maisi.js", "maisi.js", "text/javascript; charset=utf-8"),
        ("/viewer.js", "viewer.js", "text/javascript; charset=utf-8"), ("/niivue.js", "niivue.js.gz", "text/javascript; charset=utf-8"), ("/niivue-licenses.txt", "niivue-licenses.txt", "text/plain; charset=utf-8"),
    ];

    /// <summary>Adds the page and its files.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (var (path, resource, type) in _files)
        {
            var content = new Lazy<(byte[] Bytes, EntityTagHeaderValue Tag)>(() => Read(resource));
            routes.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], (HttpContext context) =>
            {
                var (bytes, tag) = content.Value;
                var headers = context.Response.Headers;
                (headers.ContentSecurityPolicy, headers.XFrameOptions, headers.CacheControl) = (Policy, "DENY", "no-cache");
                if (resource.EndsWith(".gz", StringComparison.Ordinal))
                    headers.ContentEncoding = "gzip";
                return Results.File(bytes, type, entityTag: tag);
            }).WithMetadata(new OpenToAll()).ExcludeFromDescription();
        }
    }

    private static (byte[], EntityTagHeaderValue) Read(string resource)
    {
        // The viewer is not there in a build without Node.
        using var stream = typeof(PageEndpoints).Assembly.GetManifestResourceStream("web/" + resource) ?? throw RequestProblem.NotFound("This build has no viewer.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return (bytes, new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]}\""));
    }
}
