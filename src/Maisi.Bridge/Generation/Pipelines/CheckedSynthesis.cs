using Maisi.Bridge.Runtime;
using Maisi.Bridge.Volumes;
using static TorchSharp.torch;

namespace Maisi.Bridge.Generation;

/// <summary>
/// Makes the image of a label map, checks it against real images, and makes it again, from another label map or another seed, when it
/// fails; the best attempt is kept.
/// </summary>
internal sealed class CheckedSynthesis(ModelBundle model)
{
    /// <summary>The seed of an attempt: the sample's own, then one of its own for every retry.</summary>
    public static ulong AttemptSeed(ulong sampleSeed, int attempt) => attempt == 0 ? sampleSeed : SampleSeed.Of(sampleSeed, attempt);

    /// <summary>Makes a sample.</summary>
    /// <param name="options">Resolved options.</param>
    /// <param name="sampleSeed">The seed of the sample.</param>
    /// <param name="attempts">How many label maps are looked at, at most.</param>
    /// <param name="mask">The label map of an attempt; null with a reason where there is none.</param>
    /// <param name="ends">Whether the search ends with this attempt, told how many images there are by now and whether the last one passed.</param>
    /// <param name="progress">Told after every step and slab.</param>
    /// <param name="cancellation">Checked between steps, slabs and windows.</param>
    /// <exception cref="MaisiException">No attempt had a label map.</exception>
    public SynthesisSample Make(
        GenerationOptions options, ulong sampleSeed, int attempts, Func<int, ulong, (SampleMask? Mask, string? Candidate, string? Why)> mask, Func<int, int, bool, bool> ends,
        IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var check = options.Modality is >= 1 and <= 7 ? QualityCheckOf(options) : null;
        var records = new List<AttemptRecord>();
        var images = 0;
        (SynthesisSample Sample, int Attempt, double Score)? best = null;
        for (var attempt = 0; attempt < attempts; attempt++)
        {
            var seed = AttemptSeed(sampleSeed, attempt);
            var (source, candidate, why) = mask(attempt, seed);
            if (source is null)
            {
                records.Add(new AttemptRecord { Seed = seed, Mask = candidate, Skipped = why });
                continue;
            }
            var sample = Image(options, source, seed, progress, cancellation);
            var quality = check?.Run(sample.Image!, sample.Labels!);
            records.Add(new AttemptRecord { Seed = seed, Mask = candidate, Quality = quality });
            var score = quality is null ? 0 : Score(quality);
            // Upstream takes the image with which it stops, we the best of them.
            if (best is null || score < best.Value.Score || options.Parity)
                best = (sample, attempt, score);
            if (ends(attempt, ++images, score == 0))
                break;
            progress?.Report(new WorkProgress("attempt", attempt + 1, attempts, null, $"outside the range of real images: {string.Join(", ", quality!.Where(o => o.IsOutlier).Select(o => o.Organ))}"));
        }
        if (best is not { } kept)
            throw new MaisiException($"No label map could be used: {records[^1].Skipped}.", "label maps", "Ask for another size or spacing, for fewer structures, or add label maps to the database.");
        records[kept.Attempt] = records[kept.Attempt] with { Kept = true };
        return kept.Sample with { Attempts = records };
    }

    /// <summary>The check of a run; null where nothing says what real images are like.</summary>
    public QualityCheck? QualityCheckOf(GenerationOptions options)
    {
        var path = options.Statistics ?? (model.Settings.RealImgMedianStatisticsFile is { } own ? model.File(own) : null);
        return path is not null ? QualityCheck.Read(path) : model.Settings is { HasMaisiRules: true } ? QualityCheck.Maisi() : null;
    }

    // How many organs are off, then how far.
    private static double Score(IReadOnlyList<OrganCheck> quality) =>
        quality.Where(o => o.IsOutlier).Sum(o => 1 + (Math.Max(o.Low - o.Median!.Value, o.Median.Value - o.High) / 1e5));

    private SynthesisSample Image(GenerationOptions options, SampleMask source, ulong seed, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var (settings, labels) = (model.Settings, source.Labels);
        var networks = model.ImageModel(underMask: true);
        var (plan, record) = DecodePlanning.Plan(
            networks.Autoencoder, networks.LatentShape([labels.SizeX, labels.SizeY, labels.SizeZ])[2..], options, progress);
        var made = new ImageSynthesis(networks, model.Device).Sample(new ImageRequest
        {
            Grid = labels.Grid,
            Mask = labels,
            UnconditionalMask = options.GuidanceScale > 0 && settings.HasMaisiLabels ? labels.RemoveTumours() : null,
            // Without an envelope the unlabelled voxels are not known to be air.
            AirOutsideMask = source.HasBody || options.Parity,
            Modality = options.Modality!.Value,
            Regions = options.BodyRegions.Count > 0 && options.Kind == PipelineKind.FromMask ? LabelOperations.RegionSpan(options.BodyRegions) : null,
            Steps = options.Steps!.Value,
            Guidance = options.GuidanceScale!.Value,
            Seed = seed,
            Range = settings.RangeOf(options.Modality.Value),
            Windows = plan is null ? settings.Windows() : null,
            Plan = plan,
        }, progress, cancellation);
        return new SynthesisSample
        {
            // Upstream saves float32 under a label map.
            Image = options.Parity ? ImageSynthesis.ToVolume(made.Image, labels.Grid) : ImageSynthesis.ToInt16(made.Image, labels.Grid),
            Labels = labels,
            Mask = source.File,
            AnatomyCondition = source.Condition,
            Changes = source.Changes,
            Decode = record,
            Seconds = new SampleTimings(Math.Round(made.Denoise.TotalSeconds, 3), Math.Round(made.Decode.TotalSeconds, 3), Math.Round(source.Seconds, 3)),
        };
    }
}
