using Maisi.Bridge.Bundles.Parsing;

namespace Maisi.Bridge.Bundles;

/// <summary>
/// Runs a bundle as MONAI's <c>ConfigWorkflow</c>: the items <c>initialize</c>, <c>run</c> and <c>finalize</c>, each an expression or a
/// list of them evaluated in order.
/// </summary>
public sealed class BundleWorkflow
{
    private readonly ConfigParserOptions _options;

    /// <summary>Reads the files and sets the overrides; nothing is evaluated yet.</summary>
    /// <param name="options">How to read and resolve.</param>
    /// <param name="configFiles">The config files in order.</param>
    /// <param name="metaFiles">Metadata files; empty: metadata.json beside the first config, when it is there.</param>
    /// <param name="overrides">Values by id.</param>
    /// <exception cref="BundleException">A file is missing or broken, or an override has no parent.</exception>
    public BundleWorkflow(
        ConfigParserOptions options, IReadOnlyList<string> configFiles, IReadOnlyList<string> metaFiles, IEnumerable<KeyValuePair<string, object?>> overrides)
    {
        _options = options;
        if (configFiles.Count == 0)
            throw new BundleException(BundleErrorKind.ValueError, "--config_file is missing", hint: "give one file, or a list: --config_file \"['a.json','b.json']\"");
        foreach (var file in configFiles)
        {
            if (!File.Exists(Path.GetFullPath(file, options.WorkingDirectory)))
                throw new BundleException(BundleErrorKind.FileNotFoundError, $"cannot find the config file: {file}", hint: Hint(file));
        }
        Parser = new ConfigParser(options);
        Parser.ReadConfig(configFiles);
        var beside = Path.Combine(Path.GetDirectoryName(configFiles[0]) ?? "", "metadata.json");
        if (metaFiles.Count > 0)
            Parser.ReadMeta(metaFiles);
        else if (File.Exists(Path.GetFullPath(beside, options.WorkingDirectory)))
            Parser.ReadMeta(beside);
        Parser.Update(overrides);
    }

    /// <summary>The parser with everything read.</summary>
    public ConfigParser Parser { get; }

    /// <summary>Runs the three stages.</summary>
    /// <param name="runId">What to run.</param>
    /// <param name="initId">What to run before; it may be missing.</param>
    /// <param name="finalId">What to run after; it may be missing.</param>
    /// <param name="cancellation">Checked between expressions.</param>
    /// <returns>The values of the run stage.</returns>
    public IReadOnlyList<object?> Run(string runId = "run", string initId = "initialize", string finalId = "finalize", CancellationToken cancellation = default)
    {
        Parser.Parse();
        Evaluate(initId, cancellation);
        if (!Parser.Contains(runId))
        {
            throw new BundleException(BundleErrorKind.ValueError, $"run ID '{runId}' doesn't exist in the config file",
                hint: Parser.Root is DictNode root ? Suggestion.For(runId, root.Entries.Keys.OfType<string>()) : null);
        }
        var results = Evaluate(runId, cancellation);
        Evaluate(finalId, cancellation);
        return results;
    }

    // The values are not kept, so that a list can be evaluated again.
    private List<object?> Evaluate(string id, CancellationToken cancellation)
    {
        if (!Parser.Contains(id))
            return [];
        var ids = Parser.Get(id) is ListNode list ? list.Items.Select((_, i) => ConfigId.Child(id, i)) : [id];
        var results = new List<object?>();
        foreach (var one in ids.ToList())
        {
            cancellation.ThrowIfCancellationRequested();
            results.Add(Parser.GetParsedContent(one));
            Parser.Forget(one);
        }
        return results;
    }

    private string? Hint(string file)
    {
        if (file.Contains(','))
            return "several files are given as a list: --config_file \"['a.json','b.json']\"";
        var folder = Path.GetDirectoryName(Path.GetFullPath(file, _options.WorkingDirectory))!;
        return Directory.Exists(folder)
            ? Suggestion.For(Path.GetFileName(file), Directory.EnumerateFiles(folder).Take(1000).Select(f => Path.GetFileName(f)!)) ?? $"looked in {folder}"
            : $"there is no folder {folder}";
    }
}
