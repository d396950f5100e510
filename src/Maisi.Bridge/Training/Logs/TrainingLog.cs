using System.Globalization;

namespace Maisi.Bridge.Training;

/// <summary>A logged number.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="Name">Which number.</param>
/// <param name="Value">The number.</param>
public sealed record LogEntry(string Stage, int Step, string Name, double Value);

/// <summary>
/// The numbers of a training as a table (training.csv: stage,step,name,value) and as TensorBoard events beside it. A stage that goes on
/// from a saved state forgets what was logged after that state, so that every step is in the table once.
/// </summary>
internal sealed class TrainingLog : IDisposable
{
    /// <summary>The name of the table.</summary>
    public const string Table = "training.csv";

    private const string Header = "stage,step,name,value";
    private readonly string _path;
    private readonly TensorBoardFile _events;
    private StreamWriter _writer;

    /// <param name="folder">Where both are; made when it is missing.</param>
    /// <param name="time">The clock of the events.</param>
    public TrainingLog(string folder, TimeProvider? time = null)
    {
        Directory.CreateDirectory(folder);
        Folder = folder;
        _path = Path.Combine(folder, Table);
        if (!File.Exists(_path))
            AtomicFile.Write(_path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(Header + "\n")));
        _events = new TensorBoardFile(folder, time ?? TimeProvider.System);
        _writer = File.AppendText(_path);
    }

    /// <summary>Where the table and the events are.</summary>
    public string Folder { get; }

    /// <summary>Reads a table.</summary>
    public static IReadOnlyList<LogEntry> Read(string path) => [.. File.ReadLines(path).Skip(1).Select(line => line.Split(','))
        .Where(cells => cells.Length == 4 && double.TryParse(cells[3], CultureInfo.InvariantCulture, out _)) // a killed run may leave half a line
        .Select(cells => new LogEntry(cells[0], int.Parse(cells[1], CultureInfo.InvariantCulture), cells[2], double.Parse(cells[3], CultureInfo.InvariantCulture)))];

    /// <summary>Starts a stage, or goes on with it after a step.</summary>
    public void Begin(string stage, int step)
    {
        _writer.Dispose();
        var kept = Read(_path).Where(e => e.Stage != stage || e.Step <= step).ToList();
        AtomicFile.Write(_path, stream =>
        {
            using var writer = new StreamWriter(stream, leaveOpen: true);
            writer.WriteLine(Header);
            foreach (var entry in kept)
                writer.WriteLine(Line(entry));
        });
        _writer = File.AppendText(_path);
        if (step > 0)
            _events.Restart(step + 1);
    }

    /// <summary>Logs a number.</summary>
    public void Add(string stage, int step, string name, double value)
    {
        _writer.WriteLine(Line(new LogEntry(stage, step, name, value)));
        _events.Add($"{stage}/{name}", step, value);
    }

    /// <summary>Hands everything to the operating system.</summary>
    public void Flush()
    {
        _writer.Flush();
        _events.Flush();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _writer.Dispose();
        _events.Dispose();
    }

    private static string Line(LogEntry entry) => string.Create(CultureInfo.InvariantCulture, $"{entry.Stage},{entry.Step},{entry.Name},{entry.Value:R}");
}
