using System.Globalization;
using Maisi.Bridge.Reports;

namespace Maisi.Bridge.Evaluation;

/// <summary>Scores of segmentations as tables and drawings.</summary>
public static class SegmentationReport
{
    /// <summary>Builds the report.</summary>
    /// <param name="kind">segmentation or consistency.</param>
    /// <param name="title">Heading.</param>
    /// <param name="cases">The scores, at least one case.</param>
    /// <param name="options">What they were made with.</param>
    /// <param name="naming">Name of a label.</param>
    /// <param name="facts">What was compared.</param>
    /// <param name="notes">What a reader must know.</param>
    public static EvaluationReport Build(
        string kind, string title, IReadOnlyList<CaseScores> cases, SegmentationOptions options, Func<int, string> naming, IEnumerable<KeyValuePair<string, string>> facts,
        IEnumerable<string>? notes = null)
    {
        var classes = Enumerable.Range(0, cases[0].Classes.Count).Select(i => cases.Select(c => c.Classes[i]).ToArray()).ToArray();
        var percentile = options.HausdorffPercentile == 0 ? "largest" : string.Create(CultureInfo.InvariantCulture, $"{options.HausdorffPercentile:0.#} %");
        var rules = new KeyValuePair<string, string>[]
        {
            new("cases", $"{cases.Count}"),
            new("Hausdorff distance", $"{percentile}, both directions, mm"),
            new("surface tolerance", string.Create(CultureInfo.InvariantCulture, $"{options.SurfaceTolerance:0.###} mm{(options.SurfaceTolerances.Count > 0 ? ", others for single classes" : "")}")),
            new("empty truth", options.IgnoreEmpty ? "Dice and IoU not defined, left out of means (MONAI's ignore_empty)" : "Dice and IoU 1 if the prediction is empty too, else 0"),
        };
        return new EvaluationReport
        {
            Kind = kind,
            Title = title,
            Facts = [.. facts, .. rules],
            Tables = [Classes(classes, cases, naming, options), PerCase(cases, naming, options)],
            Figures =
            [
                new("Dice of every case; the line is the mean.", SvgChart.Points("Dice", [.. classes.Select(c => (naming(c[0].Label), (IReadOnlyList<double>)[.. c.Select(s => s.Dice)]))])),
                new("Hausdorff distance of every case; cases where one side lacks the class have none.",
                    SvgChart.Points($"Hausdorff distance ({percentile}) in mm", [.. classes.Select(c => (naming(c[0].Label), (IReadOnlyList<double>)[.. c.Select(s => s.HausdorffDistance)]))])),
            ],
            Notes = [.. notes ?? [], .. Warnings(classes, naming)],
        };
    }

    private static ReportTable Classes(ClassScores[][] classes, IReadOnlyList<CaseScores> cases, Func<int, string> naming, SegmentationOptions options)
    {
        static double Mean(IEnumerable<double> values) => MetricAverages.MeanOf(values);
        object?[] Row(string name, IReadOnlyList<ClassScores> scores, object? label) =>
        [
            name, label, (long)scores.Count(s => s.TruthVoxels > 0), Mean(scores.Select(s => s.Dice)), Quantiles.Median(scores.Select(s => s.Dice)), Mean(scores.Select(s => s.Iou)),
            Mean(scores.Select(s => s.HausdorffDistance)), Mean(scores.Select(s => s.AverageSurfaceDistance).Where(double.IsFinite)), Mean(scores.Select(s => s.SurfaceDice)),
            Mean(scores.Select(s => s.RelativeVolumeError)), (long)scores.Count(s => s.IsMissed), (long)scores.Count(s => s.IsInvented),
            .. options.LesionLabels.Count == 0 ? (object?[])[] : Lesions(scores),
        ];
        var all = cases.SelectMany(c => c.Classes).ToArray();
        return new("classes", "Per class",
            [
                new("name", "class"), new("label", "label"), new("cases", "cases with it"), new("dice", "Dice"), new("dice_median", "median"), new("iou", "IoU"), new("hausdorff", "HD mm", "0.00"),
                new("average_surface_distance", "ASSD mm", "0.00"), new("surface_dice", "surface Dice"), new("relative_volume_error", "volume error", "+0.0 %;-0.0 %;0 %"), new("missed", "missed"), new("invented", "invented"),
                .. options.LesionLabels.Count == 0 ? (ReportColumn[])[] : [new("lesions", "lesions"), new("detected", "found"), new("false_positives", "false"), new("sensitivity", "sensitivity")],
            ],
            [.. classes.Select(c => Row(naming(c[0].Label), c, (long)c[0].Label)), WithMean(Row("all classes", all, null), cases)])
        {
            Explanation = "Means over the cases where a number is defined. ASSD leaves out infinite distances. missed: the truth has the class and the prediction lacks it; invented: the other way round. "
                + "Both leave HD undefined, so read HD together with these two.",
        };
    }

