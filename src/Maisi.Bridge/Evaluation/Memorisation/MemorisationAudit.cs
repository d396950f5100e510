// The distance relative to the next nearest training images follows Carlini et al., "Extracting Training Data from Diffusion Models",
// arXiv:2301.13188; calibration on held-out cases follows Meehan, Chaudhuri, Dasgupta, arXiv:2004.05675, and Dar et al., arXiv:2402.01054.
using Maisi.Bridge.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Evaluation;

/// <summary>How the audit compares.</summary>
public sealed record MemorisationOptions
{
    /// <summary>Preparation of the images.</summary>
    public FidPreprocessing Preprocessing { get; init; } = new();

    /// <summary>Membership score from which a case is a copy.</summary>
    public double Threshold { get; init; } = 4;

    /// <summary>How many next nearest training cases a distance is compared with.</summary>
    public int Neighbours { get; init; } = 5;

    /// <summary>Also compare mirror images (left and right exchanged).</summary>
    public bool Mirror { get; init; } = true;
}

/// <summary>Looks for training cases among synthetic ones.</summary>
/// <param name="options">How; null for the defaults.</param>
/// <param name="autoencoder">The generator's autoencoder for the latent space, disposed with this object; null for the image space alone.</param>
/// <param name="device">Where it is; null for the CPU.</param>
public sealed class MemorisationAudit(MemorisationOptions? options = null, AutoencoderKlMaisi? autoencoder = null, Device? device = null) : IDisposable
{
    private const int FewestTraining = 3, FewestCalibration = 3;

    // A copy is nearer than this share of the nearest calibration case; below the second share it is one even when two training cases are alike.
    private const double CopyShare = 0.8, CertainShare = 0.25;
    private readonly MemorisationOptions _options = options ?? new MemorisationOptions();

    /// <summary>An audit in image space and, where a bundle is given, in the latent space of its autoencoder.</summary>
    /// <exception cref="MaisiException">The folder is no bundle, or has no weights.</exception>
    public static MemorisationAudit Create(MemorisationOptions options, string? bundle, Device? device = null) =>
        new(options, bundle is null ? null : BundleAutoencoder.Load(bundle, device ?? CPU).Network, device);

