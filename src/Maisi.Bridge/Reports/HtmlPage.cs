using System.Globalization;
using System.Net;
using System.Text;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Reports;

/// <summary>A page in one HTML file that needs no other: style, pictures and charts are in it.</summary>
internal sealed class HtmlPage
{
    private const string Style = """
        body {font: 14px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 1120px; padding: 0 1em; color: #222; background: #fff}
        figure {display: inline-block; margin: 0 .5em 1em 0; vertical-align: top} figcaption {color: #555; max-width: 520px}
        img, svg {max-width: 100%; height: auto} pre {background: #f6f6f6; padding: 1em; overflow-x: auto; font-size: 12px}
        .scroll {overflow-x: auto} table {border-collapse: collapse; margin: .5em 0 1em} th {color: #555; font-weight: 600} .note {color: #8a5a00}
        td, th {padding: .2em 1em .2em 0; text-align: right; border-bottom: 1px solid #eee; white-space: nowrap}
        th {white-space: normal; vertical-align: bottom} td:first-child, th:first-child, td.text, th.text {text-align: left} td.long {text-align: left; white-space: normal; min-width: 15em}
        .facts td {border: 0; text-align: left; white-space: normal} .facts td:first-child {white-space: nowrap}
        polyline {fill: none; stroke-width: 1.5} .raw {stroke: #b9cbe6} .mean {stroke: #1f5fb4} svg text {font-size: 11px; fill: #555}
        @media (max-width: 600px) {body {margin: 1em auto; -webkit-text-size-adjust: 100%} figure {margin-right: 0} h1 {font-size: 1.5em}}
        """;

    private const int LongText = 40;

    private readonly StringBuilder _html = new();

    /// <summary>A page with a title.</summary>
    public HtmlPage(string title)
    {
        _html.Append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        _html.Append($"<title>{Text(title)}</title>\n");
        _html.Append($"<style>\n{Style}\n</style></head><body><h1>{Text(title)}</h1>\n");
    }

    /// <summary>A heading below the title.</summary>
    /// <param name="text">What it says.</param>
    /// <param name="level">2, or 3 for one below another.</param>
    public HtmlPage Heading(string text, int level = 2) => Raw($"<h{level}>{Text(text)}</h{level}>\n");

    /// <summary>A paragraph; a note is set off by its colour.</summary>
    public HtmlPage Paragraph(string text, bool note = false) => Raw($"<p{(note ? " class=\"note\"" : "")}>{Text(text)}</p>\n");

    /// <summary>Names and what they are.</summary>
    public HtmlPage Facts(IEnumerable<KeyValuePair<string, string>> facts) =>
        Raw($"<table class=\"facts\">{string.Concat(facts.Select(f => $"<tr><td>{Text(f.Key)}</td><td>{Text(f.Value)}</td></tr>"))}</table>\n");

    /// <summary>Text whose lines and columns stay as they are.</summary>
    public HtmlPage Lines(string text) => Raw($"<pre>{Text(text)}</pre>\n");

    /// <summary>A table; columns of text (other than the first, which always is) are named.</summary>
    public HtmlPage Table(IReadOnlyList<string> titles, IEnumerable<IReadOnlyList<string>> rows, IReadOnlySet<int>? textColumns = null)
    {
        string Kind(string tag, string text, int column) => tag == "td" && text.Length > LongText ? " class=\"long\"" : textColumns?.Contains(column) == true ? " class=\"text\"" : "";
        string Cell(string tag, string text, int column) => $"<{tag}{Kind(tag, text, column)}>{Text(text)}</{tag}>";
        _html.Append($"<div class=\"scroll\"><table><tr>{string.Concat(titles.Select((t, i) => Cell("th", t, i)))}</tr>\n");
        foreach (var row in rows)
            _html.Append($"<tr>{string.Concat(row.Select((c, i) => Cell("td", c, i)))}</tr>\n");
        return Raw("</table></div>\n");
    }

    /// <summary>A drawing (SVG) with a caption.</summary>
    public HtmlPage Figure(string svg, string caption) => Raw($"<figure>{svg}<figcaption>{Text(caption)}</figcaption></figure>\n");

    /// <summary>A picture with a caption.</summary>
    public HtmlPage Picture(Raster picture, string caption)
    {
        using var png = new MemoryStream();
        PngFile.Write(picture, png);
        return Raw($"<figure><img alt=\"{Text(caption)}\" src=\"data:image/png;base64,{Convert.ToBase64String(png.ToArray())}\"><figcaption>{Text(caption)}</figcaption></figure>\n");
    }

    /// <summary>Writes the page; whole or not at all.</summary>
    /// <exception cref="MaisiException">The disk refused.</exception>
    public void Write(string path) => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes($"{_html}</body></html>\n")));

    /// <summary>Text that is safe within HTML and SVG.</summary>
    public static string Text(string text) => WebUtility.HtmlEncode(text);

    /// <summary>A number with four digits after the point, or with an exponent where that says nothing.</summary>
    public static string Number(double value) => value.ToString(Math.Abs(value) is >= 1e5 or (> 0 and < 1e-3) ? "0.###e+0" : "0.####", CultureInfo.InvariantCulture);

    private HtmlPage Raw(string html)
    {
        _html.Append(html);
        return this;
    }
}
