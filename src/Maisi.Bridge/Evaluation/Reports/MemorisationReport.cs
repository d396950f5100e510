using System.Globalization;
using Maisi.Bridge.Reports;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Evaluation;

/// <summary>An audit as tables, drawings and pictures of the closest pairs.</summary>
public static class MemorisationReport
{
    private const int PanelSize = 300;

    /// <summary>Builds the report and draws the closest pairs.</summary>
    /// <param name="result">The audit.</param>
    /// <param name="facts">What was compared.</param>
    /// <param name="pairs">How many pairs to draw.</param>
    /// <exception cref="MaisiException">An image of a pair cannot be read any more.</exception>
    public static EvaluationReport Build(MemorisationResult result, IEnumerable<KeyValuePair<string, string>> facts, int pairs = 6) => new()
    {
        Kind = "memorisation",
        Title = $"Memorisation audit: {Sentence(result)}",
        Facts =
        [
            .. facts,
            new("verdict", Sentence(result)),
            new("threshold", string.Create(CultureInfo.InvariantCulture, $"a copy has a membership score of {result.Threshold:0.##} or more and less than 0.8 of the smallest distance of the calibration cases, or less than 0.25 of it")),
            new("calibration", $"{result.CalibrationCases} {(result.CalibratedOnTraining ? "training cases, each against the others" : "validation cases that the generator never saw")}"),
        ],
        Tables = [CaseTable(result), SpaceTable(result)],
        Figures = [.. result.Calibration.Keys.Select(space => Figure(result, space))],
        Pictures = pairs > 0 ? [Pairs([.. result.Cases.Take(pairs)])] : [],
        Notes = [.. Notes(result)],
    };

    /// <summary>The verdict in words.</summary>
    public static string Sentence(MemorisationResult result) => (result.Copies, result.Suspicious) switch
    {
        (0, 0) => $"no copy among {result.Cases.Count} synthetic cases",
        (0, var s) => $"no copy, {s} of {result.Cases.Count} synthetic cases to look at",
        (var c, var s) => $"{c} of {result.Cases.Count} synthetic cases {(c == 1 ? "is a copy" : "are copies")} of training cases{(s > 0 ? $", {s} more to look at" : "")}",
    };

    private static ReportTable CaseTable(MemorisationResult result)
    {
        object?[] Row(AuditedCase c)
        {
            var (space, nearest) = c.Nearest.MaxBy(n => n.Value.Score);
            return
            [
                CaseFiles.NameOf(c.File), Word(c.Verdict), c.Score, CaseFiles.NameOf(nearest.File), nearest.Mirrored ? "mirrored" : "", space.ToString().ToLowerInvariant(), nearest.Distance, nearest.Ratio,
                nearest.DistanceScore, nearest.PValue,
            ];
        }
        return new("cases", "Nearest training case of each synthetic case",
            [
                new("case", "case"), new("verdict", "verdict"), new("score", "score", "0.00"), new("nearest", "nearest training case"), new("mirrored", ""), new("space", "space"), new("distance", "distance"),
                new("ratio", "ratio"), new("distance_score", "distance score", "0.00"), new("p_value", "p", "0.000"),
            ],
            [.. result.Cases.Select(Row)])
        {
            Explanation = "score: how many standard deviations (of logarithms) the nearest training case stands out from the next nearest ones more than for unseen real cases (membership score). ratio: its distance over theirs. "
                + "p: share of calibration cases with a ratio as small, itself counted, so that it is never below 1/(n+1).",
        };
    }

    private static ReportTable SpaceTable(MemorisationResult result) => new("spaces", "Calibration",
        [
            new("space", "space"), new("median", "median distance"), new("smallest", "smallest"), new("median_ratio", "median ratio"), new("smallest_ratio", "smallest ratio"), new("closer", "synthetic nearer than real", "0.00"),
        ],
        [.. result.Calibration.Select(c => (object?[])[c.Key.ToString().ToLowerInvariant(), c.Value.Median, c.Value.Smallest, c.Value.MedianRatio, c.Value.SmallestRatio, c.Value.Closer])])
    {
        Explanation = "Distances of the calibration cases to their nearest training case. The last column is the probability that a synthetic case is nearer to the training cases than a calibration case: 0.5 is as near. "
            + "Smooth images are nearer to everything, so a higher value alone is no proof.",
    };

    private static ReportFigure Figure(MemorisationResult result, DescriptorSpace space) => new(
        $"Distance to the nearest training case in {(space == DescriptorSpace.Image ? "image" : "latent")} space. Copies lie far left of the calibration cases.",
        SvgChart.Points("distance √(2 - 2·correlation)",
            [("synthetic", [.. result.Cases.Select(c => c.Nearest[space].Distance)]), ("calibration", result.CalibrationDistances[space])],
            [(result.Calibration[space].Smallest, "smallest of calibration")]));

    private static ReportPicture Pairs(IReadOnlyList<AuditedCase> cases)
    {
        var sheets = cases.SelectMany(c =>
        {
            var nearest = c.Nearest.Values.MaxBy(n => n.Score)!;
            return new[]
            {
                ($"synthetic {CaseFiles.NameOf(c.File)}: {Word(c.Verdict)}, score {c.Score.ToString("0.0", CultureInfo.InvariantCulture)}", Sheet(c.File)),
                ($"training {CaseFiles.NameOf(nearest.File)}{(nearest.Mirrored ? " (mirrored)" : "")}", Sheet(nearest.File)),
            };
        }).ToArray();
        return new("memorisation_pairs", "The closest pairs: a synthetic case and its nearest training case.", ContactSheet.Draw(sheets, columns: 2));
    }

    private static Raster Sheet(string file) => PreviewSheet.Draw(VolumeFile.Read(file), new PreviewOptions { PanelSize = PanelSize });

    private static IEnumerable<string> Notes(MemorisationResult result)
    {
        if (result.CalibratedOnTraining)
            yield return "Calibrated on the training cases, each against the others: give validation cases that the generator never saw for a calibration that does not assume that they are alike.";
        if (result.CalibrationCases < 10)
            yield return $"{result.CalibrationCases} calibration cases are few: scores are rough, and p cannot fall below {(1.0 / (result.CalibrationCases + 1)).ToString("0.00", CultureInfo.InvariantCulture)}. Look at the pictures.";
        if (!result.Calibration.ContainsKey(DescriptorSpace.Latent))
            yield return "Image space only: give the generator's bundle to compare in its latent space too.";
    }

    private static string Word(CopyVerdict verdict) => verdict switch { CopyVerdict.Copy => "copy", CopyVerdict.Suspicious => "look at it", _ => "no copy" };
}
