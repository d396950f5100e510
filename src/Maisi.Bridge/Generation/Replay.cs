namespace Maisi.Bridge.Generation;

/// <summary>One file of a run that was made again.</summary>
/// <param name="Path">The file, relative to its run.</param>
/// <param name="Recorded">SHA-256 in the manifest.</param>
/// <param name="Remade">SHA-256 now.</param>
public sealed record ReplayedFile(string Path, string Recorded, string Remade)
{
    /// <summary>Whether the bytes are the same.</summary>
    public bool Equal => Recorded == Remade;
}

/// <summary>Makes the samples of a manifest again, from the same bundle and label maps, and compares the bytes.</summary>
public sealed class Replay(string manifestPath)
{
    /// <summary>The bundle; null takes the manifest's path.</summary>
    public string? Bundle { get; init; }

    /// <summary>Folder of the label maps; null takes the manifest's paths.</summary>
    public string? Masks { get; init; }

    /// <summary>Indices of the samples; null makes all again.</summary>
    public IReadOnlySet<int>? Samples { get; init; }

    /// <summary>Makes the samples again.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="progress">Told of every step.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <returns>Every file with both hashes.</returns>
    /// <exception cref="MaisiException">Bundle or label maps are missing or are not those of the manifest.</exception>
    public IReadOnlyList<ReplayedFile> Execute(string output, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        var manifest = RunManifest.Read(manifestPath);
        var bundle = Bundle ?? manifest.BundlePath ?? throw new MaisiException("The manifest does not say where its bundle lies.", manifestPath, "Give --bundle.");
        RequireSame(manifest.BundleFiles.Select(f => (Path.Combine(bundle, f.Path), f.Sha256)), "--bundle");
        RequireSame(manifest.Inputs.Select(f => (f.Path, f.Sha256)), "the options of 'maisi generate'");
        var options = manifest.Options with { Decode = manifest.Decode?.Mode ?? DecodeMode.Exact, Memory = manifest.Decode?.MemoryBytes };
        List<HashedFile> masks = [];
        if (options.Kind == PipelineKind.FromMask)
        {
            masks = [.. manifest.Samples.OrderBy(s => s.Index).Select(s => s.Mask!).DistinctBy(m => m.Path).Select(m => m with { Path = Locate(m.Path) })];
            RequireSame(masks.Select(m => (m.Path, m.Sha256)), "--masks");
        }
        if (Math.Max(masks.Count, 1) * options.Count != manifest.Samples.Count)
            throw new MaisiException("The manifest is one of several shares of a run.", manifestPath, "Run 'maisi generate' again with its options and --shard.");
        var remade = new SynthesisRun(bundle, options, output)
        {
            Masks = [.. masks.Select(m => m.Path)],
            // In parity mode a sample needs to know what those before it used up.
            Only = options.Parity ? null : Samples,
        }.Execute(progress, cancellation);
        return [.. remade.Samples.Where(sample => Samples?.Contains(sample.Index) != false)
            .SelectMany(sample => sample.Files.Zip(manifest.Samples.First(s => s.Index == sample.Index).Files,
                (now, before) => new ReplayedFile(before.Path, before.Sha256, now.Sha256)))];
    }

    private string Locate(string mask) => Masks is null ? mask : Path.Combine(Masks, Path.GetFileName(mask));

    private static void RequireSame(IEnumerable<(string Path, string Sha256)> files, string option)
    {
        foreach (var (path, sha256) in files)
        {
            if (!File.Exists(path))
                throw new MaisiException("A file that the run was made from is missing.", path, $"Say by {option} where it lies now.");
            if (HashedFile.Of(path).Sha256 != sha256)
                throw new MaisiException("A file has changed since the run was made.", path, $"Give the original by {option}.");
        }
    }
}
