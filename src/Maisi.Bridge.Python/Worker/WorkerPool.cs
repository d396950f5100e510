namespace Maisi.Bridge.Python;

/// <summary>Warm workers for short calls. At most <see cref="PythonOptions.PoolSize"/> run at a time; idle ones end after a while.</summary>
internal sealed class WorkerPool : IAsyncDisposable
{
    private readonly PythonOptions options;
    private readonly TimeProvider time;
    private readonly SemaphoreSlim places;
    private readonly Stack<(WorkerProcess Worker, long Since)> idle = new();
    private readonly ITimer reaper;
    private bool disposed;

    public WorkerPool(PythonOptions options, TimeProvider time)
    {
        this.options = options;
        this.time = time;
        places = new SemaphoreSlim(options.PoolSize);
        reaper = time.CreateTimer(_ => _ = ReapAsync(), null, options.PoolIdle, options.PoolIdle / 2);
    }

    /// <summary>Runs one call in an idle worker, or in a new one.</summary>
    public async Task<object?> RunAsync(Func<WorkerProcess> start, Func<WorkerProcess, Task<object?>> call, CancellationToken token)
    {
        await places.WaitAsync(token);
        WorkerProcess? worker = null;
        try
        {
            worker = Take() ?? start();
            return await call(worker);
        }
        finally
        {
            places.Release();
            if (worker is not null && !Keep(worker))
                await worker.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        List<WorkerProcess> workers;
        lock (idle)
        {
            disposed = true;
            workers = [.. idle.Select(entry => entry.Worker)];
            idle.Clear();
        }
        await reaper.DisposeAsync();
        await Task.WhenAll(workers.Select(w => w.DisposeAsync().AsTask()));
    }

    private WorkerProcess? Take()
    {
        lock (idle)
        {
            // A worker that has died while idle is taken off here too; its own watch has cleaned up after it.
            while (idle.TryPop(out var entry))
            {
                if (entry.Worker.Usable)
                    return entry.Worker;
                _ = entry.Worker.DisposeAsync().AsTask();
            }
            return null;
        }
    }

    private bool Keep(WorkerProcess worker)
    {
        lock (idle)
        {
            if (disposed || !worker.Usable || worker.Calls >= options.PoolCallsPerWorker)
                return false;
            idle.Push((worker, time.GetTimestamp()));
            return true;
        }
    }

    private async Task ReapAsync()
    {
        List<WorkerProcess> old;
        lock (idle)
        {
            old = [.. idle.Where(Old).Select(entry => entry.Worker)];
            var kept = idle.Where(entry => !Old(entry)).Reverse().ToList();
            idle.Clear();
            kept.ForEach(idle.Push);
        }
        foreach (var worker in old)
            await worker.DisposeAsync();
        bool Old((WorkerProcess Worker, long Since) entry) => time.GetElapsedTime(entry.Since) > options.PoolIdle;
    }
}
