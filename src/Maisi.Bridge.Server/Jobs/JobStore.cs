using System.Text.Json;
using Maisi.Bridge.Client;
using Microsoft.Data.Sqlite;

namespace Maisi.Bridge.Server;

/// <summary>
/// Jobs in SQLite. A record is a line of JSON; what is searched has columns of its own. Every write is on disk when it returns, so that
/// what was accepted is not lost with the power either.
/// </summary>
internal sealed class JobStore : IDisposable
{
    private const int Version = 1;

    private readonly Lock _gate = new();
    private readonly SqliteConnection _connection;

    /// <param name="path">The database; made when it is missing.</param>
    /// <exception cref="MaisiException">It cannot be opened, or a later version wrote it.</exception>
    public JobStore(string path)
    {
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        try
        {
            _connection.Open();
            Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=5000;");
            var version = Convert.ToInt32(Command("PRAGMA user_version").ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture);
            if (version > Version)
                throw new MaisiException($"The jobs were stored by a later version of the program (format {version}, this one knows {Version}).", path, "Use that version, or another data folder.");
            Execute($"""
                CREATE TABLE IF NOT EXISTS jobs (
                    id TEXT PRIMARY KEY, owner TEXT NOT NULL, state INTEGER NOT NULL, finished INTEGER, bytes INTEGER NOT NULL, idempotency_key TEXT, record TEXT NOT NULL) WITHOUT ROWID;
                CREATE UNIQUE INDEX IF NOT EXISTS jobs_key ON jobs (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
                CREATE INDEX IF NOT EXISTS jobs_state ON jobs (state, id);
                PRAGMA user_version={Version};
                """);
        }
        catch (SqliteException e)
        {
            _connection.Dispose();
            throw new MaisiException($"The database of jobs cannot be used: {e.Message}", path, "Restore the file, or choose another data folder.", e);
        }
    }

    /// <summary>Adds a job, unless its owner has one with the same idempotency key: then that one is given.</summary>
    /// <exception cref="SqliteException">The disk refused.</exception>
    public JobRecord Add(JobRecord record)
    {
        lock (_gate)
        {
            if (record.IdempotencyKey is { } key && Read("owner=$owner AND idempotency_key=$key", 1, ("$owner", record.Owner), ("$key", key)).FirstOrDefault() is { } same)
                return same;
            Write("INSERT INTO jobs (id, owner, state, finished, bytes, idempotency_key, record) VALUES ($id, $owner, $state, $finished, $bytes, $key, $record)", record);
            return record;
        }
    }

    /// <summary>Stores what has changed.</summary>
    /// <exception cref="SqliteException">The disk refused.</exception>
    public void Update(JobRecord record)
    {
        lock (_gate)
            Write("UPDATE jobs SET state=$state, finished=$finished, bytes=$bytes, record=$record WHERE id=$id", record);
    }

    /// <summary>Removes a job.</summary>
    public void Remove(string id)
    {
        lock (_gate)
        {
            using var command = Command("DELETE FROM jobs WHERE id=$id", ("$id", id));
            command.ExecuteNonQuery();
        }
    }

    /// <summary>A job; null when there is none.</summary>
    public JobRecord? Find(string id)
    {
        lock (_gate)
            return Read("id=$id", 1, ("$id", id)).FirstOrDefault();
    }

    /// <summary>The job that its owner gave an idempotency key; null when there is none.</summary>
    public JobRecord? FindByKey(string owner, string key)
    {
        lock (_gate)
            return Read("owner=$owner AND idempotency_key=$key", 1, ("$owner", owner), ("$key", key)).FirstOrDefault();
    }

    /// <summary>Jobs of a client, newest first, without those that belong to a waiting request.</summary>
    /// <param name="owner">The client.</param>
    /// <param name="state">Only those that stand so.</param>
    /// <param name="after">Only those older than this one.</param>
    /// <param name="limit">At most so many.</param>
    public IReadOnlyList<JobRecord> List(string owner, JobState? state, string? after, int limit)
    {
        lock (_gate)
        {
            return Read("owner=$owner AND json_extract(record, '$.transient')=0 AND ($state IS NULL OR state=$state) AND ($after IS NULL OR id<$after) ORDER BY id DESC", limit,
                ("$owner", owner), ("$state", (int?)state), ("$after", after));
        }
    }

    /// <summary>Jobs that wait or ran when the process ended, in the order in which they were accepted.</summary>
    public IReadOnlyList<JobRecord> Unfinished()
    {
        lock (_gate)
            return Read("state IN (0, 1) ORDER BY id", -1);
    }

    /// <summary>Ended jobs, oldest first.</summary>
    public IReadOnlyList<JobRecord> Ended()
    {
        lock (_gate)
            return Read("state > 1 ORDER BY finished, id", -1);
    }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    private List<JobRecord> Read(string where, int limit, params (string Name, object? Value)[] values)
    {
        using var command = Command($"SELECT record FROM jobs WHERE {where} LIMIT $limit", [.. values, ("$limit", limit)]);
        using var reader = command.ExecuteReader();
        var records = new List<JobRecord>();
        while (reader.Read())
            records.Add(JsonSerializer.Deserialize(reader.GetString(0), JobJson.Default.JobRecord)!);
        return records;
    }

    private void Write(string text, JobRecord record)
    {
        using var command = Command(text, ("$id", record.Id), ("$owner", record.Owner), ("$state", (int)record.State), ("$finished", record.Finished?.ToUnixTimeMilliseconds()),
            ("$bytes", record.Bytes), ("$key", record.IdempotencyKey), ("$record", JsonSerializer.Serialize(record, JobJson.Default.JobRecord)));
        command.ExecuteNonQuery();
    }

    private void Execute(string text)
    {
        using var command = Command(text);
        command.ExecuteNonQuery();
    }

    // The texts are this file's own; everything that comes from outside is a value.
#pragma warning disable CA2100
    private SqliteCommand Command(string text, params (string Name, object? Value)[] values)
    {
        var command = _connection.CreateCommand();
        command.CommandText = text;
#pragma warning restore CA2100
        foreach (var (name, value) in values)
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }
}
