namespace Maisi.Bridge;

/// <summary>How far a long piece of work has come.</summary>
/// <param name="Stage">What is being done, for instance "denoise".</param>
/// <param name="Done">Units finished.</param>
/// <param name="Total">Units in all.</param>
/// <param name="Remaining">Estimated time left in this stage; null before the first unit.</param>
/// <param name="Detail">Figures worth showing, for instance a loss.</param>
public sealed record WorkProgress(string Stage, long Done, long Total, TimeSpan? Remaining, string? Detail = null);

/// <summary>Counts the units of one stage and estimates the time left from those that are done.</summary>
/// <param name="stage">The stage's name.</param>
/// <param name="total">Units in all.</param>
/// <param name="progress">Who is told.</param>
/// <param name="before">Units that an earlier run finished.</param>
/// <param name="time">The clock.</param>
public sealed class StageClock(string stage, long total, IProgress<WorkProgress>? progress, long before = 0, TimeProvider? time = null)
{
    private readonly TimeProvider time = time ?? TimeProvider.System;
    private readonly long started = (time ?? TimeProvider.System).GetTimestamp();

    /// <summary>Time since the stage began.</summary>
    public TimeSpan Elapsed => time.GetElapsedTime(started);

    /// <summary>Reports that <paramref name="done"/> units are finished.</summary>
    public void Report(long done, string? detail = null) =>
        progress?.Report(new WorkProgress(stage, done, total, done > before ? Elapsed * ((total - done) / (double)(done - before)) : null, detail));
}
