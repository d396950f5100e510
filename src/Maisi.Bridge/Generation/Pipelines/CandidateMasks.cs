using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Generation;

/// <summary>
/// Label maps of a database as candidates for the samples of a run (path B of NV-Generate's scripts/sample.py). Which candidates a sample
/// has depends on the run's seed and the sample's index, not on how many samples the run has.
/// </summary>
internal sealed class CandidateMasks
{
    private const int Fewest = 5;

    private readonly GenerationOptions _options;
    private readonly int[] _anatomy;
    private readonly string _folder;
    private readonly IReadOnlyList<MaskRecord> _exact;
    private readonly Lazy<IReadOnlyList<MaskRecord>> _closest;

    /// <param name="options">Resolved options.</param>
    /// <param name="settings">The bundle's database, unless the options name one.</param>
    /// <param name="file">The absolute form of a path of the bundle.</param>
    /// <exception cref="MaisiException">No database, or nothing in it shows what is asked for.</exception>
    public CandidateMasks(GenerationOptions options, BundleSettings settings, Func<string, string> file)
    {
        _options = options;
        _anatomy = OptionRules.AnatomyCodes(options, settings);
        Path = DatabaseOf(options, settings, file);
        _folder = options.MaskFolder ?? (options.MaskDatabase is null && settings.AllMaskFilesBaseDir is { } own ? file(own) : FolderBeside(Path));
        var database = MaskDatabase.Load(Path);
        var request = new MaskRequest(options.BodyRegions, _anatomy, options.Size!, options.Spacing!);
        _exact = database.Find(request, exact: true);
        _closest = new(() => database.FindClosest(request, 1));
        if (_exact.Count == 0)
            _ = _closest.Value;
    }

    /// <summary>The database.</summary>
    public string Path { get; }

    /// <summary>The database of a run.</summary>
    /// <exception cref="MaisiException">Neither the options nor the bundle name one.</exception>
    public static string DatabaseOf(GenerationOptions options, BundleSettings settings, Func<string, string> file) =>
        options.MaskDatabase ?? (settings.AllMaskFilesJson is { } own ? file(own) : throw new MaisiException(
            "There is no database of label maps to choose from.", "--database", "Build one with 'maisi mask index FOLDER', or synthesise the label map with --size-of or --synthesize-mask."));

    /// <summary>The candidates of a sample, in the order in which they are tried.</summary>
    /// <remarks>
    /// Sample i takes masks of the wanted size and spacing while there are more than i, and otherwise those that are closest: the best
    /// 2(i+1), at least five, which is what upstream looks at for i+1 samples. Both are shuffled by the run's seed, and sample i begins at
    /// place i, so that samples share a mask only when there are too few.
    /// </remarks>
    public IReadOnlyList<MaskRecord> Of(SampleInput input)
    {
        var pool = _exact.Count > input.Index ? _exact : [.. _closest.Value.Take(Math.Max(2 * (input.Index + 1), Fewest))];
        var order = Shuffle(pool, SampleSeed.Stream(input.RunSeed, SeedStream.MaskChoice));
        return [.. Enumerable.Range(0, order.Length).Select(i => order[(input.Index + i) % order.Length])];
    }

    /// <summary>Upstream's one list for a run of so many samples.</summary>
    public IReadOnlyList<MaskRecord> OfRun(ulong runSeed, int count)
    {
        var pool = _exact.Count >= count ? _exact : _closest.Value.Count >= count ? [.. _closest.Value.Take(MaskDatabase.Attempts(count))]
            : throw new MaisiException($"candidate masks are less than {count}).", Path, "Ask for fewer images, or add masks.");
        return Shuffle(pool, SampleSeed.Stream(runSeed, SeedStream.MaskChoice));
    }

    /// <summary>Reads a candidate, brings it to the wanted grid, and varies it.</summary>
    /// <param name="record">The candidate.</param>
    /// <param name="seed">The seed of the attempt.</param>
    /// <param name="settings">The bundle's codes.</param>
    /// <param name="why">Why it cannot be used; null when it can.</param>
    public SampleMask? Open(MaskRecord record, ulong seed, BundleSettings settings, out string? why)
    {
        var path = System.IO.Path.Combine(_folder, record.PseudoLabelFilename);
        var labels = VolumeFile.Read(path).Reorient(AxisCodes.RAS).Narrow();
        var changes = new List<string>();
        var before = labels.Grid;
        labels = labels.ToRequestedGrid(_options.Size!, _options.Spacing!);
        if (!ReferenceEquals(before, labels.Grid))
            changes.Add($"the map of {before} was resampled to {labels.Grid}");
        var missing = labels.Missing(_anatomy);
        why = missing.Length == 0 ? null : $"Resampled mask does not contain required class labels {string.Join(", ", missing)}";
        if (why is not null)
            return null;
        if (settings.HasMaisiLabels)
        {
            labels = labels.Augment(SampleSeed.Stream(seed, SeedStream.Augmentation), _options.Parity);
            changes.Add("the map was varied (tumour moved and deformed, or zoomed by up to one percent)");
        }
        return new SampleMask(labels, labels.CountLabels().ContainsKey(settings.BodyLabel), changes, HashedFile.Of(path));
    }

    private static string FolderBeside(string database)
    {
        var named = System.IO.Path.ChangeExtension(database, null);
        return Directory.Exists(named) ? named : System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(database))!;
    }

    private static MaskRecord[] Shuffle(IReadOnlyList<MaskRecord> pool, ulong seed) =>
        [.. pool.Select((record, i) => (record, key: PhiloxNoise.Uniform(seed, (ulong)i), i)).OrderBy(p => p.key).ThenBy(p => p.i).Select(p => p.record)];
}
