using System.Globalization;
using System.Net;
using System.Text;

namespace Maisi.Bridge.Experiments;

/// <summary>A line of a chart.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Color">A CSS colour.</param>
/// <param name="Points">Its points from left to right.</param>
internal sealed record ChartLine(string Name, string Color, IReadOnlyList<(double X, double Y)> Points);

/// <summary>Charts of an experiment's report as SVG.</summary>
internal static class ReportCharts
{
    private const int Width = 460, Height = 230, Left = 46, Right = 10, Top = 12, Bottom = 30;
    private static readonly string[] _colors = ["#4a4a4a", "#1f6fb4", "#c2571a", "#3a8f3a"];

    /// <summary>The colour of the n-th arm.</summary>
    public static string Color(int arm) => _colors[arm % _colors.Length];

    /// <summary>Lines over a common axis.</summary>
    public static string Lines(string title, IReadOnlyList<ChartLine> lines)
    {
        var points = lines.SelectMany(l => l.Points).ToList();
        if (points.Count == 0)
            return "";
        var frame = Frame.Around(points.Min(p => p.X), points.Max(p => p.X), points.Min(p => p.Y), points.Max(p => p.Y));
        var svg = Begin(title, frame, "step");
        foreach (var line in lines)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<polyline points=\"{string.Join(' ', line.Points.Select(p => frame.At(p.X, p.Y)))}\" stroke=\"{line.Color}\" stroke-opacity=\".55\"><title>{Text(line.Name)}</title></polyline>\n");
            // A line of one point is none.
            if (line.Points is [var only])
            {
                var at = frame.At(only.X, only.Y).Split(',');
                svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{at[0]}\" cy=\"{at[1]}\" r=\"3\" fill=\"{line.Color}\" fill-opacity=\".55\"/>");
            }
        }
        return End(svg, title, lines.DistinctBy(l => l.Color).Select(l => (l.Name, l.Color)));
    }

    /// <summary>A dot per arm in every fold, the dots of a fold joined.</summary>
    /// <param name="title">The class.</param>
    /// <param name="arms">Name and a value per fold; NaN for none.</param>
    public static string Folds(string title, IReadOnlyList<(string Name, IReadOnlyList<double> Values)> arms)
    {
        var values = arms.SelectMany(a => a.Values).Where(double.IsFinite).ToList();
        if (values.Count == 0)
            return "";
        var folds = arms.Max(a => a.Values.Count);
        var frame = Frame.Around(-0.5, folds - 0.5, values.Min(), values.Max());
        var svg = Begin(title, frame, "fold");
        for (var fold = 0; fold < folds; fold++)
        {
            var dots = arms.Select((a, i) => (X: fold + (arms.Count == 1 ? 0 : ((i / (arms.Count - 1.0)) - 0.5) * 0.4), Y: a.Values[fold], Arm: i)).Where(d => double.IsFinite(d.Y)).ToList();
            svg.Append(CultureInfo.InvariantCulture, $"<polyline points=\"{string.Join(' ', dots.Select(d => frame.At(d.X, d.Y)))}\" stroke=\"#bbb\"/>");
            foreach (var dot in dots)
            {
                var at = frame.At(dot.X, dot.Y).Split(',');
                svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{at[0]}\" cy=\"{at[1]}\" r=\"4\" fill=\"{Color(dot.Arm)}\"><title>{Text(arms[dot.Arm].Name)}, fold {fold}: {dot.Y:F3}</title></circle>");
            }
        }
        return End(svg, title, arms.Select((a, i) => (a.Name, Color(i))));
    }

    private static StringBuilder Begin(string title, Frame frame, string axis)
    {
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<figure><svg width=\"{Width}\" height=\"{Height}\" role=\"img\" aria-label=\"{Text(title)}\">");
        for (var i = 0; i <= 4; i++)
        {
            var value = frame.Low + ((frame.High - frame.Low) * i / 4);
            var y = frame.At(frame.First, value).Split(',')[1];
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{y}\" y2=\"{y}\" stroke=\"#eee\"/><text x=\"{Left - 6}\" y=\"{y}\" text-anchor=\"end\" dominant-baseline=\"middle\">{value:0.###}</text>");
        }
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"{Height - 10}\">{axis} {(int)Math.Ceiling(frame.First)}</text><text x=\"{Width - Right}\" y=\"{Height - 10}\" text-anchor=\"end\">{(int)Math.Floor(frame.Last)}</text>\n");
        return svg;
    }

    private static string End(StringBuilder svg, string title, IEnumerable<(string Name, string Color)> legend)
    {
        svg.Append("</svg><figcaption>").Append(Text(title));
        foreach (var (name, color) in legend)
            svg.Append(CultureInfo.InvariantCulture, $" <span style=\"color:{color}\">&#9679; {Text(name)}</span>");
        return svg.Append("</figcaption></figure>\n").ToString();
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private sealed record Frame(double First, double Last, double Low, double High)
    {
        public static Frame Around(double first, double last, double low, double high)
        {
            var room = high > low ? 0.05 * (high - low) : 0.01;
            return new Frame(first, last > first ? last : first + 1, low - room, high + room);
        }

        public string At(double x, double y) => string.Create(CultureInfo.InvariantCulture,
            $"{Left + ((x - First) / (Last - First) * (Width - Left - Right)):F1},{Top + ((High - y) / (High - Low) * (Height - Top - Bottom)):F1}");
    }
}
