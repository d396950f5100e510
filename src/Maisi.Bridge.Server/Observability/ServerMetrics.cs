using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Maisi.Bridge.Server;

/// <summary>The meters of the service, for OpenTelemetry and for <see cref="PrometheusText"/>, and the source of its traces.</summary>
internal sealed class ServerMetrics : IDisposable
{
    /// <summary>Name of meter and traces.</summary>
    public const string Name = "Maisi.Bridge.Server";

    private readonly Meter _meter = new(Name);
    private readonly Counter<long> _jobs;
    private readonly Counter<long> _samples;
    private readonly Counter<long> _requests;
    private readonly Histogram<double> _jobSeconds;
    private readonly Histogram<double> _waitSeconds;
    private int _busy;

    public ServerMetrics(JobQueue queue, LoadedBundle bundle)
    {
        _jobs = _meter.CreateCounter<long>("maisi_jobs", description: "Jobs that ended.");
        _samples = _meter.CreateCounter<long>("maisi_samples", description: "Samples that were made.");
        _requests = _meter.CreateCounter<long>("maisi_requests", description: "Requests that were answered.");
        _jobSeconds = _meter.CreateHistogram<double>("maisi_job_seconds", description: "Time from the start to the end of a job.");
        _waitSeconds = _meter.CreateHistogram<double>("maisi_wait_seconds", description: "Time that a job waited.");
        _meter.CreateObservableGauge("maisi_queue_length", () => queue.Count, description: "Jobs that wait.");
        _meter.CreateObservableGauge("maisi_jobs_running", () => _busy, description: "Jobs that run.");
        _meter.CreateObservableGauge("maisi_ready", () => bundle.Ready.IsCompletedSuccessfully ? 1 : 0, description: "1 when the weights are loaded.");
        _meter.CreateObservableGauge("maisi_memory_bytes", () => Environment.WorkingSet, description: "Memory of the process.");
        _meter.CreateObservableGauge("maisi_managed_bytes", () => GC.GetTotalMemory(forceFullCollection: false), description: "Memory of .NET objects.");
    }

    /// <summary>Traces.</summary>
    public static ActivitySource Source { get; } = new(Name);

    /// <summary>A job has ended.</summary>
    public void Ended(JobRecord record)
    {
        var (kind, state) = (Names.Of(LoadedBundle.KindOf(record.Options.Kind)), Names.Of(record.State));
        _jobs.Add(1, new("kind", kind), new("state", state));
        if (record.State != Client.JobState.Succeeded)
            return;
        _samples.Add(record.Options.Count, new KeyValuePair<string, object?>("kind", kind));
        _jobSeconds.Record((record.Finished!.Value - record.Started!.Value).TotalSeconds, new KeyValuePair<string, object?>("kind", kind));
    }

    /// <summary>A job has waited.</summary>
    public void Waited(double seconds) => _waitSeconds.Record(seconds);

    /// <summary>A request was answered.</summary>
    public void Answered(string route, string method, int status) => _requests.Add(1, new("route", route), new("method", method), new("status", status));

    /// <summary>A device works until the result is disposed.</summary>
    public IDisposable Busy()
    {
        Interlocked.Increment(ref _busy);
        return new Idle(this);
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private sealed class Idle(ServerMetrics metrics) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref metrics._busy);
    }
}
