using System.Globalization;
using Maisi.Bridge.Reports;

namespace Maisi.Bridge.Evaluation;

/// <summary>Comparisons of images as tables and drawings.</summary>
public static class ImageReport
{
    private const int MostHistograms = 8, HistogramParts = 100;

    /// <summary>Builds the report.</summary>
    /// <param name="pairs">Images against their counterparts; empty for none.</param>
    /// <param name="images">Values of the images.</param>
    /// <param name="real">Values of a set of real images; null for none.</param>
    /// <param name="options">What the numbers were made with.</param>
    /// <param name="naming">Name of a label.</param>
    /// <param name="facts">What was compared.</param>
    public static EvaluationReport Build(
        IReadOnlyList<ImageScores> pairs, ImageSet images, ImageSet? real, ImageOptions options, Func<int, string> naming, IEnumerable<KeyValuePair<string, string>> facts)
    {
        string Name(int structure) => structure == ImageSet.Whole ? "whole image" : naming(structure);
        var tables = new List<ReportTable> { Values(images, real, Name), Histograms(images, real, Name) };
        if (pairs.Count > 0)
            tables.InsertRange(0, [Pairs(pairs), .. pairs.Any(p => p.ErrorPerLabel.Count > 0) ? [PerLabel(pairs, naming)] : (ReportTable[])[]]);
        return new EvaluationReport
        {
            Kind = "image",
            Title = "Images",
            Facts =
            [
                .. facts,
                new("values", string.Create(CultureInfo.InvariantCulture, $"{options.Low:0.###} to {options.High:0.###}; what lies outside is clipped, PSNR and SSIM take the difference as their range")),
                new("SSIM", string.Create(CultureInfo.InvariantCulture, $"3D, window {options.Similarity.Window}, {(options.Similarity.Sigma is { } s ? $"Gaussian of {s:0.##} voxels" : "even")}")),
            ],
            Tables = tables,
            Figures = [.. images.Structures.Take(MostHistograms).Select(structure => new ReportFigure($"Values of the {Name(structure)}: share of the voxels per {(options.Range / HistogramParts).ToString("0.##", CultureInfo.InvariantCulture)}.",
                SvgChart.Lines("value", "share", [new("images", Curve(images.Histogram(structure))), .. real is null ? [] : (ChartSeries[])[new("real", Curve(real.Histogram(structure)))]])))],
            Notes = real is null ? ["No set of real images was given: values stand alone."] : [],
        };
    }

    private static ReportTable Pairs(IReadOnlyList<ImageScores> pairs)
    {
        static object?[] Row(string name, IReadOnlyList<ImageScores> p)
        {
            double Mean(Func<ImageScores, double> pick) => MetricAverages.MeanOf(p.Select(pick));
            return [name, Mean(s => s.Errors.Psnr), Mean(s => s.Ssim), Mean(s => s.MultiScaleSsim), Mean(s => s.Errors.MeanAbsoluteError), Mean(s => s.Errors.RootMeanSquaredError)];
        }
        return new("pairs", "Images against their counterparts",
            [new("case", "case"), new("psnr", "PSNR dB", "0.00"), new("ssim", "SSIM", "0.0000"), new("ms_ssim", "MS-SSIM", "0.0000"), new("mae", "MAE", "0.00"), new("rmse", "RMSE", "0.00")],
            [.. pairs.Select(p => Row(p.Name, [p])), Row("mean", pairs)])
        {
            Explanation = "MS-SSIM is left out where an edge is too short for its scales.",
        };
    }

    private static ReportTable PerLabel(IReadOnlyList<ImageScores> pairs, Func<int, string> naming)
    {
        var labels = pairs.SelectMany(p => p.ErrorPerLabel.Keys).Distinct().Order();
        return new("labels", "Mean absolute error per structure", [new("name", "structure"), new("label", "label"), new("cases", "cases"), new("mae", "MAE", "0.00")],
        [
            .. labels.Select(l =>
            {
                var errors = pairs.Where(p => p.ErrorPerLabel.ContainsKey(l)).Select(p => p.ErrorPerLabel[l]).ToArray();
                return (object?[])[l == 0 ? "background" : naming(l), (long)l, (long)errors.Length, errors.Average()];
            }),
        ]);
    }

    private static ReportTable Values(ImageSet images, ImageSet? real, Func<int, string> name)
    {
        static double Deviation(IReadOnlyList<double> values) => values.Count < 2 ? double.NaN : Math.Sqrt(values.Sum(v => Math.Pow(v - values.Average(), 2)) / (values.Count - 1));
        object?[] Row(int structure)
        {
            var (own, other) = (images.Medians(structure), real?.Medians(structure) ?? []);
            var (a, b) = (images.Histogram(structure), real?.Histogram(structure));
            var pooled = Math.Sqrt((Math.Pow(Deviation(own), 2) + Math.Pow(Deviation(other), 2)) / 2);
            return
            [
                name(structure), (long)structure, (long)own.Count, MetricAverages.MeanOf(own), Deviation(own), a.Quantile(0.05), a.Quantile(0.95),
                (long)other.Count, MetricAverages.MeanOf(other), Deviation(other), pooled > 0 ? (own.Average() - other.Average()) / pooled : double.NaN, b is null ? double.NaN : a.DistanceTo(b),
                other.Count == 0 ? null : (long)own.Count(v => v < other.Min() || v > other.Max()),
            ];
        }
        return new("values", "Values per structure",
            [
                new("name", "structure"), new("label", "label"), new("cases", "cases"), new("median", "median", "0.0"), new("median_deviation", "± between cases", "0.0"), new("percentile_5", "5 %", "0.0"),
                new("percentile_95", "95 %", "0.0"), new("real_cases", "real cases"), new("real_median", "real median", "0.0"), new("real_median_deviation", "±", "0.0"),
                new("effect", "difference/±", "0.00"), new("wasserstein", "Wasserstein", "0.0"), new("outside", "outside of real"),
            ],
            [.. images.Structures.Select(Row)])
        {
            Explanation = "median: mean over the cases of the median within the structure. difference/±: of the medians, in pooled standard deviations between cases. Wasserstein: how far values must be moved on average to turn "
                + "one distribution into the other. outside of real: cases whose median lies outside of all real medians.",
        };
    }

    private static ReportTable Histograms(ImageSet images, ImageSet? real, Func<int, string> name) => new("histograms", "Histograms",
        [new("name", "structure"), new("label", "label"), new("value", "value"), new("share", "share"), new("real_share", "real share")],
        [
            .. images.Structures.SelectMany(structure => Curve(images.Histogram(structure)).Zip(Curve(real?.Histogram(structure) ?? images.Histogram(structure)), (own, other) =>
                (object?[])[name(structure), (long)structure, own.X, own.Y, real is null ? null : other.Y])),
        ])
    { OnTerminal = false, OnPage = false };

    private static IReadOnlyList<(double X, double Y)> Curve(ValueHistogram histogram) => [.. histogram.Parts(HistogramParts).Select(p => (p.Value, p.Share))];
}
