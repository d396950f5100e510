using Maisi.Bridge.Generation;

namespace Maisi.Bridge.Server;

/// <summary>
/// Copies files to a folder of the server that a client names: it must lie in one that the operator has allowed, every part of its path
/// must be an ordinary name, and none may be a link.
/// </summary>
internal sealed class LocalDelivery(MaisiServerOptions options)
{
    private const string Field = "local_working_dir";

    /// <summary>The folder that a client named.</summary>
    /// <exception cref="RequestProblem">It is not allowed.</exception>
    public string Resolve(string asked)
    {
        if (options.LocalFolders.Count == 0)
            throw RequestProblem.Field(Field, "is not offered by this server: its operator has allowed no folder");
        // Compared as text, part by part: nothing is looked up on the disk before the path is known to be allowed.
        var parts = asked.Split('/');
        foreach (var root in options.LocalFolders.Select(Path.TrimEndingDirectorySeparator))
        {
            var rootParts = root.Split('/');
            if (parts.Length < rootParts.Length || !parts.AsSpan(0, rootParts.Length).SequenceEqual(rootParts))
                continue;
            var below = parts[rootParts.Length..].Where(p => p.Length > 0).ToArray();
            if (below.Length > 16 || !below.All(IsOrdinary))
                break;
            return Below(root, below);
        }
        throw RequestProblem.Field(Field, "must be a folder in one that this server's operator has allowed");
    }

    /// <summary>Copies the files that were asked for; all of them appear, or none.</summary>
    /// <exception cref="MaisiException">The folder cannot be written.</exception>
    public static IReadOnlyList<string> Copy(JobRecord record, string run, string target)
    {
        using var staging = new StagingFolder(target);
        var names = ResultFiles.Asked(record).Select(f => f.Name == SynthesisRun.ManifestName ? (From: f.Name, To: $"manifest_{record.Id}.json") : (From: f.Name, To: f.Name)).ToArray();
        foreach (var (from, to) in names)
            File.Copy(Path.Combine(run, from), staging.File(to));
        staging.Publish();
        return [.. names.Select(n => n.To)];
    }

    private static string Below(string root, string[] parts)
    {
        var path = root;
        foreach (var part in parts)
        {
            path = Path.Combine(path, part);
            if (new DirectoryInfo(path).LinkTarget is not null || File.Exists(path))
                throw RequestProblem.Field(Field, "leads through something that is no folder");
        }
        return path;
    }

    private static bool IsOrdinary(string part) => part.Length <= 128 && part is not ("." or "..") && part[0] != '.' && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ' ');
}
