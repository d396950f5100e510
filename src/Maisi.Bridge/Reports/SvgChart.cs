using System.Globalization;
using System.Text;

namespace Maisi.Bridge.Reports;

/// <summary>A named series of a chart.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Points">x and y; y that is not finite is left out.</param>
internal sealed record ChartSeries(string Name, IReadOnlyList<(double X, double Y)> Points);

/// <summary>A bar, a dot or a range of a chart of categories.</summary>
/// <param name="Category">On the axis.</param>
/// <param name="Value">Length of the bar.</param>
/// <param name="Low">Low end of its interval; NaN for none.</param>
/// <param name="High">High end.</param>
internal sealed record ChartBar(string Category, double Value, double Low = double.NaN, double High = double.NaN);

/// <summary>Charts as SVG: lines, bars with intervals, and points of categories.</summary>
internal static class SvgChart
{
    private const int Width = 520, Height = 240, Left = 62, Right = 12, Top = 12, Bottom = 40;
    private static readonly string[] Colors = ["#1f5fb4", "#d1671f", "#2e8b57", "#8a4fb0", "#b8384f", "#5f6b7a"];

    /// <summary>Lines over a common x.</summary>
    public static string Lines(string xTitle, string yTitle, IReadOnlyList<ChartSeries> series)
    {
        var points = series.SelectMany(s => s.Points).Where(p => double.IsFinite(p.Y)).ToArray();
        var (x, y) = (Scale.Of(points.Select(p => p.X), Left, Width - Right), Scale.Of(points.Select(p => p.Y), Height - Bottom, Top));
        var svg = Begin($"{yTitle} over {xTitle}", Height);
        Axes(svg, x, y, xTitle, yTitle);
        for (var i = 0; i < series.Count; i++)
        {
            var line = string.Join(' ', series[i].Points.Where(p => double.IsFinite(p.Y)).Select(p => Invariant($"{x.At(p.X):F1},{y.At(p.Y):F1}")));
            svg.Append($"<polyline points=\"{line}\" style=\"fill:none;stroke:{Colors[i % Colors.Length]};stroke-width:1.8\"/>");
        }
        Legend(svg, series.Select(s => s.Name).ToArray());
        return svg.Append("</svg>").ToString();
    }

    /// <summary>Horizontal bars with the ends of their intervals; as tall as there are bars.</summary>
    public static string Bars(string title, IReadOnlyList<ChartBar> bars, double? upTo = null)
    {
        const int Row = 22, Label = 190;
        var finite = bars.SelectMany(b => new[] { b.Value, b.Low, b.High }).Where(double.IsFinite).Append(0).Append(upTo ?? 0);
        var x = Scale.Of(finite, Label, Width - 60);
        var height = bars.Count * Row + 34;
        var svg = Begin(title, height);
        for (var i = 0; i < bars.Count; i++)
        {
            var (bar, y) = (bars[i], 6 + i * Row);
            svg.Append(Invariant($"<text x=\"{Label - 8}\" y=\"{y + 13}\" text-anchor=\"end\">{HtmlPage.Text(Short(bar.Category, 30))}</text>"));
            if (double.IsFinite(bar.Value))
            {
                var (from, to) = (Math.Min(x.At(0), x.At(bar.Value)), Math.Max(x.At(0), x.At(bar.Value)));
                svg.Append(Invariant($"<rect x=\"{from:F1}\" y=\"{y + 3}\" width=\"{Math.Max(to - from, 0.5):F1}\" height=\"12\" fill=\"#8fb3e0\"/>"));
                var end = double.IsFinite(bar.High) ? Math.Max(x.At(bar.High), to) : to;
                svg.Append(Invariant($"<text x=\"{end + 5:F1}\" y=\"{y + 13}\">{HtmlPage.Number(bar.Value)}</text>"));
            }
            else
            {
                svg.Append(Invariant($"<text x=\"{x.At(0) + 5:F1}\" y=\"{y + 13}\">not defined</text>"));
            }
            if (double.IsFinite(bar.Low) && double.IsFinite(bar.High))
                svg.Append(Invariant($"<path d=\"M{x.At(bar.Low):F1} {y + 9}H{x.At(bar.High):F1}M{x.At(bar.Low):F1} {y + 5}v8M{x.At(bar.High):F1} {y + 5}v8\" stroke=\"#1f3f70\" fill=\"none\"/>"));
        }
        foreach (var tick in x.Ticks())
            svg.Append(Invariant($"<text x=\"{x.At(tick):F1}\" y=\"{height - 18}\" text-anchor=\"middle\">{HtmlPage.Number(tick)}</text>"));
        svg.Append(Invariant($"<text x=\"{(Label + Width - 60) / 2}\" y=\"{height - 4}\" text-anchor=\"middle\">{HtmlPage.Text(title)}</text>"));
        return svg.Append("</svg>").ToString();
    }

