using System.Text.Json;

namespace Maisi.Bridge.Python;

/// <summary>
/// The lines between a client and its worker. The worker's first line is <c>hello</c> and the client's is <c>start</c>; both carry the
/// protocol version. Then the client sends <c>call</c>, <c>cancel</c> and <c>shutdown</c>; the worker sends <c>ready</c>,
/// <c>heartbeat</c>, <c>progress</c>, <c>log</c>, <c>result</c> and <c>error</c>. Every line is one JSON object with a <c>type</c>.
/// </summary>
internal static class WorkerProtocol
{
    /// <summary>Rises when a line changes its meaning.</summary>
    public const int Version = 1;

    /// <summary>Marks every process that descends from a worker, so that strays are found after a crash.</summary>
    public const string MarkVariable = "MAISI_WORKER";

    /// <summary>One line, without its end.</summary>
    public static byte[] Line(Action<Utf8JsonWriter> fields, string type)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteString("type", type);
            fields(writer);
            writer.WriteEndObject();
        }
        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }
}

/// <summary>The client's first line: everything the worker needs to host the interpreter.</summary>
/// <param name="Protocol">The client's protocol version.</param>
/// <param name="Parent">The client's process id.</param>
/// <param name="LibPython">The library to open.</param>
/// <param name="Executable">The python executable that the worker stands for.</param>
/// <param name="Heartbeat">How often the worker says that it lives.</param>
/// <param name="LogLevel">Python's number for the lowest level that is forwarded.</param>
/// <param name="Folders">Where arrays are put, best first.</param>
internal sealed record WorkerStart(
    int Protocol, int Parent, string LibPython, string Executable, TimeSpan Heartbeat, int LogLevel, IReadOnlyList<string> Folders)
{
    /// <summary>As a line.</summary>
    public byte[] ToLine() => WorkerProtocol.Line(
        w =>
        {
            w.WriteNumber("protocol", Protocol);
            w.WriteNumber("parent", Parent);
            w.WriteString("libpython", LibPython);
            w.WriteString("executable", Executable);
            w.WriteNumber("heartbeat_ms", (long)Heartbeat.TotalMilliseconds);
            w.WriteNumber("log_level", LogLevel);
            w.WriteStartArray("folders");
            foreach (var folder in Folders)
                w.WriteStringValue(folder);
            w.WriteEndArray();
        },
        "start");

    /// <summary>From a line.</summary>
    public static WorkerStart Parse(JsonElement root) => new(
        root.GetProperty("protocol").GetInt32(),
        root.GetProperty("parent").GetInt32(),
        root.GetProperty("libpython").GetString()!,
        root.GetProperty("executable").GetString()!,
        TimeSpan.FromMilliseconds(root.GetProperty("heartbeat_ms").GetInt64()),
        root.GetProperty("log_level").GetInt32(),
        [.. root.GetProperty("folders").EnumerateArray().Select(f => f.GetString()!)]);
}
