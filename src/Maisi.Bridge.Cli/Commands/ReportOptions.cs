using System.CommandLine;
using Maisi.Bridge.Evaluation;
using Spectre.Console;

namespace Maisi.Bridge.Cli.Commands;

/// <summary>What all evaluations share: where the report goes, and how it is shown.</summary>
internal sealed class ReportOptions
{
    private readonly Option<string?> _output = new("--output", "-o") { Description = "Folder for the report: HTML, JSON, CSV and pictures." };
    private readonly Option<bool> _json = CommonOptions.Json(), _quiet = CommonOptions.Quiet();

    public void AddTo(Command command)
    {
        command.Options.Add(_output);
        command.Options.Add(_json);
        command.Options.Add(_quiet);
    }

    public IProgress<WorkProgress> Progress(ParseResult parse) => ConsoleProgress.Create(parse.GetValue(_quiet));

    /// <summary>Writes the report if a folder was given, and prints it.</summary>
    public int Show(ParseResult parse, EvaluationReport report)
    {
        var files = parse.GetValue(_output) is { } folder ? ReportWriter.Write(report, folder) : [];
        if (parse.GetValue(_json))
            Console.Out.WriteLine(ReportWriter.ToJson(report));
        else
            Print(report, Console.Out, Console.IsOutputRedirected ? 200 : Math.Max(100, Console.WindowWidth));
        if (files.Count > 0)
            Console.Error.WriteLine($"report: {files[0]} and {files.Count - 1} more files");
        return CommandRunner.Ok;
    }

    /// <summary>The report as text: facts, the tables that a terminal can hold, and the notes.</summary>
    internal static void Print(EvaluationReport report, TextWriter output, int width)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new PlainOutput(output, width), Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Interactive = InteractionSupport.No });
        output.WriteLine(report.Title);
        foreach (var (name, value) in report.Facts)
            output.WriteLine($"  {name}: {value}");
        foreach (var table in report.Tables.Where(t => t.OnTerminal))
        {
            var grid = new Table { Title = new TableTitle(Markup.Escape(table.Title)), Border = TableBorder.Simple };
            for (var c = 0; c < table.Columns.Count; c++)
            {
                var column = new TableColumn(Markup.Escape(table.Columns[c].Title)) { NoWrap = true };
                grid.AddColumn(c > 0 && table.Rows.All(r => r[c] is not string) ? column.RightAligned() : column);
            }
            foreach (var row in table.Rows)
                grid.AddRow([.. row.Select((v, c) => Markup.Escape(ReportWriter.Show(v, table.Columns[c])))]);
            console.Write(grid);
        }
        foreach (var note in report.Notes)
            output.WriteLine($"note: {note}");
    }

    private sealed class PlainOutput(TextWriter writer, int width) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => false;

        public int Width => width;

        public int Height => int.MaxValue;

        public void SetEncoding(System.Text.Encoding encoding)
        {
        }
    }
}
