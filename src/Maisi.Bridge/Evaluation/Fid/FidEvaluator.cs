// scripts/compute_fid_2-5d_ct.py of NVIDIA's NV-Generate-CTMR.
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Evaluation;

/// <summary>FID 2.5D of synthetic against real volumes, with KID and manifold scores. Memory does not grow with the number of volumes.</summary>
/// <param name="network">The feature network.</param>
/// <param name="options">How; null for the defaults.</param>
public sealed class FidEvaluator(FeatureNetwork network, FidOptions? options = null)
{
    private readonly FidOptions _options = options ?? new FidOptions();

    /// <summary>Compares two sets of images.</summary>
    /// <param name="real">Files of real images.</param>
    /// <param name="synthetic">Files of synthetic images.</param>
    /// <param name="progress">Hears after every volume.</param>
    /// <param name="cancellation">Checked before every volume.</param>
    /// <exception cref="MaisiException">A file cannot be used, or there are fewer than two slices in a set.</exception>
    public FidResult Run(IReadOnlyList<string> real, IReadOnlyList<string> synthetic, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        using var cache = new FeatureCache(_options.Cache);
        using var realSet = new FeatureSet(_options.Seed, _options.SampledSlices);
        using var syntheticSet = new FeatureSet(_options.Seed + 1, _options.SampledSlices);
        var clock = new StageClock("features", real.Count + synthetic.Count, progress);
        var computed = 0;
        foreach (var (files, set) in new[] { (real, realSet), (synthetic, syntheticSet) })
            foreach (var file in files)
            {
                cancellation.ThrowIfCancellationRequested();
                var (features, isNew) = cache.Get(file, network, _options.Preprocessing);
                set.Add(features);
                computed += isNew ? 1 : 0;
                clock.Report(realSet.Files.Count + syntheticSet.Files.Count, Path.GetFileName(file));
            }
        var fids = Enum.GetValues<SlicePlane>().ToDictionary(p => p, p => FrechetDistance.Compute(syntheticSet.Statistics(p), realSet.Statistics(p)));
        var bootstrap = new VolumeBootstrap(realSet, syntheticSet).Run(fids, _options.Resamples, _options.Seed, progress, cancellation);
        return new FidResult
        {
            Network = network.Name,
            NetworkFingerprint = network.Fingerprint,
            Features = realSet.Statistics(SlicePlane.Xy).Features,
            Preprocessing = _options.Preprocessing.Describe(),
            RealVolumes = real.Count,
            SyntheticVolumes = synthetic.Count,
            Computed = computed,
            Resamples = bootstrap.Resamples,
            IntervalVariance = bootstrap.Variance,
            Planes = [.. fids.Keys.Select(p => Plane(p, bootstrap.Planes[p], realSet, syntheticSet))],
            Mean = bootstrap.Mean,
            Notes = Notes(realSet, syntheticSet, bootstrap),
        };
    }

    private PlaneDistances Plane(SlicePlane plane, Interval fid, FeatureSet real, FeatureSet synthetic)
    {
        using var scope = NewDisposeScope();
        var (ours, ourVolumes) = real.Sample(plane);
        var (theirs, theirVolumes) = synthetic.Sample(plane);
        // The kernel is made for features of about unit size, which not every network has.
        var unit = ours.pow(2).mean().sqrt().clamp_min(1e-20);
        var (kid, deviation) = KernelDistance.Kid(theirs / unit, ours / unit, _options.Seed);
        return new PlaneDistances
        {
            Plane = plane,
            RealSlices = real.Statistics(plane).Count,
            SyntheticSlices = synthetic.Statistics(plane).Count,
            Fid = fid,
            Kid = kid,
            KidDeviation = deviation,
            Manifold = ManifoldScores.Compute(ours, theirs, _options.Neighbours, ourVolumes, theirVolumes),
        };
    }

    private static List<string> Notes(FeatureSet real, FeatureSet synthetic, BootstrapResult bootstrap)
    {
        var notes = new List<string>();
        var (fewest, features) = (Enum.GetValues<SlicePlane>().Min(p => Math.Min(real.Statistics(p).Count, synthetic.Statistics(p).Count)), real.Statistics(SlicePlane.Xy).Features);
        if (fewest <= features)
            notes.Add($"A set has {fewest} slices of a plane for {features} features: FID is biased upwards; compare only sets of the same size, and see KID, which has no such bias.");
        if (bootstrap.Resamples == 0)
            notes.Add("No interval: it takes two volumes or more on each side.");
        else if (bootstrap.Variance < 1)
            notes.Add(FormattableString.Invariant($"The interval's width is that of the leading principal components, which have {bootstrap.Variance:0.0 %} of the features' variance."));
        if (Math.Min(real.Files.Count, synthetic.Files.Count) < 20)
            notes.Add($"{real.Files.Count} real and {synthetic.Files.Count} synthetic volumes are few: slices of one volume resemble each other, so their number does not make up for it.");
        return notes;
    }
}
