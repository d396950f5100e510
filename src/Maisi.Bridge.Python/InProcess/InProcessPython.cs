using System.Collections.Concurrent;
using Python.Runtime;
using Libpython = Python.Runtime.Runtime;

namespace Maisi.Bridge.Python;

/// <summary>
/// An interpreter in this process, for what must share memory with .NET objects. All of its code runs on one thread of its own, which
/// holds Python's lock only while it runs something. What hangs or crashes here takes the program along: prefer a worker.
/// </summary>
public sealed class InProcessPython : IDisposable
{
    private readonly BlockingCollection<Action> work = [];
    private readonly Thread thread;

    private InProcessPython(PythonInterpreter interpreter)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        thread = new Thread(() => Host(interpreter, started)) { IsBackground = true, Name = "python" };
        thread.Start();
        started.Task.GetAwaiter().GetResult();
    }

    /// <summary>Starts the interpreter. A process can host one, and cannot start it a second time.</summary>
    /// <exception cref="PythonWorkerException">It does not start.</exception>
    public static InProcessPython Start(PythonInterpreter interpreter) => new(interpreter);

    /// <summary>Runs code on Python's thread, under Python's lock, and waits for it.</summary>
    public T Run<T>(Func<T> body)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        work.Add(() =>
        {
            using var gil = Py.GIL();
            try
            {
                done.SetResult(body());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task.GetAwaiter().GetResult();
    }

    /// <summary>Runs code on Python's thread, under Python's lock, and waits for it.</summary>
    public void Run(Action body) => Run(() =>
    {
        body();
        return true;
    });

    /// <summary>Ends the thread. The interpreter stays, because torch does not survive its end.</summary>
    public void Dispose()
    {
        work.CompleteAdding();
        thread.Join();
        work.Dispose();
    }

    private void Host(PythonInterpreter interpreter, TaskCompletionSource started)
    {
        try
        {
            if (!PythonEngine.IsInitialized)
            {
                Libpython.PythonDLL = interpreter.LibPython;
                PythonEngine.ProgramName = interpreter.Executable;
                PythonEngine.Initialize();
                PythonEngine.BeginAllowThreads();
            }
            using (Py.GIL())
            {
                using var sys = Py.Import("sys");
                using var path = sys.GetAttr("path");
                using var folder = PythonFiles.Folder.ToPython();
                path.InvokeMethod("append", folder).Dispose();
            }
            started.SetResult();
        }
        catch (Exception e)
        {
            started.SetException(new PythonWorkerException($"Python does not start in this process: {e.Message}", null, ""));
            return;
        }
        foreach (var action in work.GetConsumingEnumerable())
            action();
    }
}
