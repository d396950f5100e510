using System.Globalization;
using System.Text;

namespace Maisi.Bridge.Reports;

/// <summary>A named series of a chart.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Points">x and y; y that is not finite is left out.</param>
/// <param name="Color">Number of its colour, for series of one name that belong together; its place among the series when left out.</param>
internal sealed record ChartSeries(string Name, IReadOnlyList<(double X, double Y)> Points, int? Color = null);

/// <summary>A bar, a dot or a range of a chart of categories.</summary>
/// <param name="Category">On the axis.</param>
/// <param name="Value">Length of the bar.</param>
/// <param name="Low">Low end of its interval; NaN for none.</param>
/// <param name="High">High end.</param>
internal sealed record ChartBar(string Category, double Value, double Low = double.NaN, double High = double.NaN);

/// <summary>Charts as SVG: lines, bars with intervals, points of categories, and pairs of points by fold.</summary>
internal static class SvgChart
{
    private const int Width = 520, Height = 240, Left = 62, Right = 20, Top = 28, Bottom = 40;
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
            var color = Color(series[i].Color ?? i);
            var line = series[i].Points.Where(p => double.IsFinite(p.Y)).Select(p => (X: x.At(p.X), Y: y.At(p.Y))).ToArray();
            // A line of one point is none.
            svg.Append(line is [var only]
                ? Invariant($"<circle cx=\"{only.X:F1}\" cy=\"{only.Y:F1}\" r=\"3\" fill=\"{color}\"/>")
                : $"<polyline points=\"{Path(line)}\" style=\"fill:none;stroke:{color};stroke-width:1.8;stroke-opacity:{(series[i].Color is null ? "1" : ".6")}\"/>");
        }
        Legend(svg, [.. series.Select((s, i) => (s.Name, s.Color ?? i)).DistinctBy(s => s.Name)]);
        return svg.Append("</svg>").ToString();
    }

    /// <summary>A dot per group in every fold, the dots of a fold joined.</summary>
    /// <param name="yTitle">What the values are.</param>
    /// <param name="groups">Name and a value per fold, as many in all; NaN for none.</param>
    public static string Folds(string yTitle, IReadOnlyList<(string Name, IReadOnlyList<double> Values)> groups)
    {
        const double Spread = 0.4;
        var folds = groups.Max(g => g.Values.Count);
        var y = Scale.Of(groups.SelectMany(g => g.Values), Height - Bottom, Top);
        var svg = Begin($"{yTitle} by fold", Height);
        Axes(svg, null, y, "fold", yTitle);
        for (var fold = 0; fold < folds; fold++)
        {
            double At(double place) => Left + ((place + 0.5) / folds * (Width - Right - Left));
            svg.Append(Invariant($"<text x=\"{At(fold):F1}\" y=\"{Height - Bottom + 14}\" text-anchor=\"middle\">{fold}</text>"));
            var dots = groups.Select((g, i) => (X: At(fold + (groups.Count == 1 ? 0 : ((i / (groups.Count - 1.0)) - 0.5) * Spread)), Value: g.Values[fold], g.Name, Color: Color(i)))
                .Where(d => double.IsFinite(d.Value)).ToArray();
            svg.Append($"<polyline points=\"{Path(dots.Select(d => (d.X, y.At(d.Value))))}\" style=\"fill:none;stroke:#bbb\"/>");
            foreach (var dot in dots)
                svg.Append(Invariant($"<circle cx=\"{dot.X:F1}\" cy=\"{y.At(dot.Value):F1}\" r=\"4\" fill=\"{dot.Color}\"><title>{HtmlPage.Text(dot.Name)}, fold {fold}: {dot.Value:F3}</title></circle>"));
        }
        Legend(svg, [.. groups.Select((g, i) => (g.Name, i))]);
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

    // Scales with the page: it is as wide as the screen where that is narrower.
    private static StringBuilder Begin(string name, int height) =>
        new(Invariant($"<svg width=\"{Width}\" height=\"{height}\" viewBox=\"0 0 {Width} {height}\" role=\"img\" aria-label=\"{HtmlPage.Text(name)}\" style=\"font:11px system-ui,sans-serif\">"));

    private static void Axes(StringBuilder svg, Scale? x, Scale y, string xTitle, string yTitle)
    {
        foreach (var tick in y.Ticks())
            svg.Append(Invariant($"<path d=\"M{Left} {y.At(tick):F1}H{Width - Right}\" stroke=\"#eee\"/><text x=\"{Left - 6}\" y=\"{y.At(tick) + 4:F1}\" text-anchor=\"end\">{HtmlPage.Number(tick)}</text>"));
        foreach (var tick in x?.Ticks() ?? [])
            svg.Append(Invariant($"<text x=\"{x!.At(tick):F1}\" y=\"{Height - Bottom + 14}\" text-anchor=\"middle\">{HtmlPage.Number(tick)}</text>"));
        svg.Append(Invariant($"<path d=\"M{Left} {Top}V{Height - Bottom}H{Width - Right}\" stroke=\"#888\" fill=\"none\"/>"));
        svg.Append(Invariant($"<text x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 6}\" text-anchor=\"middle\">{HtmlPage.Text(xTitle)}</text>"));
        svg.Append(Invariant($"<text transform=\"translate(11 {(Top + Height - Bottom) / 2}) rotate(-90)\" text-anchor=\"middle\">{HtmlPage.Text(yTitle)}</text>"));
    }

    // A row above the plot, where it hides nothing.
    private static void Legend(StringBuilder svg, (string Name, int Color)[] entries)
    {
        if (entries.Length < 2)
            return;
        const int Mark = 15, Gap = 14, Letter = 6;
        // Names are cut only where the row is too short for all of them.
        var room = ((Width - Left - Right) / entries.Length - Mark - Gap) / Letter;
        var length = entries.Sum(e => (e.Name.Length * Letter) + Mark + Gap) <= Width - Left - Right ? int.MaxValue : room;
        var x = Left;
        foreach (var (name, color) in entries.Select(e => (Short(e.Name, length), Color(e.Color))))
        {
            svg.Append(Invariant($"<rect x=\"{x}\" y=\"8\" width=\"10\" height=\"10\" fill=\"{color}\"/><text x=\"{x + Mark}\" y=\"17\">{HtmlPage.Text(name)}</text>"));
            x += Mark + (name.Length * Letter) + Gap;
        }
    }

    private static string Color(int number) => Colors[number % Colors.Length];

    private static string Path(IEnumerable<(double X, double Y)> points) => string.Join(' ', points.Select(p => Invariant($"{p.X:F1},{p.Y:F1}")));

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
                (low, high) = (low is >= 0 and < 0.5 ? 0 : low - 0.5, low + 0.5);
            var rough = (high - low) / 5;
            var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
            var step = power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
            return new(Math.Floor(low / step + 1e-9) * step, Math.Ceiling(high / step - 1e-9) * step, step, from, to);
        }

        public double At(double value) => From + (Math.Clamp(value, Low, High) - Low) / (High - Low) * (To - From);

        public IEnumerable<double> Ticks() => Enumerable.Range(0, (int)Math.Round((High - Low) / Step) + 1).Select(i => Math.Round(Low + i * Step, 12));
    }
}
