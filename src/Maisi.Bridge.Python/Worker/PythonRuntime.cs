using Microsoft.Extensions.Logging;

namespace Maisi.Bridge.Python;

/// <summary>Finds the interpreter, starts workers, and owns what they share.</summary>
public sealed class PythonRuntime : IPythonRuntime
{
    private readonly PythonOptions options;
    private readonly ILoggerFactory loggers;
    private readonly TimeProvider time;
    private readonly WorkerPool pool;
    private readonly Lazy<SharedFolder> shared = new(() => new SharedFolder());
    private readonly SemaphoreSlim locating = new(1, 1);
    private PythonInterpreter? interpreter;

    /// <param name="options">How Python is found and how its workers behave.</param>
    /// <param name="loggers">Receives Python's logging as <c>Python.*</c>, its prints as <c>Python.output</c>.</param>
    /// <param name="time">The clock of all limits.</param>
    public PythonRuntime(PythonOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        this.options = options;
        this.loggers = loggers;
        this.time = time;
        pool = new WorkerPool(options, time);
    }

    /// <inheritdoc/>
    public async Task<PythonInterpreter> InterpreterAsync(CancellationToken token = default)
    {
        if (interpreter is { } known)
            return known;
        await locating.WaitAsync(token);
        try
        {
            if (interpreter is null)
            {
                interpreter = (await PythonLocator.FindAsync(PythonSearch.Current(options.Executable), [.. options.Modules], token)).Interpreter;
                PythonLog.Located(loggers.CreateLogger("Maisi.Bridge.Python"), interpreter.Version, interpreter.Executable, interpreter.Locator);
            }
            return interpreter;
        }
        finally
        {
            locating.Release();
        }
    }

    /// <inheritdoc/>
    public SharedArray CreateArray(string dtype, IReadOnlyList<long> shape, PythonArrayKind kind = PythonArrayKind.Numpy) =>
        SharedArray.Create(shared.Value.Paths, dtype, shape, kind);

    /// <inheritdoc/>
    public SharedArray CreateArray(string dtype, IReadOnlyList<long> shape, PythonArrayKind kind, ReadOnlySpan<byte> content) =>
        SharedArray.Create(shared.Value.Paths, dtype, shape, kind, content);

    /// <inheritdoc/>
    public async Task<object?> CallAsync(
        string target, PythonArguments? arguments = null, IProgress<PythonProgress>? progress = null, PythonCallOptions? options = null, CancellationToken token = default)
    {
        var found = await InterpreterAsync(token);
        var limits = options ?? new PythonCallOptions();
        Task<object?> Call(WorkerProcess worker) => worker.CallAsync(target, arguments ?? PythonArguments.None, limits, progress, token);
        if (limits.Pooled)
            return await pool.RunAsync(() => Start(found), Call, token);
        await using var worker = Start(found);
        return await Call(worker);
    }

    /// <inheritdoc/>
    public async Task<PythonSession> OpenSessionAsync(CancellationToken token = default) => new(Start(await InterpreterAsync(token)));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await pool.DisposeAsync();
        if (shared.IsValueCreated)
            shared.Value.Dispose();
        locating.Dispose();
    }

    private WorkerProcess Start(PythonInterpreter found) => WorkerProcess.Start(found, options, shared.Value, loggers, time);
}
