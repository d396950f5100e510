namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>What expressions may do with files: look anywhere, and make folders below the bundle, the working directory and allowed folders.</summary>
/// <param name="workingDirectory">Where relative names start.</param>
/// <param name="writable">Folders in which folders may be made.</param>
public sealed class BundleFiles(string workingDirectory, IReadOnlyList<string> writable)
{
    /// <summary>The absolute form of a name.</summary>
    public string Full(string path) => Path.GetFullPath(path, workingDirectory);

    /// <summary>Makes a folder and those above it.</summary>
    public void MakeFolder(string path)
    {
        var full = Full(path);
        if (!writable.Any(f => PathPolicy.IsInside(full, f)))
        {
            throw new BundleException(BundleErrorKind.PermissionError, $"the bundle may not make the folder '{path}'",
                hint: "expressions make folders only below the bundle and the current folder; allow another one with --allow-path");
        }
        Directory.CreateDirectory(full);
    }
}
