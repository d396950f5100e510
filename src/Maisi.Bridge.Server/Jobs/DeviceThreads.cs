using Maisi.Bridge.Generation;
using Microsoft.Extensions.Hosting;

namespace Maisi.Bridge.Server;

/// <summary>
/// A thread for every device: it loads the weights once, then makes one job after the other. Tensors never leave their thread. When the
/// server stops, what runs gets the drain time to end.
/// </summary>
internal sealed class DeviceThreads(
    MaisiServerOptions options, LoadedBundle bundle, JobQueue queue, JobService jobs, JobRunner runner, IHostApplicationLifetime lifetime, ILogger<DeviceThreads> log) : IHostedService
{
    private readonly List<Thread> _threads = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        jobs.Recover();
        string[] devices = options.Devices.Count == 0 ? ["cpu"] : [.. options.Devices];
        _running = devices.Length;
        foreach (var (device, i) in devices.Select((d, i) => (d, i)))
        {
            var thread = new Thread(() => Work(device)) { IsBackground = true, Name = $"maisi {device} {i}" };
            _threads.Add(thread);
            thread.Start();
        }
        // Kestrel waits for the requests that are on their way; those that wait for a job must not keep it waiting for ever.
        lifetime.ApplicationStopping.Register(() =>
        {
            ServerLog.Draining(log, options.DrainTimeout.TotalSeconds);
            jobs.Drain();
            _ = Task.Delay(options.DrainTimeout, CancellationToken.None).ContinueWith(_ => jobs.StopRunning(), TaskScheduler.Default);
        });
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        jobs.Drain();
        if (_threads.Count > 0)
            await _ended.Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        jobs.StopRunning();
    }

    private void Work(string device)
    {
        ModelBundle? model = null;
        try
        {
            model = bundle.Load(device);
            ServerLog.Ready(log, bundle.Name, device);
            while (queue.Take() is { } entry)
                runner.Run(entry, model, device);
        }
        catch (Exception e) when (model is null)
        {
            ServerLog.CannotLoad(log, bundle.Path, e);
        }
        finally
        {
            model?.Dispose();
            if (Interlocked.Decrement(ref _running) == 0)
                _ended.TrySetResult();
        }
    }
}
