using System.Globalization;

namespace Maisi.Bridge.Python;

/// <summary>
/// Folders for the files behind shared arrays, private to this process: one in memory where the system has such a place, one on disk
/// for when that is full (containers often give /dev/shm 64 MB). Removed on dispose; what a killed process has left is removed by the
/// next one.
/// </summary>
internal sealed class SharedFolder : IDisposable
{
    private const string Prefix = "maisi-";

    /// <summary>Makes the folders.</summary>
    public SharedFolder()
    {
        var roots = new List<string> { Path.GetTempPath() };
        if (OperatingSystem.IsLinux() && Directory.Exists("/dev/shm"))
            roots.Insert(0, "/dev/shm");
        foreach (var root in roots)
            Sweep(root);
        Paths = [.. roots.Select(Create)];
    }

    /// <summary>The folders, best first.</summary>
    public IReadOnlyList<string> Paths { get; }

    /// <summary>Removes a folder with its files; one that is in use elsewhere stays.</summary>
    public static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // On Windows a mapped file cannot go yet; the next sweep takes it.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var folder in Paths)
            Remove(folder);
    }

    private static string Create(string root)
    {
        var path = Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}-{Guid.NewGuid():N}"));
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    private static void Sweep(string root)
    {
        foreach (var folder in Directory.EnumerateDirectories(root, Prefix + "*-*"))
        {
            var owner = Path.GetFileName(folder)[Prefix.Length..].Split('-')[0];
            if (int.TryParse(owner, CultureInfo.InvariantCulture, out var id) && !Lives(id))
                Remove(folder);
        }
    }

    private static bool Lives(int id)
    {
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(id);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
