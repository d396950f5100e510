using System.Diagnostics;
using Maisi.Bridge.Client;
using Maisi.Bridge.Generation;
using Microsoft.Data.Sqlite;

namespace Maisi.Bridge.Server;

/// <summary>Makes the samples of a job on the thread of a device, and brings them to the formats that were asked for.</summary>
internal sealed class JobRunner(LoadedBundle bundle, DataFolder folder, JobService jobs, ResultFiles results, ServerMetrics metrics, ILogger<JobRunner> log)
{
    /// <summary>Runs a job to its end; whatever happens is in its record.</summary>
    public void Run(JobEntry entry, ModelBundle model, string device)
    {
        using var activity = ServerMetrics.Source.StartActivity("maisi.job", ActivityKind.Internal, entry.Trace);
        activity?.SetTag("maisi.job", entry.Record.Id).SetTag("maisi.kind", Names.Of(LoadedBundle.KindOf(entry.Record.Options.Kind))).SetTag("maisi.samples", entry.Record.Options.Count);
        using var scope = log.BeginScope(new KeyValuePair<string, object>("job", entry.Record.Id));
        using var busy = metrics.Busy();
        try
        {
            jobs.Begin(entry);
            var record = entry.Record;
            var run = new SynthesisRun(bundle.Path, record.Options with { Device = device }, folder.Run(record.Id))
            {
                Masks = record.Mask is { } mask ? [Path.Combine(folder.Job(record.Id), mask)] : [],
                // What an interrupted run has finished is kept when it was made from the same things.
                Resume = true,
                Model = model,
            };
            var manifest = run.Execute(entry, entry.Token);
            using var finishing = ServerMetrics.Source.StartActivity("maisi.results");
            jobs.End(entry, JobState.Succeeded, files: results.Collect(record, manifest, entry.Token));
        }
        catch (OperationCanceledException) when (entry.Reason == StopReason.Draining)
        {
            jobs.Interrupt(entry);
        }
        catch (OperationCanceledException) when (entry.Reason != StopReason.None)
        {
            jobs.End(entry, JobState.Cancelled);
        }
        catch (Exception e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.Message);
            ServerLog.JobFailed(log, entry.Record.Id, e);
            jobs.End(entry, JobState.Failed, Describe(e));
        }
    }

    // A client learns what it can act on, and nothing of the server's folders.
    private Problem Describe(Exception e) => e switch
    {
        MaisiException { InnerException: IOException } or IOException or SqliteException => JobService.Failure("storage", "The files could not be written; the server's disk may be full."),
        MaisiException m => JobService.Failure("generation", m.Message.Replace(folder.Root, "", StringComparison.Ordinal).Replace(bundle.Path, bundle.Name, StringComparison.Ordinal)) with { Hint = m.Where?.StartsWith("--", StringComparison.Ordinal) == true ? null : Hint(m) },
        OutOfMemoryException => JobService.Failure("memory", "The job did not fit into memory."),
        _ => JobService.Failure("defect", "An unexpected error; the server's log has it under the job's id."),
    };

    private string? Hint(MaisiException e) => e.Hint is { } hint && !hint.Contains("--", StringComparison.Ordinal) && !hint.Contains(folder.Root, StringComparison.Ordinal) ? hint : null;
}