    /// <summary>One row of points per category, the mean as a line: shows the spread that a bar hides.</summary>
    public static string Points(string title, IReadOnlyList<(string Category, IReadOnlyList<double> Values)> groups, IReadOnlyList<(double At, string Name)>? marks = null)
    {
        const int Row = 24, Label = 190;
        var x = Scale.Of(groups.SelectMany(g => g.Values).Where(double.IsFinite).Concat(marks?.Select(m => m.At) ?? []), Label, Width - 20);
        var height = groups.Count * Row + 48;
        var svg = Begin(title, height);
        for (var i = 0; i < groups.Count; i++)
        {
            var (y, values) = (18 + i * Row, groups[i].Values.Where(double.IsFinite).ToArray());
            svg.Append(Invariant($"<text x=\"{Label - 8}\" y=\"{y + 4}\" text-anchor=\"end\">{HtmlPage.Text(Short(groups[i].Category, 30))}</text>"));
            // Points of one value lie side by side.
            for (var v = 0; v < values.Length; v++)
                svg.Append(Invariant($"<circle cx=\"{x.At(values[v]):F1}\" cy=\"{y + (v * 5 % 11) - 5}\" r=\"2.5\" fill=\"#1f5fb4\" fill-opacity=\".45\"/>"));
            if (values.Length > 0)
                svg.Append(Invariant($"<path d=\"M{x.At(values.Average()):F1} {y - 9}v18\" stroke=\"#111\" stroke-width=\"1.5\"/>"));
        }
        foreach (var (at, name) in marks ?? [])
            svg.Append(Invariant($"<path d=\"M{x.At(at):F1} 4V{height - 34}\" stroke=\"#b8384f\" stroke-dasharray=\"4 3\"/><text x=\"{x.At(at) + 4:F1}\" y=\"12\" style=\"fill:#b8384f\">{HtmlPage.Text(name)}</text>"));
        foreach (var tick in x.Ticks())
            svg.Append(Invariant($"<text x=\"{x.At(tick):F1}\" y=\"{height - 18}\" text-anchor=\"middle\">{HtmlPage.Number(tick)}</text>"));
        svg.Append(Invariant($"<text x=\"{(Label + Width - 20) / 2}\" y=\"{height - 4}\" text-anchor=\"middle\">{HtmlPage.Text(title)}</text>"));
        return svg.Append("</svg>").ToString();
    }

    private static StringBuilder Begin(string name, int height) =>
        new(Invariant($"<svg width=\"{Width}\" height=\"{height}\" role=\"img\" aria-label=\"{HtmlPage.Text(name)}\" style=\"font:11px system-ui,sans-serif\">"));

    private static void Axes(StringBuilder svg, Scale x, Scale y, string xTitle, string yTitle)
    {
        foreach (var tick in y.Ticks())
            svg.Append(Invariant($"<path d=\"M{Left} {y.At(tick):F1}H{Width - Right}\" stroke=\"#eee\"/><text x=\"{Left - 6}\" y=\"{y.At(tick) + 4:F1}\" text-anchor=\"end\">{HtmlPage.Number(tick)}</text>"));
        foreach (var tick in x.Ticks())
            svg.Append(Invariant($"<text x=\"{x.At(tick):F1}\" y=\"{Height - Bottom + 14}\" text-anchor=\"middle\">{HtmlPage.Number(tick)}</text>"));
        svg.Append(Invariant($"<path d=\"M{Left} {Top}V{Height - Bottom}H{Width - Right}\" stroke=\"#888\" fill=\"none\"/>"));
        svg.Append(Invariant($"<text x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 6}\" text-anchor=\"middle\">{HtmlPage.Text(xTitle)}</text>"));
        svg.Append(Invariant($"<text transform=\"translate(11 {(Top + Height - Bottom) / 2}) rotate(-90)\" text-anchor=\"middle\">{HtmlPage.Text(yTitle)}</text>"));
    }

    private static void Legend(StringBuilder svg, string[] names)
    {
        if (names.Length < 2)
            return;
        for (var i = 0; i < names.Length; i++)
            svg.Append(Invariant($"<rect x=\"{Width - 150}\" y=\"{Top + 2 + i * 15}\" width=\"10\" height=\"10\" fill=\"{Colors[i % Colors.Length]}\"/><text x=\"{Width - 135}\" y=\"{Top + 11 + i * 15}\">{HtmlPage.Text(Short(names[i], 22))}</text>"));
    }

    private static string Short(string text, int length) => text.Length <= length ? text : text[..(length - 1)] + "…";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Values to pixels, with round numbers at the ticks.</summary>
    private sealed record Scale(double Low, double High, double Step, double From, double To)
    {
        public static Scale Of(IEnumerable<double> values, double from, double to)
        {
            var all = values.Where(double.IsFinite).DefaultIfEmpty(0).ToArray();
            var (low, high) = (all.Min(), all.Max());
            if (high <= low)
                (low, high) = (low - 0.5, low + 0.5);
            var rough = (high - low) / 5;
            var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
            var step = power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
            return new(Math.Floor(low / step + 1e-9) * step, Math.Ceiling(high / step - 1e-9) * step, step, from, to);
        }

        public double At(double value) => From + (Math.Clamp(value, Low, High) - Low) / (High - Low) * (To - From);

        public IEnumerable<double> Ticks() => Enumerable.Range(0, (int)Math.Round((High - Low) / Step) + 1).Select(i => Math.Round(Low + i * Step, 12));
    }
}
