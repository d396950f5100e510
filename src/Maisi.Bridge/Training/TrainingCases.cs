using Maisi.Bridge.Generation;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Training;

/// <summary>Reads the cases of a datalist and brings them to the training grid.</summary>
public static class TrainingCases
{
    private const long VariantStream = 200;

    /// <summary>Reads in parallel; the result keeps the order of the list.</summary>
    /// <exception cref="MaisiException">A file is broken, or image and label do not lie on the same grid.</exception>
    public static IReadOnlyList<TrainingCase> Load(IReadOnlyList<DatalistEntry> entries, DataOptions options, IProgress<WorkProgress>? progress, CancellationToken cancellation) =>
        [.. Read(entries, options, null, progress, cancellation).Select(views => views[0])];

    /// <summary>Reads the cases and, where the options want them, their variants: first all cases, then the variants of each.</summary>
    /// <param name="entries">The cases.</param>
    /// <param name="options">The grid.</param>
    /// <param name="seed">Draws the variants.</param>
    /// <param name="progress">Told after every case.</param>
    /// <param name="cancellation">Checked before every case.</param>
    /// <exception cref="MaisiException">A file is broken, or image and label do not lie on the same grid.</exception>
    public static (IReadOnlyList<TrainingCase> Cases, IReadOnlyList<TrainingCase> Variants) LoadWithVariants(
        IReadOnlyList<DatalistEntry> entries, DataOptions options, ulong seed, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        options.Variants?.Check();
        var views = Read(entries, options, seed, progress, cancellation);
        return ([.. views.Select(v => v[0])], [.. views.SelectMany(v => v.Skip(1))]);
    }

    private static TrainingCase[][] Read(
        IReadOnlyList<DatalistEntry> entries, DataOptions options, ulong? variants, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var clock = new StageClock("read", entries.Count, progress);
        var cases = new TrainingCase[entries.Count][];
        var done = 0;
        MaisiException? failure = null;
        Parallel.For(0, entries.Count, new ParallelOptions { CancellationToken = cancellation }, (i, state) =>
        {
            try
            {
                cases[i] = Load(entries[i], options, variants is { } seed ? new TrainingRandom(SampleSeed.Of(SampleSeed.Of(seed, VariantStream), i)) : null);
                clock.Report(Interlocked.Increment(ref done));
            }
            catch (MaisiException e)
            {
                failure = e;
                state.Stop();
            }
        });
        return failure is null ? cases : throw failure;
    }

    private static TrainingCase[] Load(DatalistEntry entry, DataOptions options, TrainingRandom? variants)
    {
        var image = VolumeFile.Read(entry.Image);
        var labels = VolumeFile.Read(entry.Label);
        if (!image.Grid.Matches(labels.Grid, 1e-2))
            throw new MaisiException($"Image ({image.Grid}) and label map ({labels.Grid}) do not lie on the same grid.", entry.Label, "Resample the label map to the image.");
        labels = Remapped(labels.ConvertTo<byte>(), options, entry.Label);
        var grid = AnatomyGrid.Around(labels, options.AnchorLabels, options.Size, options.Spacing);
        var id = Path.GetFileName(entry.Image);
        var views = variants is null || options.Variants is null ? [] : Enumerable.Range(1, options.Variants.Count).Select(n => ($"{id} variant {n}", options.Variants.Of(grid, variants)));
        return [.. views.Prepend((id, grid)).Select(v => View(v.Item1, image, labels, v.Item2, options))];
    }

    private static TrainingCase View(string id, Volume image, Volume labels, VolumeGrid grid, DataOptions options)
    {
        var (low, high) = (options.Intensity[0], options.Intensity[1]);
        var hounsfield = image.Resample(grid, Interpolation.Trilinear, low);
        var codes = labels.Resample(grid, Interpolation.Nearest, 0);
        if (options.BodyLabel != 0)
            codes = codes.AddBody(hounsfield, new BodyEnvelopeOptions { BodyLabel = options.BodyLabel, HasLungs = false }).ConvertTo<byte>();
        var intensities = hounsfield.ToFloats();
        for (var i = 0; i < intensities.Length; i++)
            intensities[i] = (float)Math.Clamp((intensities[i] - low) / (high - low), 0, 1);
        return new TrainingCase(id, intensities, codes.ToArray<byte>());
    }

    private static Volume Remapped(Volume labels, DataOptions options, string path)
    {
        var target = Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();
        foreach (var (from, to) in options.Remap)
            target[int.Parse(from)] = (byte)to;
        var known = options.Labels.Values.Append(0).Append(options.BodyLabel).ToHashSet();
        var copy = labels.Clone();
        var voxels = copy.Voxels<byte>();
        for (var i = 0; i < voxels.Length; i++)
        {
            voxels[i] = target[voxels[i]];
            if (!known.Contains(voxels[i]))
                throw new MaisiException($"The label map has code {voxels[i]}, which the training config does not name.", path, "Add it to data.labels or data.remap of the config.");
        }
        return copy;
    }
}
