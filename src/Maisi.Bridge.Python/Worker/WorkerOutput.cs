using System.Text;
using Microsoft.Extensions.Logging;

namespace Maisi.Bridge.Python;

/// <summary>Drains what a worker prints, logs it line by line, and keeps its end for error messages, in bounded memory.</summary>
internal sealed class WorkerOutput(TextReader reader, ILogger logger)
{
    private const int LongestLine = 8 * 1024, KeptLines = 60;
    private readonly Queue<string> tail = new();
    private readonly Lock gate = new();

    /// <summary>Counts what arrived; a call that prints is not stalled.</summary>
    public long Count => Interlocked.Read(ref count);

    private long count;

    /// <summary>The last lines.</summary>
    public string Tail
    {
        get
        {
            lock (gate)
                return string.Join('\n', tail);
        }
    }

    /// <summary>Reads to the end. Lines without an end are cut, so that memory stays bounded whatever is printed.</summary>
    public async Task DrainAsync()
    {
        var buffer = new char[LongestLine];
        var line = new StringBuilder();
        int read;
        while ((read = await reader.ReadAsync(buffer)) > 0)
        {
            Interlocked.Increment(ref count);
            foreach (var c in buffer.AsSpan(0, read))
            {
                if (c != '\n')
                    line.Append(c);
                if (c == '\n' || line.Length >= LongestLine)
                    Flush(line);
            }
        }
        if (line.Length > 0)
            Flush(line);
    }

    private void Flush(StringBuilder line)
    {
        var text = line.ToString();
        line.Clear();
        lock (gate)
        {
            tail.Enqueue(text);
            if (tail.Count > KeptLines)
                tail.Dequeue();
        }
        PythonLog.Printed(logger, text);
    }
}
