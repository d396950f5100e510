namespace Maisi.Bridge.Server;

/// <summary>
/// The server's folder: <c>jobs.db</c>, <c>jobs/ID/</c> with the label map of a job and its <c>run/</c>, and <c>uploads/</c>. Every name
/// in it is the server's own. A lock keeps a second server out.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    private readonly FileStream _lock;

    /// <param name="options">Which folder; made when it is missing, for this user alone.</param>
    /// <exception cref="MaisiException">Another server uses it, or it cannot be written.</exception>
    public DataFolder(MaisiServerOptions options)
    {
        Root = Path.GetFullPath(options.DataFolder);
        try
        {
            foreach (var folder in new[] { Root, Jobs, Uploads })
                Make(folder);
            _lock = new FileStream(Path.Combine(Root, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MaisiException($"The data folder cannot be used: {e.Message}", Root, "Only one server may use it; stop the other one, or give another --data.", e);
        }
        // Uploads of a server that was killed.
        foreach (var file in Directory.EnumerateFiles(Uploads))
            File.Delete(file);
    }

    /// <summary>The folder.</summary>
    public string Root { get; }

    /// <summary>The database of jobs.</summary>
    public string Database => Path.Combine(Root, "jobs.db");

    /// <summary>Free bytes of its disk.</summary>
    public long Free => new DriveInfo(Root).AvailableFreeSpace;

    private string Jobs => Path.Combine(Root, "jobs");

    private string Uploads => Path.Combine(Root, "uploads");

    /// <summary>A new file for an upload.</summary>
    public string Upload(string extension) => Path.Combine(Uploads, $"{Guid.NewGuid():N}{extension}");

    /// <summary>The folder of a job.</summary>
    public string Job(string id) => Path.Combine(Jobs, id);

    /// <summary>The folder of a job's samples.</summary>
    public string Run(string id) => Path.Combine(Job(id), "run");

    /// <summary>Makes the folder of a job.</summary>
    public void Create(string id) => Make(Job(id));

    /// <summary>Removes the folder of a job.</summary>
    public void Remove(string id)
    {
        if (Directory.Exists(Job(id)))
            Directory.Delete(Job(id), recursive: true);
    }

    /// <summary>Removes folders that belong to no job.</summary>
    public void RemoveOrphans(Func<string, bool> isKnown)
    {
        foreach (var id in Directory.EnumerateDirectories(Jobs).Select(f => Path.GetFileName(f)).Where(id => !isKnown(id)))
            Remove(id);
    }

    /// <summary>Bytes of a job's folder.</summary>
    public long Size(string id) => new DirectoryInfo(Job(id)).EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => f.Length);

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private static void Make(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
