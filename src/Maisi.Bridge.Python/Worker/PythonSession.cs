namespace Maisi.Bridge.Python;

/// <summary>One worker for several calls, one at a time. When a call ends the worker (a crash, a limit), the session is over.</summary>
public sealed class PythonSession : IAsyncDisposable
{
    private readonly WorkerProcess worker;
    private readonly SemaphoreSlim turn = new(1, 1);

    internal PythonSession(WorkerProcess worker) => this.worker = worker;

    /// <summary>Whether calls are still possible.</summary>
    public bool IsOpen => worker.Usable;

    /// <summary>The worker's process id.</summary>
    public int ProcessId => worker.Id;

    /// <summary>Calls a function; see <see cref="IPythonRuntime.CallAsync"/>.</summary>
    public async Task<object?> CallAsync(
        string target, PythonArguments? arguments = null, IProgress<PythonProgress>? progress = null, PythonCallOptions? options = null, CancellationToken token = default)
    {
        await turn.WaitAsync(token);
        try
        {
            if (!worker.Usable)
                throw new PythonWorkerException($"the session's Python process has ended before {target}", null, "");
            return await worker.CallAsync(target, arguments ?? PythonArguments.None, options ?? new PythonCallOptions(), progress, token);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Lets the worker forget objects.</summary>
    public Task ReleaseAsync(IEnumerable<PythonHandle> handles, CancellationToken token = default) =>
        CallAsync("worker:release", PythonArguments.Of(handles.Select(h => h.Id).ToList()), token: token);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await worker.DisposeAsync();
        turn.Dispose();
    }
}
