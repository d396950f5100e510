// FIDMetric in monai/metrics/fid.py (MONAI 1.5); Heusel et al., arXiv:1706.08500.
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Evaluation;

/// <summary>Fréchet distance of two normal distributions, in float64.</summary>
public static class FrechetDistance
{
    /// <summary>
    /// |μ1 - μ2|² + tr S1 + tr S2 - 2 tr √(S1·S2). With S1 = A·Aᵀ and S2 = B·Bᵀ the last trace is the sum of the singular values of Aᵀ·B,
    /// which needs no square root of a product that may be singular: exact (to 1e-12 of the traces) also with fewer rows than features, where
    /// a general matrix square root loses half of the digits.
    /// </summary>
    /// <exception cref="MaisiException">Fewer than two rows on a side, or different numbers of features.</exception>
    public static double Compute(FeatureStatistics first, FeatureStatistics second)
    {
        if (first.Features != second.Features)
            throw new MaisiException($"{first.Features} and {second.Features} features cannot be compared", hint: "use one network for both sets");
        using var scope = NewDisposeScope();
        return Compute(first.Mean, first.Covariance(), second.Mean, second.Covariance());
    }

    /// <summary>As above from means [D] and covariances [D, D], float64.</summary>
    public static double Compute(Tensor mean1, Tensor covariance1, Tensor mean2, Tensor covariance2)
    {
        using var scope = NewDisposeScope();
        var shift = (mean1 - mean2).pow(2).sum().item<double>();
        var trace = (covariance1.diagonal().sum() + covariance2.diagonal().sum()).item<double>();
        return shift + trace - 2 * TraceOfRoot(covariance1, covariance2);
    }

    /// <summary>tr √(S1·S2).</summary>
    internal static double TraceOfRoot(Tensor covariance1, Tensor covariance2)
    {
        using var scope = NewDisposeScope();
        Tensor a = Root(covariance1), b = Root(covariance2);
        return a.shape[1] == 0 || b.shape[1] == 0 ? 0 : linalg.svdvals(a.transpose(0, 1).matmul(b)).sum().item<double>();
    }

    private const double Rounding = 2.22e-16;

    // S = A·Aᵀ with as many columns as S has eigenvalues above rounding.
    private static Tensor Root(Tensor covariance)
    {
        var (values, vectors) = linalg.eigh(covariance);
        var size = covariance.shape[0];
        var largest = values[size - 1].item<double>();
        var kept = largest <= 0 ? 0 : values.gt(largest * size * Rounding).sum().item<long>();
        return vectors.narrow(1, size - kept, kept) * values.narrow(0, size - kept, kept).sqrt();
    }
}
