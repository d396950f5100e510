using System.Globalization;
using Maisi.Bridge.Reports;
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

    /// <summary>Writes the page.</summary>
    /// <param name="path">Where to; whole or not at all.</param>
    /// <param name="title">Heading.</param>
    /// <param name="entries">The log, in order.</param>
    /// <param name="pictures">Sample pictures.</param>
    public static void Write(string path, string title, IReadOnlyList<LogEntry> entries, IReadOnlyList<ReportPicture> pictures)
    {
        var page = new HtmlPage(title);
        foreach (var stage in entries.GroupBy(e => e.Stage))
        {
            var numbers = stage.GroupBy(e => e.Name).ToList();
            page.Heading(stage.Key).Table(["number", "first", "last", "smallest"], numbers.Select(number => (IReadOnlyList<string>)
                [number.Key, HtmlPage.Number(number.First().Value), HtmlPage.Number(number.Last().Value), HtmlPage.Number(number.Min(e => e.Value))]));
            foreach (var number in numbers)
                page.Figure(Chart(number.Key, [.. number]), number.Key);
        }
        if (pictures.Count > 0)
            page.Heading("Samples");
        foreach (var (caption, picture) in pictures)
            page.Picture(picture, caption);
        page.Write(path);
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
            <svg width="{Width}" height="{Height}" viewBox="0 0 {Width} {Height}" role="img" aria-label="{HtmlPage.Text(name)}"><polyline class="raw" points="{Line(points)}"/><polyline class="mean" points="{Line(smooth)}"/>
            <text x="0" y="14">{HtmlPage.Number(high)}</text><text x="0" y="{Height - MarginBottom - 4}">{HtmlPage.Number(low)}</text><text x="{MarginLeft}" y="{Height - 6}">step {first}</text>
            <text x="{Width - 8}" y="{Height - 6}" text-anchor="end">{last}</text></svg>
            """);
    }

    /// <summary>Mean over a window of a twentieth of the points.</summary>
    private static IEnumerable<(double X, double Y)> Smooth(IReadOnlyList<(double X, double Y)> points)
    {
        var half = points.Count / 40;
        return points.Select((p, i) => (p.X, points.Skip(Math.Max(0, i - half)).Take(Math.Min(i, half) + half + 1).Average(q => q.Y)));
    }
}
