using System.Text.Json;

namespace Maisi.Bridge.Python;

/// <summary>One call on its way: what is sent, and what has come back.</summary>
internal sealed class WorkerCall(long id, string target, IProgress<PythonProgress>? progress)
{
    private readonly TaskCompletionSource<object?> result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long sign;

    /// <summary>Its number in the protocol.</summary>
    public long Id => id;

    /// <summary>The function.</summary>
    public string Target => target;

    /// <summary>The function's value, or its exception.</summary>
    public Task<object?> Result => result.Task;

    /// <summary>When it last showed that it makes progress.</summary>
    public long Sign => Interlocked.Read(ref sign);

    /// <summary>What went wrong on this side, such as a progress handler that threw.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>The request.</summary>
    /// <exception cref="ArgumentException">An argument has no form in Python.</exception>
    public byte[] ToLine(PythonArguments arguments) => WorkerProtocol.Line(
        w =>
        {
            w.WriteNumber("id", id);
            w.WriteString("target", target);
            w.WriteStartArray("args");
            foreach (var value in arguments.Positional)
                WireCodec.Write(w, value);
            w.WriteEndArray();
            w.WriteStartObject("kwargs");
            foreach (var (name, value) in arguments.Named)
            {
                w.WritePropertyName(name);
                WireCodec.Write(w, value);
            }
            w.WriteEndObject();
        },
        "call");

    /// <summary>Notes that it makes progress.</summary>
    public void Touch(long now) => Interlocked.Exchange(ref sign, now);

    /// <summary>Ends it with an error of this side.</summary>
    public void Fail(Exception error) => Failure = error;

    /// <summary>Takes a message of the worker. Number 0 is the worker's own failure to start.</summary>
    public void Receive(JsonElement message, string type, long now)
    {
        var number = message.GetProperty("id").GetInt64();
        if (number != id && number != 0)
            return;
        Touch(now);
        switch (type)
        {
            case "progress":
                Report(message);
                break;
            case "result":
                result.TrySetResult(WireCodec.Read(message.GetProperty("value")));
                break;
            default:
                var error = message.GetProperty("error");
                string Text(string name) => error.GetProperty(name).GetString() ?? "";
                result.TrySetException(new PythonCallException(target, Text("type"), Text("message"), Text("traceback")));
                break;
        }
    }

    // The handler is the caller's code: what it throws ends the call and reaches the caller.
    private void Report(JsonElement message)
    {
        if (progress is null || Failure is not null)
            return;
        try
        {
            progress.Report(new PythonProgress(
                message.TryGetProperty("fraction", out var fraction) ? fraction.GetDouble() : null,
                message.TryGetProperty("message", out var text) ? text.GetString() : null,
                message.TryGetProperty("stage", out var stage) ? stage.GetString() : null,
                message.TryGetProperty("values", out var values) ? values.EnumerateObject().ToDictionary(v => v.Name, v => v.Value.GetDouble(), StringComparer.Ordinal) : []));
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }
}
