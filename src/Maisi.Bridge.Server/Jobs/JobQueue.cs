namespace Maisi.Bridge.Server;

/// <summary>Jobs in the order in which they were accepted; the threads of the devices take from it.</summary>
internal sealed class JobQueue
{
    private readonly object _gate = new();
    private readonly List<JobEntry> _waiting = [];
    private bool _closed;

    /// <summary>How many wait.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _waiting.Count;
        }
    }

    /// <summary>Adds a job at the end.</summary>
    public void Add(JobEntry entry)
    {
        lock (_gate)
        {
            _waiting.Add(entry);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Waits for a job and takes it; null when the queue is closed.</summary>
    public JobEntry? Take()
    {
        lock (_gate)
        {
            while (_waiting.Count == 0 && !_closed)
                Monitor.Wait(_gate);
            if (_closed)
                return null;
            var entry = _waiting[0];
            _waiting.RemoveAt(0);
            return entry;
        }
    }

    /// <summary>Takes a job out; false when it does not wait any more.</summary>
    public bool Remove(JobEntry entry)
    {
        lock (_gate)
            return _waiting.Remove(entry);
    }

    /// <summary>The jobs before this one; null when it does not wait.</summary>
    public IReadOnlyList<JobEntry>? Before(JobEntry entry)
    {
        lock (_gate)
            return _waiting.IndexOf(entry) is >= 0 and var at ? _waiting[..at] : null;
    }

    /// <summary>Gives nothing out any more.</summary>
    /// <returns>The jobs that wait, the first time; then none.</returns>
    public IReadOnlyList<JobEntry> Close()
    {
        lock (_gate)
        {
            if (_closed)
                return [];
            _closed = true;
            Monitor.PulseAll(_gate);
            return [.. _waiting];
        }
    }
}
