using System.Globalization;
using System.Text;
using System.Text.Json;
using Maisi.Bridge.Reports;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Evaluation;

/// <summary>Writes the report of an evaluation: KIND.json, KIND.html, a CSV file per table and a PNG file per picture.</summary>
public static class ReportWriter
{
    /// <summary>Writes all files into a folder, which is made if need be.</summary>
    /// <returns>The files, the HTML page first.</returns>
    /// <exception cref="MaisiException">The disk refused.</exception>
    public static IReadOnlyList<string> Write(EvaluationReport report, string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MaisiException($"the folder of the report cannot be made: {e.Message}", folder, "give another --output", e);
        }
        var files = new List<string> { Path.Combine(folder, report.Kind + ".html"), Path.Combine(folder, report.Kind + ".json") };
        AtomicFile.Write(files[1], stream => stream.Write(Encoding.UTF8.GetBytes(ToJson(report) + "\n")));
        foreach (var table in report.Tables)
        {
            files.Add(Path.Combine(folder, $"{report.Kind}_{table.Key}.csv"));
            AtomicFile.Write(files[^1], stream => stream.Write(Encoding.UTF8.GetBytes(ToCsv(table))));
        }
        foreach (var picture in report.Pictures)
        {
            files.Add(Path.Combine(folder, picture.Name + ".png"));
            PngFile.Write(picture.Picture, files[^1]);
        }
        WriteHtml(report, files[0]);
        return files;
    }

    /// <summary>The report as indented JSON. NaN (not defined) becomes null, an infinite number the text "inf" or "-inf".</summary>
    public static string ToJson(EvaluationReport report)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("kind", report.Kind);
            json.WriteString("program", ProgramInfo.NameAndVersion);
            json.WriteStartObject("facts");
            foreach (var (name, value) in report.Facts)
                json.WriteString(name, value);
            json.WriteEndObject();
            json.WriteStartObject("tables");
            foreach (var table in report.Tables)
                WriteTable(json, table);
            json.WriteEndObject();
            json.WriteStartArray("notes");
            foreach (var note in report.Notes)
                json.WriteStringValue(note);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>A table as CSV (RFC 4180): numbers in full, an empty cell for what is not defined.</summary>
    public static string ToCsv(ReportTable table)
    {
        static string Quote(string text) => text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        static string Cell(object? value) => value switch
        {
            null or double.NaN => "",
            double number => double.IsInfinity(number) ? (number > 0 ? "inf" : "-inf") : number.ToString("R", CultureInfo.InvariantCulture),
            _ => Quote(Convert.ToString(value, CultureInfo.InvariantCulture)!),
        };
        var lines = table.Rows.Select(row => string.Join(',', row.Select(Cell))).Prepend(string.Join(',', table.Columns.Select(c => Quote(c.Key))));
        return string.Join('\n', lines) + "\n";
    }

    /// <summary>A cell for people: a dash for what is not defined.</summary>
    public static string Show(object? value, ReportColumn column) => value switch
    {
        null or double.NaN => "–",
        double.PositiveInfinity => "∞",
        double.NegativeInfinity => "-∞",
        double number => Rounded(number.ToString(column.Format, CultureInfo.InvariantCulture)),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    // A number that rounds to zero has no sign.
    private static string Rounded(string text) => text.StartsWith('-') && text.All(c => c is not (>= '1' and <= '9')) ? text[1..] : text;

    private static void WriteTable(Utf8JsonWriter json, ReportTable table)
    {
        json.WriteStartArray(table.Key);
        foreach (var row in table.Rows)
        {
            json.WriteStartObject();
            for (var i = 0; i < row.Count; i++)
            {
                json.WritePropertyName(table.Columns[i].Key);
                switch (row[i])
                {
                    case null or double.NaN: json.WriteNullValue(); break;
                    case double number when double.IsInfinity(number): json.WriteStringValue(number > 0 ? "inf" : "-inf"); break;
                    case double number: json.WriteNumberValue(number); break;
                    case bool truth: json.WriteBooleanValue(truth); break;
                    case int or long: json.WriteNumberValue(Convert.ToInt64(row[i], CultureInfo.InvariantCulture)); break;
                    default: json.WriteStringValue(Convert.ToString(row[i], CultureInfo.InvariantCulture)); break;
                }
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteHtml(EvaluationReport report, string path)
    {
        var page = new HtmlPage(report.Title).Facts(report.Facts.Append(new("program", ProgramInfo.NameAndVersion)));
        foreach (var note in report.Notes)
            page.Paragraph(note, note: true);
        // Drawings stand under the first table, which they show; long tables come last.
        var tables = report.Tables.Where(t => t.OnPage).ToArray();
        for (var t = 0; t < tables.Length; t++)
        {
            var table = tables[t];
            page.Heading(table.Title);
            if (table.Explanation is { } explanation)
                page.Paragraph(explanation);
            var texts = Enumerable.Range(0, table.Columns.Count).Where(c => table.Rows.Any(r => r[c] is string)).ToHashSet();
            page.Table([.. table.Columns.Select(c => c.Title)], table.Rows.Select(r => (IReadOnlyList<string>)[.. r.Select((v, c) => Show(v, table.Columns[c]))]), texts);
            if (t > 0)
                continue;
            foreach (var figure in report.Figures)
                page.Figure(figure.Svg, figure.Caption);
            foreach (var picture in report.Pictures)
                page.Picture(picture.Picture, picture.Caption);
        }
        page.Write(path);
    }
}
