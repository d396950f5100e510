namespace Maisi.Bridge.Generation;

/// <summary>
/// Collects files in a hidden folder inside the output folder and moves them to their place when all are complete, so that an error,
/// a full disk or a kill leaves nothing half-written.
/// </summary>
public sealed class StagingFolder : IDisposable
{
    private readonly string _target;
    private readonly bool _madeTarget;
    private readonly string _folder;

    /// <param name="target">The output folder; made when it is missing.</param>
    /// <exception cref="MaisiException">The folder cannot be made or written.</exception>
    public StagingFolder(string target)
        : this(target, Path.Combine(Path.GetFullPath(target), $".partial-{Guid.NewGuid():N}"))
    {
    }

    /// <param name="target">The output folder; made when it is missing.</param>
    /// <param name="folder">Where files are collected, on the same file system.</param>
    internal StagingFolder(string target, string folder)
    {
        _target = Path.GetFullPath(target);
        _madeTarget = !Directory.Exists(_target);
        _folder = folder;
        try
        {
            Directory.CreateDirectory(_folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MaisiException($"The output folder cannot be written: {e.Message}", _target, "Choose another --output.", e);
        }
    }

    /// <summary>Where to write a file that will be published under this name; folders of the name are made.</summary>
    public string File(string name)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    /// <summary>Moves everything to its place; files of the same name are replaced, each at once.</summary>
    public void Publish()
    {
        foreach (var file in Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories))
        {
            var place = Path.Combine(_target, Path.GetRelativePath(_folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            System.IO.File.Move(file, place, overwrite: true);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
        if (_madeTarget && Directory.Exists(_target) && !Directory.EnumerateFileSystemEntries(_target).Any())
            Directory.Delete(_target);
    }
}
