using System.Globalization;
using Maisi.Bridge.Reports;

namespace Maisi.Bridge.Evaluation;

/// <summary>FID and its relatives as tables and drawings.</summary>
public static class FidReport
{
    /// <summary>Builds the report.</summary>
    /// <param name="result">The numbers.</param>
    /// <param name="synthetic">Where the synthetic images are.</param>
    /// <param name="real">Where the real ones are.</param>
    public static EvaluationReport Build(FidResult result, string synthetic, string real) => new()
    {
        Kind = "fid",
        Title = $"FID 2.5D by {result.Network}",
        Facts =
        [
            new("synthetic", $"{synthetic}: {result.SyntheticVolumes} volumes"),
            new("real", $"{real}: {result.RealVolumes} volumes"),
            new("feature network", $"{result.Network}, {result.Features} features, weights {result.NetworkFingerprint[..Math.Min(16, result.NetworkFingerprint.Length)]}"),
            new("images", result.Preprocessing),
            new("interval", result.Resamples == 0 ? "none" : string.Create(CultureInfo.InvariantCulture, $"95 %, {result.Resamples} resamples of whole volumes, on {result.IntervalVariance:0.0 %} of the features' variance")),
            new("features computed", $"{result.Computed} of {result.RealVolumes + result.SyntheticVolumes} volumes, the others were cached"),
        ],
        Tables = [Planes(result)],
        Figures =
        [
            new($"FID by plane with 95 % intervals ({result.Network}); smaller is better.", SvgChart.Bars("FID",
                [.. result.Planes.Select(p => new ChartBar(Name(p.Plane), p.Fid.Value, p.Fid.Low, p.Fid.High)), new("mean", result.Mean.Value, result.Mean.Low, result.Mean.High)])),
            new("Precision (plausible?) and recall (all of the variety?), density and coverage; larger is better.", SvgChart.Bars("share, mean of the planes",
                [new("precision", Mean(result, m => m.Precision)), new("recall", Mean(result, m => m.Recall)), new("density", Mean(result, m => m.Density)), new("coverage", Mean(result, m => m.Coverage))], upTo: 1)),
        ],
        Notes =
        [
            $"These numbers belong to the feature network {result.Network}. They must not be compared with those of another network, preparation of images or number of volumes.",
            .. result.Notes,
        ],
    };

    private static ReportTable Planes(FidResult result)
    {
        object?[] Row(PlaneDistances p) =>
        [
            Name(p.Plane), p.RealSlices, p.SyntheticSlices, p.Fid.Value, p.Fid.Low, p.Fid.High, p.Kid, p.KidDeviation, p.Manifold.Precision, p.Manifold.Recall, p.Manifold.Density, p.Manifold.Coverage,
        ];
        return new("planes", $"Distances by plane, feature network: {result.Network}",
            [
                new("plane", "plane"), new("real_slices", "real slices"), new("synthetic_slices", "synthetic slices"), new("fid", "FID", "0.0000"), new("fid_low", "2.5 %", "0.0000"), new("fid_high", "97.5 %", "0.0000"),
                new("kid", "KID", "0.00000"), new("kid_deviation", "± KID", "0.00000"), new("precision", "precision"), new("recall", "recall"), new("density", "density"), new("coverage", "coverage"),
            ],
            [
                .. result.Planes.Select(Row),
                ["mean", null, null, result.Mean.Value, result.Mean.Low, result.Mean.High, result.Planes.Average(p => p.Kid), null, Mean(result, m => m.Precision), Mean(result, m => m.Recall), Mean(result, m => m.Density), Mean(result, m => m.Coverage)],
            ])
        {
            Explanation = "FID: 0 for equal sets, no upper end. KID: unbiased, near 0 (or slightly negative) for equal sets. Precision: share of synthetic slices that look like a real one; recall: share of real slices that the synthetic ones reach.",
        };
    }

    private static string Name(SlicePlane plane) => plane.ToString().ToUpperInvariant();

    private static double Mean(FidResult result, Func<ManifoldScores, double> pick) => MetricAverages.MeanOf(result.Planes.Select(p => pick(p.Manifold)));
}
