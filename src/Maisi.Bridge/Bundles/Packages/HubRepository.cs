using System.Text.Json.Nodes;

namespace Maisi.Bridge.Bundles;

/// <summary>A model repository with the interface of the Hugging Face Hub: a list of files with sizes and hashes, and their contents.</summary>
/// <param name="http">The client.</param>
/// <param name="host">The host, such as https://huggingface.co/.</param>
public sealed class HubRepository(HttpClient http, Uri host)
{
    private const int MaxFiles = 10_000;

    /// <summary>The files of a repository, to be put below a folder.</summary>
    /// <param name="repository">Owner and name, such as nvidia/NV-Generate-CT.</param>
    /// <param name="revision">A branch, tag or commit.</param>
    /// <param name="folder">Where the files go.</param>
    /// <param name="cancellation">Cancels the request.</param>
    /// <exception cref="BundleException">There is no such repository, its list is not understood, or a name leads out of the folder.</exception>
    public async Task<IReadOnlyList<FileRequest>> FilesAsync(string repository, string revision, string folder, CancellationToken cancellation)
    {
        if (repository.Split('/') is not [{ Length: > 0 }, { Length: > 0 }] || repository.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.' or '/')))
            throw new BundleException(BundleErrorKind.ValueError, $"'{repository}' is not a repository", hint: "write owner/name, for example nvidia/NV-Generate-CT");
        var url = new Uri(host, $"api/models/{repository}/tree/{Uri.EscapeDataString(revision)}?recursive=true");
        using var response = await http.GetAsync(url, cancellation).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            throw new BundleException(BundleErrorKind.RuntimeError, $"the server answers {(int)response.StatusCode} for '{repository}'",
                hint: "check the name and the revision; gated repositories need a token, which is not supported: download them with huggingface-cli");
        }
        var list = JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false)) as JsonArray;
        if (list is null || list.Count > MaxFiles)
            throw new BundleException(BundleErrorKind.ValueError, $"{url} gives no list of files");
        var root = Path.GetFullPath(folder);
        return [.. list.OfType<JsonObject>().Where(f => f["type"]?.GetValue<string>() == "file").Select(f => Request(f, repository, revision, root))];
    }

    private FileRequest Request(JsonObject file, string repository, string revision, string root)
    {
        var path = file["path"]!.GetValue<string>();
        var escaped = string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
        // Only large files have a SHA-256; the others have a git blob id, which is no plain hash of the content.
        return new FileRequest(new Uri(host, $"{repository}/resolve/{Uri.EscapeDataString(revision)}/{escaped}"), LargeFiles.Inside(root, path),
            file["size"]?.GetValue<long>(), file["lfs"]?["oid"]?.GetValue<string>());
    }
}
