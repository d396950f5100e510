using System.Globalization;
using Maisi.Bridge.Reports;

namespace Maisi.Bridge.Experiments;

/// <summary>The report of an experiment: one HTML page that needs no other file, and the tables as Markdown.</summary>
internal static class ExperimentReport
{
    /// <summary>The files.</summary>
    public const string PageName = "report.html", MarkdownName = "report.md";

    /// <summary>Writes both.</summary>
    public static void Write(ExperimentResults results, ExperimentPlan plan, ExperimentFolder folder)
    {
        folder.Write(MarkdownName, Markdown(results, plan));
        Page(results, plan, folder).Write(folder.Make(PageName));
    }

    private static string Markdown(ExperimentResults results, ExperimentPlan plan) => string.Create(CultureInfo.InvariantCulture, $"""
        # {results.Config.Name}

        {results.Config.Description}

        {string.Concat(results.Notes.Select(n => $"> {n}\n"))}
        ## Arms on the held-out test set

        {ReportTables.Markdown(ReportTables.Comparison(results))}
        {Method(results)}

        ## Scores

        {ReportTables.Markdown(ReportTables.Scores(results))}
        Validation scores are optimistic: the weights were chosen by them.

        ## Trainings

        {ReportTables.Markdown(ReportTables.Trainings(results))}
        ## Plan

            {PlanTable.Text(plan).TrimEnd().Replace("\n", "\n    ", StringComparison.Ordinal)}

        Versions: {string.Join(", ", Versions(results))}

        """);

    private static HtmlPage Page(ExperimentResults results, ExperimentPlan plan, ExperimentFolder folder)
    {
        var page = new HtmlPage(results.Config.Name).Paragraph(results.Config.Description);
        foreach (var note in results.Notes)
            page.Paragraph(note, note: true);
        Table(page.Heading("Arms on the held-out test set"), ReportTables.Comparison(results), ReportTables.ComparisonText(results)).Paragraph(Method(results));
        Table(page.Heading("Scores"), ReportTables.Scores(results), 1).Paragraph("Validation scores are optimistic: the weights were chosen by them.");
        page.Heading("Folds");
        foreach (var name in results.Config.Classes.Select(c => c.Name))
            page.Figure(SvgChart.Folds("mean Dice", [.. results.Config.Arms.Select(arm => (ArmNames.Title(arm), FoldMeans(results, arm, name)))]), $"{name}: mean validation Dice");
        page.Heading("Learning curves");
        foreach (var (curve, title) in new[] { ("loss", "training loss"), ("dice", "validation Dice") })
            page.Figure(SvgChart.Lines("step", title, Curves(results, curve)), $"{title}, a line per training");
        CasePictures.Add(page, results, plan, folder);
        Table(page.Heading("Trainings"), ReportTables.Trainings(results));
        page.Heading("Plan").Lines(PlanTable.Text(plan)).Heading("Config").Lines(results.Config.ToJson());
        return page.Paragraph($"{string.Join(", ", Versions(results))}. Not for diagnosis.");
    }

    private static HtmlPage Table(HtmlPage page, IReadOnlyList<string[]> rows, params int[] textColumns) => page.Table(rows[0], rows.Skip(1), textColumns.ToHashSet());

    private static string Method(ExperimentResults results) => string.Create(CultureInfo.InvariantCulture,
        $"Differences are of the same cases, to the first arm, seeds averaged; intervals resample patients {results.Config.Statistics.Resamples} times; p is Wilcoxon's signed-rank test (Pratt), corrected by Holm over all classes and arms; the folds' test is Nadeau and Bengio's. Smallest effect that matters: {results.Config.Statistics.MinimalEffect}.");

    private static IEnumerable<string> Versions(ExperimentResults results) =>
        results.Units.SelectMany(u => u.Versions).Concat(results.Versions).Select(v => $"{v.Key} {v.Value}").Prepend(ProgramInfo.NameAndVersion).Distinct(StringComparer.Ordinal);

    private static IReadOnlyList<double> FoldMeans(ExperimentResults results, ArmKind arm, string name) => [.. results.Units.Where(u => u.Arm == arm).GroupBy(u => u.Fold).OrderBy(g => g.Key)
        .Select(g => g.SelectMany(u => u.Validation).Where(c => c.Dice.ContainsKey(name)).Select(c => c.Dice[name]).DefaultIfEmpty(double.NaN).Average())];

    private static IReadOnlyList<ChartSeries> Curves(ExperimentResults results, string name) => [.. results.Units.Select(u => new ChartSeries(
        ArmNames.Title(u.Arm), [.. u.Curve.Where(p => p.Name == name).Select(p => ((double)p.Step, p.Value))], Array.IndexOf(results.Config.Arms, u.Arm)))];
}