    /// <summary>Audits a set.</summary>
    /// <param name="synthetic">Files of synthetic images.</param>
    /// <param name="training">Files that the generator was trained on.</param>
    /// <param name="validation">Real files that it never saw; empty to calibrate on the training cases, each against the others.</param>
    /// <param name="progress">Hears after every volume.</param>
    /// <param name="cancellation">Checked before every volume.</param>
    /// <exception cref="MaisiException">Too few cases, or files that cannot be used.</exception>
    public MemorisationResult Run(
        IReadOnlyList<string> synthetic, IReadOnlyList<string> training, IReadOnlyList<string> validation, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        Check(training, validation);
        var maker = new DescriptorMaker(_options.Preprocessing, autoencoder, device ?? CPU);
        var clock = new StageClock("describe", synthetic.Count + training.Count + validation.Count, progress);
        var done = 0;
        IReadOnlyList<CaseDescriptor>[] Describe(IReadOnlyList<string> files, bool mirror) => [.. files.Select(file =>
        {
            cancellation.ThrowIfCancellationRequested();
            var made = maker.Describe(file, mirror);
            clock.Report(++done, Path.GetFileName(file));
            return made;
        })];
        var known = Describe(training, mirror: false).Select(d => d[0]).ToArray();
        var unseen = validation.Count > 0 ? Describe(validation, _options.Mirror) : null;
        var made = Describe(synthetic, _options.Mirror);
        DescriptorSpace[] spaces = autoencoder is null ? [DescriptorSpace.Image] : [DescriptorSpace.Image, DescriptorSpace.Latent];
        var calibration = spaces.ToDictionary(s => s, s => unseen is not null
            ? unseen.Select(u => Nearest(maker, u, known, s)).ToArray()
            : [.. known.Select((k, i) => Nearest(maker, [k], [.. known.Where((_, j) => j != i)], s))]);
        var found = made.Select(m => spaces.ToDictionary(s => s, s => Scored(Nearest(maker, m, known, s), calibration[s]))).ToArray();
        return new MemorisationResult
        {
            Cases = [.. made.Select((m, i) => new AuditedCase(m[0].File, found[i], found[i].Max(f => Verdict(f.Value, calibration[f.Key])))).OrderByDescending(c => c.Verdict).ThenByDescending(c => c.Score)],
            Calibration = spaces.ToDictionary(s => s, s => Summary(calibration[s], [.. found.Select(f => f[s].Distance)])),
            CalibrationDistances = spaces.ToDictionary(s => s, s => (IReadOnlyList<double>)[.. calibration[s].Select(c => c.Distance)]),
            TrainingCases = training.Count,
            CalibrationCases = calibration[spaces[0]].Length,
            CalibratedOnTraining = unseen is null,
            Threshold = _options.Threshold,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => autoencoder?.Dispose();

    private static void Check(IReadOnlyList<string> training, IReadOnlyList<string> validation)
    {
        if (training.Count < FewestTraining)
            throw new MaisiException($"{training.Count} training cases are too few for an audit", "--training", $"give all cases that the generator was trained on, at least {FewestTraining}");
        if (validation.Count is > 0 and < FewestCalibration)
            throw new MaisiException($"{validation.Count} validation cases are too few to calibrate on", "--validation", $"give at least {FewestCalibration}, or none to calibrate on the training cases");
        if (training.Intersect(validation, StringComparer.Ordinal).FirstOrDefault() is { } both)
            throw new MaisiException("a validation case is a training case too", both, "calibration needs cases that the generator never saw");
    }

    /// <summary>The nearest of the known cases to any of the views of a case.</summary>
    private NearestCase Nearest(DescriptorMaker maker, IReadOnlyList<CaseDescriptor> views, IReadOnlyList<CaseDescriptor> known, DescriptorSpace space)
    {
        var distances = known.AsParallel().AsOrdered().Select(k => views.Select((v, i) => (Distance: maker.Distance(v, k, space), Mirrored: i > 0)).Min()).ToArray();
        var order = Enumerable.Range(0, known.Count).OrderBy(i => distances[i].Distance).ToArray();
        var others = order.Skip(1).Take(_options.Neighbours).Average(i => distances[i].Distance);
        var (nearest, mirrored) = distances[order[0]];
        return new(known[order[0]].File, mirrored, nearest, others > 0 ? nearest / others : 1, double.NaN, double.NaN, double.NaN);
    }

    private static NearestCase Scored(NearestCase nearest, NearestCase[] calibration) => nearest with
    {
        Score = Score(nearest.Ratio, [.. calibration.Select(c => c.Ratio)]),
        DistanceScore = Score(nearest.Distance, [.. calibration.Select(c => c.Distance)]),
        PValue = (1.0 + calibration.Count(c => c.Ratio <= nearest.Ratio)) / (1 + calibration.Length),
    };

    // Of logarithms; the larger of the standard deviation and its robust estimate, which few cases can make too small.
    private static double Score(double value, double[] calibration)
    {
        const double Tiny = 1e-6, SmallestSpread = 0.02;
        double Log(double v) => Math.Log(Math.Max(v, Tiny));
        var logs = calibration.Select(Log).ToArray();
        var middle = Quantiles.Median(logs);
        var robust = 1.4826 * Quantiles.Median(logs.Select(l => Math.Abs(l - middle)));
        var deviation = Math.Sqrt(logs.Sum(l => Math.Pow(l - logs.Average(), 2)) / (logs.Length - 1));
        return (middle - Log(value)) / Math.Max(Math.Max(robust, deviation), SmallestSpread);
    }

    private CopyVerdict Verdict(NearestCase nearest, NearestCase[] calibration)
    {
        var smallest = calibration.Min(c => c.Distance);
        if (nearest.Distance < CertainShare * smallest || (nearest.Score >= _options.Threshold && nearest.Distance < CopyShare * smallest))
            return CopyVerdict.Copy;
        return nearest.DistanceScore >= _options.Threshold || nearest.Score >= _options.Threshold ? CopyVerdict.Suspicious : CopyVerdict.NotACopy;
    }

    private static SpaceCalibration Summary(NearestCase[] calibration, double[] synthetic)
    {
        var distances = calibration.Select(c => c.Distance).ToArray();
        var closer = synthetic.Average(s => distances.Average(d => s < d ? 1 : s == d ? 0.5 : 0));
        return new(Quantiles.Median(distances), distances.Min(), Quantiles.Median(calibration.Select(c => c.Ratio)), calibration.Min(c => c.Ratio), closer);
    }
}