    // MONAI's mean: over the classes of a case, then over the cases.
    private static object?[] WithMean(object?[] row, IReadOnlyList<CaseScores> cases)
    {
        row[2] = null;
        row[3] = MetricAverages.Mean([.. cases.Select(c => (IReadOnlyList<double>)[.. c.Classes.Select(s => s.Dice)])]);
        row[6] = MetricAverages.Mean([.. cases.Select(c => (IReadOnlyList<double>)[.. c.Classes.Select(s => s.HausdorffDistance)])]);
        return row;
    }

    private static object?[] Lesions(IReadOnlyList<ClassScores> scores)
    {
        var lesions = scores.Select(s => s.Lesions).OfType<LesionScores>().ToArray();
        if (lesions.Length == 0)
            return [null, null, null, null];
        var total = new LesionScores(lesions.Sum(l => l.TruthLesions), lesions.Sum(l => l.DetectedLesions), lesions.Sum(l => l.PredictedLesions), lesions.Sum(l => l.FalsePositives));
        return [(long)total.TruthLesions, (long)total.DetectedLesions, (long)total.FalsePositives, total.Sensitivity];
    }

    private static ReportTable PerCase(IReadOnlyList<CaseScores> cases, Func<int, string> naming, SegmentationOptions options) => new("cases", "Per case and class",
        [
            new("case", "case"), new("name", "class"), new("label", "label"), new("truth_ml", "truth ml", "0.0"), new("predicted_ml", "predicted ml", "0.0"), new("dice", "Dice"), new("iou", "IoU"),
            new("hausdorff", "HD mm", "0.00"), new("average_surface_distance", "ASSD mm", "0.00"), new("surface_dice", "surface Dice"), new("relative_volume_error", "volume error", "+0.0 %;-0.0 %;0 %"),
            .. options.LesionLabels.Count == 0 ? (ReportColumn[])[] : [new("lesions", "lesions"), new("detected", "found"), new("false_positives", "false"), new("sensitivity", "sensitivity")],
        ],
        [
            .. cases.SelectMany(c => c.Classes.Select(s => (object?[])
            [
                c.Name, naming(s.Label), (long)s.Label, s.TruthMillilitres, s.PredictedMillilitres, s.Dice, s.Iou, s.HausdorffDistance, s.AverageSurfaceDistance, s.SurfaceDice, s.RelativeVolumeError,
                .. options.LesionLabels.Count == 0 ? (object?[])[] : Lesions([s]),
            ])),
        ])
    { OnTerminal = false };

    private static IEnumerable<string> Warnings(ClassScores[][] classes, Func<int, string> naming)
    {
        foreach (var scores in classes.Where(c => c.All(s => s.TruthVoxels == 0)))
            yield return $"{naming(scores[0].Label)}: no truth has this class{(scores.Any(s => s.IsInvented) ? $", {scores.Count(s => s.IsInvented)} predictions do" : "")}.";
    }
}
