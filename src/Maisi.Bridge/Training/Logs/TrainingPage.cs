using System.Globalization;
using System.Net;
using System.Text;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Training;

/// <summary>A picture of a training report.</summary>
/// <param name="Caption">What it shows.</param>
/// <param name="Picture">The pixels.</param>
internal sealed record ReportPicture(string Caption, Raster Picture);

/// <summary>A training as one HTML file that needs no other: a chart per logged number, a table of the stages, sample pictures.</summary>
internal static class TrainingPage
{
    private const int Width = 520, Height = 190, MarginLeft = 64, MarginBottom = 24, MostPoints = 400;

    private const string Style = """
        body {font: 14px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 1120px; color: #222; background: #fff}
        figure {display: inline-block; margin: 0 1em 1em 0; vertical-align: top} figcaption {color: #555}
        table {border-collapse: collapse} td, th {padding: .2em 1em .2em 0; text-align: right} td:first-child, th:first-child {text-align: left}
        polyline {fill: none; stroke-width: 1.5} .raw {stroke: #b9cbe6} .mean {stroke: #1f5fb4} text {font-size: 11px; fill: #555}
        """;

    /// <summary>Writes the page.</summary>
    /// <param name="path">Where to; whole or not at all.</param>
    /// <param name="title">Heading.</param>
    /// <param name="entries">The log, in order.</param>
    /// <param name="pictures">Sample pictures.</param>
    public static void Write(string path, string title, IReadOnlyList<LogEntry> entries, IReadOnlyList<ReportPicture> pictures)
    {
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{Text(title)}</title>\n");
        html.Append(CultureInfo.InvariantCulture, $"<style>\n{Style}\n</style></head><body><h1>{Text(title)}</h1>\n");
        foreach (var stage in entries.GroupBy(e => e.Stage))
        {
            html.Append(CultureInfo.InvariantCulture, $"<h2>{Text(stage.Key)}</h2>\n<table><tr><th>number</th><th>first</th><th>last</th><th>smallest</th></tr>\n");
            var numbers = stage.GroupBy(e => e.Name).ToList();
            foreach (var number in numbers)
            {
                html.Append(CultureInfo.InvariantCulture,
                    $"<tr><td>{Text(number.Key)}</td><td>{Figure(number.First().Value)}</td><td>{Figure(number.Last().Value)}</td><td>{Figure(number.Min(e => e.Value))}</td></tr>\n");
            }
            html.Append("</table>\n");
            foreach (var number in numbers)
                html.Append(Chart(number.Key, [.. number]));
        }
        if (pictures.Count > 0)
            html.Append("<h2>Samples</h2>\n");
        foreach (var (caption, picture) in pictures)
        {
            using var png = new MemoryStream();
            PngFile.Write(picture, png);
            html.Append(CultureInfo.InvariantCulture,
                $"<figure><img alt=\"{Text(caption)}\" src=\"data:image/png;base64,{Convert.ToBase64String(png.ToArray())}\"><figcaption>{Text(caption)}</figcaption></figure>\n");
        }
        html.Append("</body></html>\n");
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(html.ToString())));
    }

    private static string Chart(string name, IReadOnlyList<LogEntry> entries)
    {
        // Neighbours are averaged so that a long training draws no more points than there are pixels.
        var points = entries.Chunk(Math.Max(1, (entries.Count + MostPoints - 1) / MostPoints)).Select(c => (X: (double)c[^1].Step, Y: c.Average(e => e.Value))).ToList();
        double low = points.Min(p => p.Y), high = points.Max(p => p.Y), first = entries[0].Step, last = entries[^1].Step;
        var range = high > low ? high - low : 1;
        string Line(IEnumerable<(double X, double Y)> line) => string.Join(' ', line.Select(p => string.Create(CultureInfo.InvariantCulture,
            $"{MarginLeft + ((p.X - first) / Math.Max(1, last - first) * (Width - MarginLeft - 8)):F1},{8 + ((high - p.Y) / range * (Height - MarginBottom - 16)):F1}")));
        var smooth = Smooth(points);
        return string.Create(CultureInfo.InvariantCulture, $"""
            <figure><svg width="{Width}" height="{Height}" role="img" aria-label="{Text(name)}"><polyline class="raw" points="{Line(points)}"/><polyline class="mean" points="{Line(smooth)}"/>
            <text x="0" y="14">{Figure(high)}</text><text x="0" y="{Height - MarginBottom - 4}">{Figure(low)}</text><text x="{MarginLeft}" y="{Height - 6}">step {first}</text>
            <text x="{Width - 8}" y="{Height - 6}" text-anchor="end">{last}</text></svg><figcaption>{Text(name)}</figcaption></figure>

            """);
    }

    /// <summary>Mean over a window of a twentieth of the points.</summary>
    private static IEnumerable<(double X, double Y)> Smooth(IReadOnlyList<(double X, double Y)> points)
    {
        var half = points.Count / 40;
        return points.Select((p, i) => (p.X, points.Skip(Math.Max(0, i - half)).Take(Math.Min(i, half) + half + 1).Average(q => q.Y)));
    }

    private static string Figure(double value) => value.ToString(Math.Abs(value) is >= 1e5 or (> 0 and < 1e-3) ? "0.###e+0" : "0.####", CultureInfo.InvariantCulture);

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
