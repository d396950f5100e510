using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Python.Runtime;
using Libpython = Python.Runtime.Runtime;

namespace Maisi.Bridge.Python;

/// <summary>
/// The worker's side of the protocol. Python runs on the process's main thread alone. Other threads read requests, send heartbeats and
/// watch the parent, and never wait for Python's lock, so that Python code that hangs cannot keep the worker alive or silent.
/// </summary>
public sealed class WorkerHost
{
    private readonly Stream input, output;
    private readonly Lock writing = new();
    private readonly BlockingCollection<string> calls = [];
    private IReadOnlyList<string> folders = [];
    private readonly string mark = Environment.GetEnvironmentVariable(WorkerProtocol.MarkVariable) ?? "";

    private WorkerHost(Stream input, Stream output)
    {
        this.input = input;
        this.output = output;
    }

    /// <summary>Serves stdin and stdout until told to stop or until the parent is gone. Does not return.</summary>
    public static void Serve()
    {
        var (input, output) = StandardStreams.Take();
        ParentWatch.ExitNow(new WorkerHost(input, output).Run());
    }

    private int Run()
    {
        Send("hello", w =>
        {
            w.WriteNumber("protocol", WorkerProtocol.Version);
            w.WriteNumber("pid", Environment.ProcessId);
        });
        using var reader = new StreamReader(input, Encoding.UTF8);
        if (reader.ReadLine() is not { } first)
            return 0;
        using var json = JsonDocument.Parse(first);
        var start = WorkerStart.Parse(json.RootElement);
        if (start.Protocol != WorkerProtocol.Version)
        {
            Fail(0, "ProtocolError", $"the client speaks protocol {start.Protocol} and this worker {WorkerProtocol.Version}", "");
            return 2;
        }
        folders = start.Folders;
        using var watch = new ParentWatch(start.Parent, Abandon);
        using var heartbeat = new Timer(_ => Send("heartbeat", static _ => { }), null, start.Heartbeat, start.Heartbeat);
        return Host(start, reader);
    }

    private int Host(WorkerStart start, StreamReader reader)
    {
        PyObject worker;
        ulong thread;
        try
        {
            Libpython.PythonDLL = start.LibPython;
            PythonEngine.ProgramName = start.Executable;
            PythonEngine.Initialize();
            thread = PythonEngine.GetPythonThreadID();
            using var module = Py.Import("maisi_bridge.worker");
            using var send = new Action<string>(SendText).ToPython();
            using var config = Config(start).ToPython();
            worker = module.InvokeMethod("Worker", send, config);
        }
        catch (Exception e)
        {
            Fail(0, "StartError", $"{start.LibPython} does not start: {e.Message}", (e as PythonException)?.Format() ?? e.ToString());
            return 3;
        }
        Send("ready", w => w.WriteString("python", PythonEngine.Version));
        var released = PythonEngine.BeginAllowThreads();
        new Thread(() => Read(reader, worker, thread)) { IsBackground = true, Name = "requests" }.Start();
        foreach (var line in calls.GetConsumingEnumerable())
            Call(worker, line);
        PythonEngine.EndAllowThreads(released);
        worker.InvokeMethod("close");
        ProcessTree.KillMarked(mark);
        return 0;
    }

    private void Call(PyObject worker, string line)
    {
        using var gil = Py.GIL();
        try
        {
            using var text = line.ToPython();
            worker.InvokeMethod("call", text).Dispose();
        }
        catch (PythonException e)
        {
            // An interrupt that lands outside the call it was meant for, or a result that cannot be sent.
            using var json = JsonDocument.Parse(line);
            Fail(json.RootElement.GetProperty("id").GetInt64(), e.Type.Name, e.Message, e.Format());
        }
    }

    private void Read(StreamReader reader, PyObject worker, ulong thread)
    {
        while (reader.ReadLine() is { } line)
        {
            using var json = JsonDocument.Parse(line);
            switch (json.RootElement.GetProperty("type").GetString())
            {
                case "call":
                    calls.Add(line);
                    break;
                case "cancel":
                    // On its own thread: it waits for Python's lock, which code in C may hold for long.
                    new Thread(() => Cancel(worker, thread)) { IsBackground = true, Name = "cancel" }.Start();
                    break;
                case "shutdown":
                    calls.CompleteAdding();
                    return;
            }
        }
        Abandon();
    }

    private static void Cancel(PyObject worker, ulong thread)
    {
        using var gil = Py.GIL();
        worker.InvokeMethod("cancel").Dispose();
        _ = PythonEngine.Interrupt(thread);
    }

    // The client has ended without saying so, and can no longer remove its arrays itself.
    private void Abandon()
    {
        ProcessTree.KillMarked(mark);
        foreach (var folder in folders)
            SharedFolder.Remove(folder);
        ParentWatch.ExitNow(4);
    }

    private static string Config(WorkerStart start)
    {
        var line = WorkerProtocol.Line(
            w =>
            {
                w.WriteNumber("log_level", start.LogLevel);
                w.WriteStartArray("folders");
                foreach (var folder in start.Folders)
                    w.WriteStringValue(folder);
                w.WriteEndArray();
            },
            "config");
        return Encoding.UTF8.GetString(line);
    }

    private void Fail(long id, string type, string message, string traceback) => Send("error", w =>
    {
        w.WriteNumber("id", id);
        w.WriteStartObject("error");
        w.WriteString("type", type);
        w.WriteString("message", message);
        w.WriteString("traceback", traceback);
        w.WriteEndObject();
    });

    private void Send(string type, Action<Utf8JsonWriter> fields) => Write(WorkerProtocol.Line(fields, type));

    private void SendText(string json) => Write(Encoding.UTF8.GetBytes(json + "\n"));

    private void Write(byte[] line)
    {
        try
        {
            lock (writing)
                output.Write(line);
        }
        catch (IOException)
        {
            Abandon();
        }
    }
}
