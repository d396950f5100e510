using System.Globalization;

namespace Maisi.Bridge.Experiments;

/// <summary>The tables of a report as rows of cells, for HTML, Markdown and the terminal alike.</summary>
internal static class ReportTables
{
    private const int SeedColumn = 4;

    /// <summary>
    /// Mean Dice on the test set by class and arm, and the difference to the first arm with its interval: Table 4 of MAISI's paper, with
    /// what is needed to judge it.
    /// </summary>
    public static List<string[]> Comparison(ExperimentResults results)
    {
        List<string[]> rows =
        [
            ["class", "arm", "Dice", "difference", "by seed", "95% interval", "better / worse", "p", "p (Holm)", "folds: difference, p", "conclusion"],
            .. results.Config.Classes.Select(c => c.Name).Append(ArmComparison.MeanRow).SelectMany(name => Rows(results, name)),
        ];
        return results.Config.Seeds.Length > 1 ? rows : [.. rows.Select(r => (string[])[.. r[..SeedColumn], .. r[(SeedColumn + 1)..]])];
    }

    /// <summary>Columns of the comparison that hold words.</summary>
    public static int[] ComparisonText(ExperimentResults results) => [1, Comparison(results)[0].Length - 1];

    /// <summary>Scores of an arm: mean, standard deviation and surface distance on the test set, mean of the validations.</summary>
    public static List<string[]> Scores(ExperimentResults results) =>
    [
        ["arm", "class", "test cases", "Dice, mean ± sd", "median HD95 in mm", "validation Dice", "false voxels where there is none"],
        .. from arm in results.Config.Arms
           from name in results.Config.Classes.Select(c => c.Name)
           let test = results.Tests.Where(t => t.Arm == arm).SelectMany(t => t.Cases).ToList()
           let seeds = results.Config.Seeds.Length
           let dice = test.Where(c => c.Dice.ContainsKey(name)).Select(c => c.Dice[name]).ToList()
           let distance = test.Where(c => c.Hausdorff95.ContainsKey(name)).Select(c => c.Hausdorff95[name]).ToList()
           let validation = results.Units.Where(u => u.Arm == arm).SelectMany(u => u.Validation).Where(c => c.Dice.ContainsKey(name)).Select(c => c.Dice[name]).ToList()
           select new[]
           {
               ArmNames.Title(arm), name, seeds == 1 ? $"{dice.Count}" : $"{dice.Count / seeds} × {seeds} seeds", dice.Count == 0 ? "" : $"{Number(dice.Average())} ± {Number(Deviation(dice))}",
               distance.Count == 0 ? "" : Quantiles.Median(distance).ToString("F1", CultureInfo.InvariantCulture),
               validation.Count == 0 ? "" : Number(validation.Average()), $"{test.Where(c => c.Voxels[name][1] == 0).Sum(c => c.Voxels[name][0])}",
           },
    ];

    /// <summary>What was trained, how long.</summary>
    public static List<string[]> Trainings(ExperimentResults results) =>
    [
        ["training", "real", "synthetic", "steps", "seconds", "validation Dice"],
        .. results.Units.Select(u => new[]
        {
            ExperimentFolder.Unit(u.Arm, u.Seed, u.Fold), $"{u.TrainingCases[0]}", $"{u.TrainingCases[1]}", $"{u.Steps}",
            u.Seconds.ToString("F0", CultureInfo.InvariantCulture), Number(u.Validation.SelectMany(c => c.Dice.Values).DefaultIfEmpty(double.NaN).Average()),
        }),
    ];

    /// <summary>The comparison of two runs.</summary>
    public static List<string[]> Pair(IReadOnlyList<ClassComparison> rows) =>
    [
        ["class", "cases", "first", "second", "difference", "95% interval", "p", "p (Holm)", "conclusion"],
        .. rows.Select(r => new[]
        {
            r.Class, $"{r.Cases}", Number(r.Reference), Number(r.Value), Signed(r.Difference), $"{Signed(r.Low)} to {Signed(r.High)}", P(r.PValue), P(r.PHolm), r.Conclusion,
        }),
    ];

    /// <summary>A table as Markdown.</summary>
    public static string Markdown(IReadOnlyList<string[]> rows) => string.Join('\n', rows.Select(r => $"| {string.Join(" | ", r)} |")
        .Take(1).Append($"|{string.Concat(Enumerable.Repeat(" --- |", rows[0].Length))}").Concat(rows.Skip(1).Select(r => $"| {string.Join(" | ", r)} |"))) + "\n";

    /// <summary>A table as aligned text.</summary>
    public static string Plain(IReadOnlyList<string[]> rows)
    {
        var widths = Enumerable.Range(0, rows[0].Length).Select(c => rows.Max(r => r[c].Length)).ToArray();
        return string.Concat(rows.Select(r => string.Join("  ", r.Select((cell, c) => cell.PadRight(widths[c]))).TrimEnd() + "\n"));
    }

    private static IEnumerable<string[]> Rows(ExperimentResults results, string name)
    {
        var reference = results.Config.Arms[0];
        var rows = results.Comparisons.Where(r => r.Class == name).ToList();
        // An arm alone has nothing to be compared with, but a Dice.
        if (rows.Count > 0 || results.Config.Arms.Length == 1)
            yield return [name, ArmNames.Of(reference), Number(rows.Count > 0 ? rows[0].Reference : ArmComparison.MeanOf(results.Scores(reference), name)), "", "", "", "", "", "", "", ""];
        foreach (var r in rows)
        {
            yield return
            [
                name, r.Arm, Number(r.Value), Signed(r.Difference), string.Join(", ", r.Seeds.Select(Signed)), $"{Signed(r.Low)} to {Signed(r.High)}", $"{r.BetterWorseEqual[0]} / {r.BetterWorseEqual[1]}", P(r.PValue), P(r.PHolm),
                r.Folds is { } folds ? folds.PValue is null ? Signed(folds.Mean) : $"{Signed(folds.Mean)}, {P(folds.PValue)}" : "", r.Conclusion,
            ];
        }
    }

    private static double Deviation(IReadOnlyList<double> values)
    {
        var mean = values.Average();
        return values.Count < 2 ? 0 : Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1));
    }

    private static string Number(double value) => value.ToString("F3", CultureInfo.InvariantCulture);

    private static string Signed(double value) => value.ToString("+0.000;-0.000;0.000", CultureInfo.InvariantCulture);

    private static string P(double? value) => value is { } p ? p < 0.001 ? "< 0.001" : p.ToString("F3", CultureInfo.InvariantCulture) : "";
}
