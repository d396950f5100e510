// Efron, Tibshirani, "An Introduction to the Bootstrap", 1993.
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Evaluation;

/// <summary>FID with intervals.</summary>
/// <param name="Planes">By plane.</param>
/// <param name="Mean">Of the three planes.</param>
/// <param name="Resamples">How many there were.</param>
/// <param name="Variance">Share of the variance that they were computed on.</param>
internal sealed record BootstrapResult(IReadOnlyDictionary<SlicePlane, Interval> Planes, Interval Mean, int Resamples, double Variance);

/// <summary>
/// Draws whole volumes with replacement from both sets, since the slices of one volume are not independent. The features are projected to
/// their leading principal components, so that a volume is a small matrix and a resample takes milliseconds; drawing with replacement makes
/// a set less varied, which raises FID, so the spread of the resamples is centred on the value of the whole sets.
/// </summary>
internal sealed class VolumeBootstrap(FeatureSet real, FeatureSet synthetic)
{
    private const int Components = 64;
    private const double Tail = 0.025;

    public BootstrapResult Run(IReadOnlyDictionary<SlicePlane, double> fids, int resamples, int seed, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        if (resamples < 2 || real.Files.Count < 2 || synthetic.Files.Count < 2)
        {
            static Interval Alone(double value) => new(value, double.NaN, double.NaN);
            return new(fids.ToDictionary(f => f.Key, f => Alone(f.Value)), Alone(fids.Values.Average()), 0, 1);
        }
        var random = new Random(seed);
        var draws = Enumerable.Range(0, resamples).Select(_ => (Real: Draw(random, real.Files.Count), Synthetic: Draw(random, synthetic.Files.Count))).ToArray();
        var clock = new StageClock("resamples", fids.Count * resamples, progress);
        var (values, variance, done) = (new Dictionary<SlicePlane, double[]>(), 1.0, 0);
        foreach (var plane in fids.Keys)
        {
            var (axes, share) = PrincipalAxes(plane);
            variance = Math.Min(variance, share);
            using (axes)
            {
                var (ours, theirs) = (Moments(real, plane, axes, real.Statistics(plane).Mean), Moments(synthetic, plane, axes, real.Statistics(plane).Mean));
                values[plane] = [.. draws.Select(d =>
                {
                    cancellation.ThrowIfCancellationRequested();
                    var fid = Distance(theirs, d.Synthetic, ours, d.Real, (int)axes.shape[1]);
                    clock.Report(++done);
                    return fid;
                })];
            }
        }
        var means = Enumerable.Range(0, resamples).Select(i => values.Values.Average(v => v[i])).ToArray();
        return new(fids.ToDictionary(f => f.Key, f => Centred(f.Value, values[f.Key])), Centred(fids.Values.Average(), means), resamples, variance);
    }

    private static int[] Draw(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(count))];

    private static Interval Centred(double value, double[] resamples)
    {
        var (sorted, shift) = (resamples.Order().ToArray(), value - resamples.Average());
        double At(double share) => Math.Max(0, sorted[(int)Math.Round(share * (sorted.Length - 1))] + shift);
        return new(value, At(Tail), At(1 - Tail));
    }

    // Axes [D, k] of the covariance of both sets together, and the share of its trace along them.
    private (Tensor Axes, double Share) PrincipalAxes(SlicePlane plane)
    {
        using var scope = NewDisposeScope();
        FeatureStatistics r = real.Statistics(plane), s = synthetic.Statistics(plane);
        var shift = (r.Mean - s.Mean).unsqueeze(1);
        var pooled = (r.Covariance() + s.Covariance()) / 2 + shift.matmul(shift.transpose(0, 1)) / 4;
        var kept = Math.Min(Components, r.Features);
        var (values, vectors) = linalg.eigh(pooled);
        var share = kept == r.Features ? 1 : (values.narrow(0, r.Features - kept, kept).sum() / values.sum()).item<double>();
        return (vectors.narrow(1, r.Features - kept, kept).contiguous().DetachFromDisposeScope(), double.IsNaN(share) ? 1 : share);
    }

    /// <summary>Per volume: slices, sums [k] and sums of products [k, k].</summary>
    private static List<(long Count, double[] Sum, double[] Products)> Moments(FeatureSet set, SlicePlane plane, Tensor axes, Tensor centre) => [.. set.Files.Select(file =>
    {
        using var scope = NewDisposeScope();
        var rows = (FeatureCache.Rows(file, plane).to(ScalarType.Float64) - centre).matmul(axes);
        return (rows.shape[0], rows.sum(0).data<double>().ToArray(), rows.transpose(0, 1).matmul(rows).contiguous().data<double>().ToArray());
    })];

    private static double Distance(
        List<(long Count, double[] Sum, double[] Products)> first, int[] chosenFirst, List<(long Count, double[] Sum, double[] Products)> second, int[] chosenSecond, int k)
    {
        using var scope = NewDisposeScope();
        var (mean1, covariance1) = Pool(first, chosenFirst, k);
        var (mean2, covariance2) = Pool(second, chosenSecond, k);
        return FrechetDistance.Compute(mean1, covariance1, mean2, covariance2);
    }

    private static (Tensor Mean, Tensor Covariance) Pool(List<(long Count, double[] Sum, double[] Products)> volumes, int[] chosen, int k)
    {
        var (count, sum, products) = (0L, new double[k], new double[k * k]);
        foreach (var (n, s, p) in chosen.Select(c => volumes[c]))
        {
            count += n;
            for (var i = 0; i < sum.Length; i++)
                sum[i] += s[i];
            for (var i = 0; i < products.Length; i++)
                products[i] += p[i];
        }
        var mean = tensor(sum) / (double)count;
        return (mean, (tensor(products, [k, k]) - mean.unsqueeze(1).matmul(mean.unsqueeze(0)) * (double)count) / (double)(count - 1));
    }
}
