using System.Globalization;
using System.Net;
using System.Text;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Experiments;

/// <summary>The report of an experiment: one HTML page that needs no other file, and the tables as Markdown.</summary>
internal static class ExperimentReport
{
    /// <summary>The files.</summary>
    public const string PageName = "report.html", MarkdownName = "report.md";

    private const int PanelSize = 200;

    private const string Style = """
        body {font: 14px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 1240px; color: #222; background: #fff}
        figure {display: inline-block; margin: 0 1em 1em 0; vertical-align: top} figcaption {color: #555} img {max-width: 100%}
        table {border-collapse: collapse; margin-bottom: 1em} td, th {padding: .2em .9em .2em 0; text-align: left; border-bottom: 1px solid #eee}
        polyline {fill: none; stroke-width: 1.5} text {font-size: 11px; fill: #555} pre {background: #f6f6f6; padding: 1em; overflow: auto}
        .note {color: #8a4b00}
        """;

    /// <summary>Writes both.</summary>
    public static void Write(ExperimentResults results, ExperimentPlan plan, ExperimentFolder folder)
    {
        folder.Write(MarkdownName, Markdown(results, plan));
        folder.Write(PageName, Page(results, plan, folder));
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

    private static string Page(ExperimentResults results, ExperimentPlan plan, ExperimentFolder folder)
    {
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{Text(results.Config.Name)}</title>\n<style>\n{Style}\n</style></head><body>\n");
        html.Append(CultureInfo.InvariantCulture, $"<h1>{Text(results.Config.Name)}</h1><p>{Text(results.Config.Description)}</p>\n");
        foreach (var note in results.Notes)
            html.Append(CultureInfo.InvariantCulture, $"<p class=\"note\">{Text(note)}</p>\n");
        html.Append("<h2>Arms on the held-out test set</h2>\n").Append(Table(ReportTables.Comparison(results))).Append(CultureInfo.InvariantCulture, $"<p>{Text(Method(results))}</p>\n");
        html.Append("<h2>Scores</h2>\n").Append(Table(ReportTables.Scores(results))).Append("<p>Validation scores are optimistic: the weights were chosen by them.</p>\n");
        html.Append("<h2>Folds</h2>\n");
        foreach (var name in results.Config.Classes.Select(c => c.Name))
            html.Append(ReportCharts.Folds($"{name}: mean validation Dice", [.. results.Config.Arms.Select(arm => (ArmNames.Title(arm), FoldMeans(results, arm, name)))]));
        html.Append("<h2>Learning curves</h2>\n");
        foreach (var (curve, title) in new[] { ("loss", "training loss"), ("dice", "validation Dice") })
            html.Append(ReportCharts.Lines(title, Curves(results, curve)));
        html.Append(Pictures(results, plan, folder));
        html.Append("<h2>Trainings</h2>\n").Append(Table(ReportTables.Trainings(results)));
        html.Append(CultureInfo.InvariantCulture, $"<h2>Plan</h2><pre>{Text(PlanTable.Text(plan))}</pre>\n");
        html.Append(CultureInfo.InvariantCulture, $"<h2>Config</h2><pre>{Text(results.Config.ToJson())}</pre>\n<p>{Text(string.Join(", ", Versions(results)))}. Not for diagnosis.</p></body></html>\n");
        return html.ToString();
    }

    private static string Method(ExperimentResults results) => string.Create(CultureInfo.InvariantCulture,
        $"Differences are of the same cases, to the first arm, seeds averaged; intervals resample patients {results.Config.Statistics.Resamples} times; p is Wilcoxon's signed-rank test (Pratt), corrected by Holm over all classes and arms; the folds' test is Nadeau and Bengio's. Smallest effect that matters: {results.Config.Statistics.MinimalEffect}.");

    private static IEnumerable<string> Versions(ExperimentResults results) =>
        results.Units.SelectMany(u => u.Versions).Concat(results.Versions).Select(v => $"{v.Key} {v.Value}").Prepend(ProgramInfo.NameAndVersion).Distinct(StringComparer.Ordinal);

    private static IReadOnlyList<double> FoldMeans(ExperimentResults results, ArmKind arm, string name) => [.. results.Units.Where(u => u.Arm == arm).GroupBy(u => u.Fold).OrderBy(g => g.Key)
        .Select(g => g.SelectMany(u => u.Validation).Where(c => c.Dice.ContainsKey(name)).Select(c => c.Dice[name]).DefaultIfEmpty(double.NaN).Average())];

    private static IReadOnlyList<ChartLine> Curves(ExperimentResults results, string name) => [.. results.Units.Select(u => new ChartLine(
        ArmNames.Title(u.Arm), ReportCharts.Color(Array.IndexOf(results.Config.Arms, u.Arm)), [.. u.Curve.Where(p => p.Name == name).Select(p => ((double)p.Step, p.Value))]))];

    // The cases with the best and the worst difference of the last arm, each with the truth and both predictions.
    private static string Pictures(ExperimentResults results, ExperimentPlan plan, ExperimentFolder folder)
    {
        if (results.Config.Arms.Length < 2)
            return "";
        var (first, last) = (results.Tests.First(t => t.Arm == results.Config.Arms[0]), results.Tests.First(t => t.Arm == results.Config.Arms[^1]));
        var order = first.Cases.Zip(last.Cases).Select(p => (First: p.First, Last: p.Second, Difference: Mean(p.Second) - Mean(p.First))).Where(p => double.IsFinite(p.Difference))
            .OrderByDescending(p => p.Difference).ToList();
        if (order.Count == 0)
            return "";
        var html = new StringBuilder("<h2>Cases</h2>\n");
        foreach (var (pair, what) in new[] { (order[0], "best difference"), (order[^1], "worst difference") })
        {
            var item = plan.Cases.Single(c => c.CaseId == pair.First.CaseId);
            var image = VolumeFile.Read(item.Image);
            html.Append(CultureInfo.InvariantCulture, $"<h3>{Text(item.CaseId)}: {what}, {pair.Difference:+0.000;-0.000;0.000}</h3>\n");
            var truth = ClassMap.Read(item.Label, results.Config.Classes);
            html.Append(Picture("truth", image, truth, results.Config));
            foreach (var (score, arm) in new[] { (pair.First, first.Arm), (pair.Last, last.Arm) })
            {
                html.Append(Picture(
                    string.Create(CultureInfo.InvariantCulture, $"{ArmNames.Title(arm)}: mean Dice {Mean(score):F3}"), image, VolumeFile.Read(Path.Combine(folder.Root, score.Prediction!)), results.Config));
            }
        }
        return html.ToString();
    }

    private static double Mean(CaseScore score) => score.Dice.Values.DefaultIfEmpty(double.NaN).Average();

    private static string Picture(string caption, Volume image, Volume classes, ExperimentConfig config)
    {
        var sheet = PreviewSheet.Draw(image, new PreviewOptions
        {
            Labels = classes.WithAffine(image.Affine),
            PanelSize = PanelSize,
            Window = new IntensityWindow((float)config.Segresnet.Intensity[0], (float)config.Segresnet.Intensity[1]),
            Naming = code => (code <= config.Classes.Length ? config.Classes[code - 1].Name : $"{code}", LabelColors.For(code)),
        });
        using var png = new MemoryStream();
        PngFile.Write(sheet, png);
        return $"<figure><img alt=\"{Text(caption)}\" src=\"data:image/png;base64,{Convert.ToBase64String(png.ToArray())}\"><figcaption>{Text(caption)}</figcaption></figure>\n";
    }

    private static string Table(IReadOnlyList<string[]> rows) => $"<table><tr>{string.Concat(rows[0].Select(c => $"<th>{Text(c)}</th>"))}</tr>\n"
        + string.Concat(rows.Skip(1).Select(r => $"<tr>{string.Concat(r.Select(c => $"<td>{Text(c)}</td>"))}</tr>\n")) + "</table>\n";

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
