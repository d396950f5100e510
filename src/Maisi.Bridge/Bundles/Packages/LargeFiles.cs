using Maisi.Bridge.Bundles.Parsing;

namespace Maisi.Bridge.Bundles;

/// <summary>The files of a bundle that are fetched: its <c>large_files.yml</c>, in the form of MONAI's model zoo.</summary>
public static class LargeFiles
{
    private static readonly string[] Names = ["large_files.yml", "large_files.yaml", "large_files.json"];

    /// <summary>The requests for a bundle.</summary>
    /// <param name="bundle">The bundle folder.</param>
    /// <param name="listName">The list; null: large_files.yml, .yaml or .json.</param>
    /// <param name="baseUrl">Fetch from here instead of the listed URLs: the path in the bundle is appended.</param>
    /// <exception cref="BundleException">There is no list, an entry is incomplete, or a path leaves the bundle.</exception>
    public static IReadOnlyList<FileRequest> Read(string bundle, string? listName, Uri? baseUrl)
    {
        var root = Path.GetFullPath(bundle);
        if (!Directory.Exists(root))
            throw new BundleException(BundleErrorKind.FileNotFoundError, $"no such bundle folder: '{bundle}'");
        var list = (listName is null ? Names : [listName]).Select(n => Path.Combine(root, n)).FirstOrDefault(File.Exists)
            ?? throw new BundleException(BundleErrorKind.FileNotFoundError, $"'{bundle}' has no {listName ?? "large_files.yml"}", hint: "it lists path, url, hash_val and hash_type of every file to fetch");
        var node = new ConfigFile(root, static _ => { }).Load(list);
        if (node is not DictNode dict || !dict.Entries.TryGetValue("large_files", out var entries) || entries is not ListNode files)
            throw new BundleException(BundleErrorKind.ValueError, "a list 'large_files' is expected", node.Location);
        return [.. files.Items.Select(f => Request(f, root, baseUrl))];
    }

    /// <summary>A file below a folder; an error when the name leads out of it.</summary>
    public static string Inside(string root, string name, SourceLocation? location = null)
    {
        var full = Path.GetFullPath(name, root);
        return name.Length > 0 && !Path.IsPathRooted(name) && PathPolicy.IsInside(full, root) && full != root
            ? full
            : throw new BundleException(BundleErrorKind.PermissionError, $"'{name}' leads out of the folder", location, hint: "files are only written below the bundle");
    }

    private static FileRequest Request(ConfigNode node, string root, Uri? baseUrl)
    {
        if (node is not DictNode entry)
            throw new BundleException(BundleErrorKind.ValueError, "an entry is a dict with path and url", node.Location);
        string? Text(string key) => entry.Entries.GetValueOrDefault(key)?.ToValue() is { } value ? value as string ?? throw new BundleException(BundleErrorKind.ValueError, $"'{key}' must be a text", node.Location) : null;
        var path = Text("path") ?? throw new BundleException(BundleErrorKind.ValueError, "the entry has no 'path'", node.Location);
        var url = baseUrl is not null ? new Uri(baseUrl, path).ToString() : Text("url") ?? throw new BundleException(BundleErrorKind.ValueError, "the entry has no 'url'", node.Location);
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw new BundleException(BundleErrorKind.ValueError, $"'{url}' is not an http or https URL", node.Location);
        return new FileRequest(uri, Inside(root, path, node.Location), entry.Entries.GetValueOrDefault("size")?.ToValue() as long?, Text("hash_val"), Text("hash_type") ?? "md5");
    }
}
