using System.Collections.Concurrent;
using Maisi.Bridge.Client;
using Microsoft.Data.Sqlite;

namespace Maisi.Bridge.Server;

/// <summary>
/// The life of jobs: accepted, queued, begun, ended, deleted. A job is in the database before its client hears of it, and its end is there
/// before its client can see it.
/// </summary>
internal sealed class JobService(
    MaisiServerOptions options, LoadedBundle bundle, DataFolder folder, JobStore store, JobQueue queue, DurationEstimate durations, ServerMetrics metrics, TimeProvider time, ILogger<JobService> log)
{
    private readonly Lock _gate = new();
    private readonly Lock _removal = new();
    private readonly ConcurrentDictionary<string, JobEntry> _active = new(StringComparer.Ordinal);
    private long _lastId;
    private volatile bool _draining;

    /// <summary>Whether the server stops.</summary>
    public bool IsDraining => _draining;

    /// <summary>Jobs that wait or run.</summary>
    public int Active => _active.Count;

    /// <summary>Accepts a job.</summary>
    /// <param name="order">What to make.</param>
    /// <param name="owner">The client.</param>
    /// <param name="transient">Whether a request waits for it.</param>
    /// <param name="key">The client's key against doing it twice, and the hash of the request.</param>
    /// <returns>The job, its entry while it is active, and whether it is new.</returns>
    /// <exception cref="RequestProblem">The queue or the disk is full, the server stops, or the key came with another request.</exception>
    public (JobRecord Record, JobEntry? Entry, bool IsNew) Submit(Order order, string owner, bool transient, (string Key, string Hash)? key = null)
    {
        lock (_gate)
        {
            if (key is { } k && store.FindByKey(owner, k.Key) is { } same)
                return same.RequestHash == k.Hash ? (same, _active.GetValueOrDefault(same.Id), false) : throw new RequestProblem(
                    StatusCodes.Status422UnprocessableEntity, "idempotency-key", "The idempotency key was used for another request.", "Choose a new key for a new request.");
            RequireRoom();
            _lastId = Math.Max(_lastId + 1, time.GetUtcNow().ToUnixTimeMilliseconds());
            var record = new JobRecord
            {
                // In the order of acceptance, and not to be guessed.
                Id = $"{_lastId:x12}{Random.Shared.NextInt64():x16}{Random.Shared.Next(1 << 16):x4}",
                Owner = owner,
                Transient = transient,
                Options = order.Options,
                ImageExtension = order.ImageExtension,
                LabelExtension = order.LabelExtension,
                Mask = order.Mask is { } mask ? "mask" + Path.GetFileName(mask)[32..] : null,
                Created = time.GetUtcNow(),
                IdempotencyKey = key?.Key,
                RequestHash = key?.Hash,
            };
            Store(record, order.Mask);
            var entry = new JobEntry(record);
            _active[record.Id] = entry;
            queue.Add(entry);
            ServerLog.Accepted(log, record.Id, record.Options.Kind, record.Options.Count, record.Options.Seed, owner);
            return (record, entry, true);
        }
    }

    /// <summary>Takes up the jobs that the last process left.</summary>
    public void Recover()
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var record in store.Unfinished())
        {
            var entry = new JobEntry(record);
            _active[record.Id] = entry;
            if (record.Transient)
            {
                entry.DeleteAtEnd = true;
                End(entry, JobState.Failed);
            }
            else if (record.Starts >= options.MaxStarts)
            {
                ServerLog.GivenUp(log, record.Id, record.Starts);
                End(entry, JobState.Failed, Failure("given-up", $"The server ended {record.Starts} times while this job ran."));
            }
            else
            {
                entry.Set(record with { State = JobState.Queued });
                queue.Add(entry);
                ServerLog.TakenUp(log, record.Id, record.Starts);
            }
        }
        known.UnionWith(_active.Keys);
        known.UnionWith(store.Ended().Select(r => r.Id));
        folder.RemoveOrphans(known.Contains);
    }

    /// <summary>A job of a client.</summary>
    /// <exception cref="RequestProblem">There is none.</exception>
    public JobRecord Find(string id, string owner) => (Entry(id)?.Record ?? store.Find(id)) is { Transient: false } record && record.Owner == owner
        ? record : throw RequestProblem.NotFound("There is no job of this id.");

    /// <summary>A job while it waits or runs; null afterwards.</summary>
    public JobEntry? Entry(string id) => _active.GetValueOrDefault(id);

    /// <summary>Jobs of a client, newest first.</summary>
    public IReadOnlyList<JobRecord> List(string owner, JobState? state, string? after, int limit) =>
        [.. store.List(owner, state, after, limit).Select(r => Entry(r.Id)?.Record ?? r)];

    /// <summary>Stops a job that waits or runs.</summary>
    public void Cancel(JobEntry entry, StopReason reason = StopReason.Cancelled)
    {
        entry.Stop(reason);
        if (queue.Remove(entry))
            End(entry, JobState.Cancelled);
    }

    /// <summary>Deletes a job; one that runs is stopped, and deleted as soon as its thread lets go of it.</summary>
    public void Delete(JobRecord record)
    {
        if (Entry(record.Id) is { } entry)
        {
            entry.DeleteAtEnd = true;
            Cancel(entry);
            // One that has ended stays here while a full disk keeps its end out of the database.
            if (!entry.Completion.IsCompleted)
                return;
        }
        Forget(record.Id);
    }

    /// <summary>Marks a job as running.</summary>
    /// <exception cref="SqliteException">The disk refused.</exception>
    public void Begin(JobEntry entry)
    {
        var record = entry.Record with { State = JobState.Running, Started = time.GetUtcNow(), Starts = entry.Record.Starts + 1 };
        store.Update(record);
        entry.Set(record);
        metrics.Waited((record.Started.Value - record.Created).TotalSeconds);
    }

    /// <summary>Ends a job.</summary>
    public void End(JobEntry entry, JobState state, Problem? problem = null, IReadOnlyList<JobFile>? files = null)
    {
        var record = entry.Record with { State = state, Finished = time.GetUtcNow(), Problem = problem, Files = files ?? [] };
        if (state == JobState.Succeeded)
            durations.Learn(record.Options, record.Finished.Value - record.Started!.Value);
        Close(entry, record, keepFiles: state == JobState.Succeeded);
        metrics.Ended(record);
        ServerLog.Ended(log, record.Id, state, (record.Finished.Value - record.Created).TotalSeconds, problem?.Detail ?? "");
    }

    /// <summary>Leaves a job that the end of the server stopped to the next start; one that a request waits for ends here.</summary>
    public void Interrupt(JobEntry entry)
    {
        if (entry.Record.Transient)
            End(entry, JobState.Failed, Draining().Body);
        else
            Close(entry, entry.Record with { State = JobState.Queued, Starts = entry.Record.Starts - (entry.Record.State == JobState.Running ? 1 : 0) }, keepFiles: true);
    }

    /// <summary>Takes nothing any more and ends what only waits; what runs goes on.</summary>
    public void Drain()
    {
        lock (_gate)
            _draining = true;
        foreach (var entry in queue.Close())
            Interrupt(entry);
    }

    /// <summary>Stops what still runs.</summary>
    public void StopRunning()
    {
        foreach (var entry in _active.Values)
            entry.Stop(StopReason.Draining);
    }

    /// <summary>Stores ends that a full disk has kept out of the database.</summary>
    public void StoreAgain()
    {
        foreach (var entry in _active.Values.Where(e => e.Completion.IsCompleted))
            Close(entry, entry.Record, keepFiles: entry.Record.State == JobState.Succeeded);
    }

    /// <summary>A job as its client sees it.</summary>
    public Job View(JobRecord record)
    {
        var entry = Entry(record.Id);
        var ahead = entry is null ? null : queue.Before(entry);
        return new Job
        {
            Id = record.Id,
            Kind = LoadedBundle.KindOf(record.Options.Kind),
            State = record.State,
            Seed = record.Options.Seed,
            NumOutputSamples = record.Options.Count,
            CreatedAt = record.Created,
            StartedAt = record.Started,
            FinishedAt = record.Finished,
            Position = ahead?.Count + 1,
            EstimatedSeconds = entry is null ? null : Estimate(entry, ahead),
            Progress = record.State == JobState.Running ? entry?.Progress : null,
            OutputSize = record.Options.Size,
            Spacing = record.Options.Spacing,
            Files = record.Files,
            Problem = record.Problem,
        };
    }

    /// <summary>A failure that is not the request's fault.</summary>
    public static Problem Failure(string kind, string detail) => new()
    {
        Type = $"urn:maisi:problem:{kind}", Title = "The job failed.", Status = StatusCodes.Status500InternalServerError, Detail = detail,
    };

    private double? Estimate(JobEntry entry, IReadOnlyList<JobEntry>? ahead)
    {
        double Left(JobEntry running) => Math.Max(0, (durations.Of(running.Record.Options) ?? 0) - (time.GetUtcNow() - (running.Record.Started ?? time.GetUtcNow())).TotalSeconds);
        if (durations.Of(entry.Record.Options) is not { } own)
            return null;
        if (ahead is null)
            return Left(entry);
        var others = _active.Values.Where(e => e.Record.State == JobState.Running).Sum(Left) + ahead.Sum(e => durations.Of(e.Record.Options) ?? own);
        return own + (others / Math.Max(1, options.Devices.Count));
    }

    private void RequireRoom()
    {
        if (_draining)
            throw Draining();
        if (bundle.Ready.IsFaulted)
            throw new RequestProblem(StatusCodes.Status503ServiceUnavailable, "not-ready", "The weights could not be loaded.", "See the server's log.");
        if (queue.Count >= options.QueueLimit)
            throw new RequestProblem(StatusCodes.Status429TooManyRequests, "queue-full", "The queue is full.", $"{queue.Count} jobs wait.", "Try again later.") { RetryAfter = 10 };
        if (folder.Free < options.MinFreeBytes)
            throw NoSpace();
    }

    private void Store(JobRecord record, string? mask)
    {
        try
        {
            folder.Create(record.Id);
            if (mask is not null)
                File.Move(mask, Path.Combine(folder.Job(record.Id), record.Mask!));
            store.Add(record);
        }
        catch (Exception e) when (e is SqliteException or IOException)
        {
            ServerLog.CannotStore(log, record.Id, e);
            folder.Remove(record.Id);
            throw NoSpace();
        }
    }

    private void Close(JobEntry entry, JobRecord record, bool keepFiles)
    {
        try
        {
            if (!keepFiles)
                folder.Remove(record.Id);
            record = record with { Bytes = Directory.Exists(folder.Job(record.Id)) ? folder.Size(record.Id) : 0 };
            store.Update(record);
            entry.Set(record);
            _active.TryRemove(record.Id, out _);
        }
        catch (Exception e) when (e is SqliteException or IOException)
        {
            // It stays here until the disk takes it.
            ServerLog.CannotStore(log, record.Id, e);
            entry.Set(record);
        }
        entry.Complete();
        // Looked at after the end is to be seen: whoever deletes it from now on does so himself.
        if (entry.DeleteAtEnd)
            TryForget(record.Id);
    }

    private void TryForget(string id)
    {
        try
        {
            Forget(id);
        }
        catch (Exception e) when (e is SqliteException or IOException)
        {
            ServerLog.CannotStore(log, id, e);
        }
    }

    // First the files: on a full disk the database needs the room that they leave.
    private void Forget(string id)
    {
        lock (_removal)
        {
            folder.Remove(id);
            store.Remove(id);
            _active.TryRemove(id, out _);
        }
    }

    private static RequestProblem Draining() => new(StatusCodes.Status503ServiceUnavailable, "draining", "The server is stopping.", hint: "Send the request again to the next one.") { RetryAfter = 10 };

    private static RequestProblem NoSpace() =>
        new(StatusCodes.Status507InsufficientStorage, "no-space", "The server's disk is full.", hint: "Delete jobs that are not needed, or try again later.") { RetryAfter = 60 };
}
