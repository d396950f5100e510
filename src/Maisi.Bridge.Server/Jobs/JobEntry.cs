using System.Diagnostics;
using Maisi.Bridge.Client;

namespace Maisi.Bridge.Server;

/// <summary>Why a job is stopped.</summary>
internal enum StopReason
{
    /// <summary>It is not.</summary>
    None,

    /// <summary>A client wants it so, or has gone.</summary>
    Cancelled,

    /// <summary>It took longer than the request that waits for it may take.</summary>
    TimedOut,

    /// <summary>The server stops.</summary>
    Draining,
}

/// <summary>A job that waits or runs: its record, its progress, and the means to stop it and to wait for it.</summary>
internal sealed class JobEntry(JobRecord record) : IProgress<WorkProgress>, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile JobRecord _record = record;
    private volatile JobProgress? _progress;
    private int _reason;

    /// <summary>The job as it stands.</summary>
    public JobRecord Record => _record;

    /// <summary>How far it has come; null before it begins.</summary>
    public JobProgress? Progress => _progress;

    /// <summary>Why it is stopped.</summary>
    public StopReason Reason => (StopReason)_reason;

    /// <summary>Whether it is deleted when it has ended.</summary>
    public bool DeleteAtEnd { get; set; }

    /// <summary>The trace of the request that submitted it.</summary>
    public ActivityContext Trace { get; } = Activity.Current?.Context ?? default;

    /// <summary>Cancelled when it is to stop.</summary>
    public CancellationToken Token => _stop.Token;

    /// <summary>Done when it has ended, or has gone back to the queue of the next start.</summary>
    public Task Completion => _done.Task;

    /// <summary>Done when anything of it has changed since this was read.</summary>
    public Task Changed => _changed.Task;

    /// <inheritdoc/>
    public void Report(WorkProgress value)
    {
        _progress = new JobProgress
        {
            Stage = value.Stage, Done = value.Done, Total = value.Total, RemainingSeconds = value.Remaining?.TotalSeconds, Detail = value.Detail,
            Samples = value.Stage == "sample" ? value.Done : _progress?.Samples ?? 0,
        };
        Signal();
    }

    /// <summary>Puts a new record in place of the old one.</summary>
    public void Set(JobRecord changed)
    {
        _record = changed;
        Signal();
    }

    /// <summary>Tells it to stop; the first reason counts.</summary>
    public void Stop(StopReason reason)
    {
        if (Interlocked.CompareExchange(ref _reason, (int)reason, (int)StopReason.None) == (int)StopReason.None)
            _stop.Cancel();
    }

    /// <summary>Wakes those who wait for its end.</summary>
    public void Complete()
    {
        _done.TrySetResult();
        Signal();
    }

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private void Signal() => Interlocked.Exchange(ref _changed, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
}
