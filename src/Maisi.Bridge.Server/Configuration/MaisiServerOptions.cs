using Maisi.Bridge.Runtime;

namespace Maisi.Bridge.Server;

/// <summary>How the service runs and what it allows.</summary>
public sealed class MaisiServerOptions
{
    /// <summary>Folder of a bundle with weights.</summary>
    public string Bundle { get; set; } = "";

    /// <summary>Folder of the jobs: their database, uploads and results. One server at a time.</summary>
    public string DataFolder { get; set; } = "";

    /// <summary>The devices; each has a thread and the weights of its own.</summary>
    public IList<string> Devices { get; } = [];

    /// <summary>Database of label maps for pairs; null takes the bundle's.</summary>
    public string? MaskDatabase { get; set; }

    /// <summary>Bytes that decoding may use; null takes half of what is free.</summary>
    public long? Memory { get; set; }

    /// <summary>How many jobs may wait.</summary>
    public int QueueLimit { get; set; } = 256;

    /// <summary>The most samples of a request.</summary>
    public int MaxSamples { get; set; } = 100;

    /// <summary>The most voxels of an image or an uploaded label map.</summary>
    public long MaxVoxels { get; set; } = 512L * 512 * 768;

    /// <summary>The most bytes of an uploaded label map.</summary>
    public long MaxUploadBytes { get; set; } = 256L << 20;

    /// <summary>The most bytes of the JSON of a request.</summary>
    public int MaxJsonBytes { get; set; } = 64 << 10;

    /// <summary>How long a synchronous run may take, the queue included.</summary>
    public TimeSpan RunTimeout { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long a running job gets to end when the server is told to stop; then it goes back to the queue for the next start.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a job is begun at most: one that takes the process down every time must not do so for ever.</summary>
    public int MaxStarts { get; set; } = 25;

    /// <summary>After how long ended jobs are deleted.</summary>
    public TimeSpan RetentionAge { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How many bytes of results are kept; the oldest go first.</summary>
    public long RetentionBytes { get; set; } = 50L << 30;

    /// <summary>New jobs are refused while the disk has less than this free.</summary>
    public long MinFreeBytes { get; set; } = 1L << 30;

    /// <summary>Folders in which <c>local_working_dir</c> may lie; none refuses the field.</summary>
    public IList<string> LocalFolders { get; } = [];

    /// <summary>Hosts to which <c>pre_signed_url</c> may lead: NAME, NAME:PORT or *.DOMAIN; none refuses the field.</summary>
    public IList<string> UploadHosts { get; } = [];

    /// <summary>Lets uploads go to private addresses and by plain http, for object stores of one's own network.</summary>
    public bool AllowPrivateUploads { get; set; }

    /// <summary>Names of clients and SHA-256 of their keys, in hexadecimal.</summary>
    public IDictionary<string, string> ApiKeys { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Serves without keys to other machines, too. Without it, a server without keys answers this machine alone.</summary>
    public bool AllowAnonymous { get; set; }

    /// <summary>Origins of other sites whose pages may call the service.</summary>
    public IList<string> CorsOrigins { get; } = [];

    /// <summary>Whether weights are loaded at the start; otherwise with the first job, and the service is ready at once.</summary>
    public bool Preload { get; set; } = true;

    /// <summary>Refuses settings that do not fit.</summary>
    /// <exception cref="MaisiException">The first that does not.</exception>
    internal void Check()
    {
        Require(Bundle.Length > 0, "No bundle was given.", nameof(Bundle), "Give the folder of a bundle with weights.");
        Require(DataFolder.Length > 0, "No data folder was given.", nameof(DataFolder), "Give a folder that the server may write.");
        foreach (var device in Devices)
            ComputeDevice.Parse(device, nameof(Devices));
        Require(QueueLimit >= 1 && MaxSamples >= 1 && MaxVoxels >= 1 && MaxStarts >= 1, "A limit must be 1 or more.", nameof(QueueLimit));
        foreach (var folder in LocalFolders)
            Require(Path.IsPathFullyQualified(folder) && Directory.Exists(folder), $"'{folder}' is no folder of this machine.", nameof(LocalFolders), "Give the whole path of a folder that exists.");
        foreach (var host in UploadHosts)
            Require(Uri.CheckHostName(host.Split(':')[0].Replace("*.", "", StringComparison.Ordinal)) == UriHostNameType.Dns, $"'{host}' is no name of a host.", nameof(UploadHosts), "Give NAME, NAME:PORT or *.DOMAIN.");
        foreach (var (name, hash) in ApiKeys)
            Require(hash.Length == 64 && hash.All(char.IsAsciiHexDigit), $"The key of '{name}' is not a SHA-256 in hexadecimal.", nameof(ApiKeys), "Make keys by 'maisi serve key NAME'.");
    }

    private static void Require(bool holds, string message, string where, string? hint = null)
    {
        if (!holds)
            throw new MaisiException(message, where, hint);
    }
}
