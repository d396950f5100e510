using Microsoft.Extensions.Hosting;

namespace Maisi.Bridge.Server;

/// <summary>Deletes ended jobs that are too old, and the oldest while all of them take too much.</summary>
internal sealed class Retention(MaisiServerOptions options, JobStore store, JobService jobs, TimeProvider time, ILogger<Retention> log) : BackgroundService
{
    private static readonly TimeSpan _interval = TimeSpan.FromMinutes(1);

    /// <summary>Deletes what is due now.</summary>
    public void Sweep()
    {
        jobs.StoreAgain();
        var ended = store.Ended();
        var (bytes, now) = (ended.Sum(r => r.Bytes), time.GetUtcNow());
        foreach (var record in ended)
        {
            if (bytes <= options.RetentionBytes && now - record.Finished <= options.RetentionAge)
                continue;
            jobs.Delete(record);
            bytes -= record.Bytes;
            ServerLog.Expired(log, record.Id, record.Bytes);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_interval, time);
        do
        {
            try
            {
                Sweep();
            }
            catch (Exception e) when (e is IOException or Microsoft.Data.Sqlite.SqliteException)
            {
                ServerLog.CannotStore(log, "retention", e);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
