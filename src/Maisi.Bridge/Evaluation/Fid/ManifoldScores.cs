// Kynkäänniemi et al., arXiv:1904.06991 (precision, recall); Naeem et al., arXiv:2002.09797 (density, coverage).
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Evaluation;

/// <summary>
/// How two sets of features overlap. Every row has a ball that reaches to its k-th nearest neighbour of its own set.
/// </summary>
/// <param name="Precision">Share of the synthetic rows inside a ball of a real one: are they plausible?</param>
/// <param name="Recall">Share of the real rows inside a ball of a synthetic one: is all of the real variety there?</param>
/// <param name="Density">Mean number of real balls that a synthetic row lies in, over k: precision that outliers do not inflate; may exceed 1.</param>
/// <param name="Coverage">Share of the real balls with a synthetic row in them.</param>
public sealed record ManifoldScores(double Precision, double Recall, double Density, double Coverage)
{
    /// <summary>Computes the scores.</summary>
    /// <param name="real">Rows [n, D].</param>
    /// <param name="synthetic">Rows [m, D].</param>
    /// <param name="neighbours">k.</param>
    /// <param name="realGroups">
    /// The volume of each real row: neighbours are those of other volumes, since the next slice of the same volume is always near. Null for
    /// the plain definition.
    /// </param>
    /// <param name="syntheticGroups">The same for the synthetic rows.</param>
    /// <returns>NaN in all members when no row has k such neighbours.</returns>
    public static ManifoldScores Compute(Tensor real, Tensor synthetic, int neighbours = 5, IReadOnlyList<int>? realGroups = null, IReadOnlyList<int>? syntheticGroups = null)
    {
        using var scope = NewDisposeScope();
        Tensor r = real.to(ScalarType.Float64), s = synthetic.to(ScalarType.Float64);
        if (Radii(r, neighbours, realGroups) is not { } realRadii || Radii(s, neighbours, syntheticGroups) is not { } syntheticRadii)
            return new(double.NaN, double.NaN, double.NaN, double.NaN);
        var distances = Squared(r, s); // [real, synthetic]
        var inReal = distances.le(realRadii.unsqueeze(1));
        var inSynthetic = distances.le(syntheticRadii.unsqueeze(0));
        double Share(Tensor hit) => hit.to(ScalarType.Float64).mean().item<double>();
        return new(
            Share(inReal.any(0)), Share(inSynthetic.any(1)), inReal.to(ScalarType.Float64).sum().item<double>() / (neighbours * (double)s.shape[0]), Share(inReal.any(1)));
    }

    private static Tensor? Radii(Tensor rows, int neighbours, IReadOnlyList<int>? groups)
    {
        var distances = Squared(rows, rows);
        var ids = tensor((groups ?? [.. Enumerable.Range(0, (int)rows.shape[0])]).ToArray());
        distances = distances.masked_fill(ids.unsqueeze(0).eq(ids.unsqueeze(1)), double.PositiveInfinity);
        if (rows.shape[0] <= neighbours)
            return null;
        var radii = distances.topk(neighbours, 1, false, true).values.select(1, neighbours - 1);
        return radii.isinf().any().item<bool>() ? null : radii;
    }

    // Rounding may leave distances of equal rows at a tiny value of either sign; balls are closed, so that is cut to zero.
    private static Tensor Squared(Tensor a, Tensor b)
    {
        Tensor lengthA = a.pow(2).sum([1L]), lengthB = b.pow(2).sum([1L]);
        var scale = lengthA.max().item<double>() + lengthB.max().item<double>();
        var d = lengthA.unsqueeze(1) + lengthB.unsqueeze(0) - a.matmul(b.transpose(0, 1)) * 2.0;
        return d.masked_fill(d.lt(scale * 1e-13), 0);
    }
}
