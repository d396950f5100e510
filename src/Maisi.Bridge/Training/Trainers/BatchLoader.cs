namespace Maisi.Bridge.Training;

/// <summary>Makes batches on worker threads before they are asked for. What a batch holds depends on its number alone.</summary>
/// <param name="make">Makes a batch by its number; called on worker threads.</param>
/// <param name="count">Batches in all.</param>
/// <param name="ahead">Batches that are made while one is used.</param>
internal sealed class BatchLoader<T>(Func<long, T> make, long count, int ahead = 2) : IDisposable
    where T : IDisposable
{
    private readonly Dictionary<long, Task<T>> _making = [];

    /// <summary>A batch, which the caller disposes.</summary>
    public T Take(long number)
    {
        for (var n = number; n <= number + ahead && n < count; n++)
        {
            if (!_making.ContainsKey(n))
            {
                var wanted = n;
                _making[n] = Task.Run(() => make(wanted));
            }
        }
        var task = _making[number];
        _making.Remove(number);
        return task.GetAwaiter().GetResult();
    }

    /// <summary>Waits for what is being made and forgets it.</summary>
    public void Dispose()
    {
        foreach (var task in _making.Values)
        {
            ((IAsyncResult)task).AsyncWaitHandle.WaitOne();
            if (task.IsCompletedSuccessfully)
                task.Result.Dispose();
        }
    }
}

/// <summary>Keeps the first values of a list once they are made.</summary>
/// <param name="make">Makes a value by its index.</param>
/// <param name="count">Values in all.</param>
/// <param name="share">Share of them that is kept, 0 to 1.</param>
internal sealed class PartialCache<T>(Func<int, T> make, int count, double share)
{
    private readonly Lazy<T>[] _kept = [.. Enumerable.Range(0, (int)Math.Ceiling(count * Math.Clamp(share, 0, 1))).Select(i => new Lazy<T>(() => make(i)))];

    /// <summary>A value.</summary>
    public T this[int index] => index < _kept.Length ? _kept[index].Value : make(index);
}
