namespace Maisi.Bridge.Bundles;

/// <summary>Tells whether a path lies in a folder, links followed.</summary>
internal static class PathPolicy
{
    /// <summary>True when the path is the folder or lies in it.</summary>
    /// <param name="path">An absolute path; it need not exist.</param>
    /// <param name="folder">An absolute folder.</param>
    public static bool IsInside(string path, string folder)
    {
        var (real, root) = (Real(path), Real(folder));
        return string.Equals(real, root, StringComparison.Ordinal)
            || real.StartsWith(root.EndsWith(Path.DirectorySeparatorChar) ? root : root + Path.DirectorySeparatorChar, StringComparison.Ordinal);
    }

    // The path with the links of every existing part followed, so that a link in a bundle leads nowhere else.
    private static string Real(string path)
    {
        var full = Path.GetFullPath(path);
        var at = Path.GetPathRoot(full)!;
        foreach (var part in full[at.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            at = Path.Combine(at, part);
            FileSystemInfo info = Directory.Exists(at) ? new DirectoryInfo(at) : new FileInfo(at);
            if (info.LinkTarget is not null && info.ResolveLinkTarget(returnFinalTarget: true) is { } target)
                at = target.FullName;
        }
        return at;
    }
}
