namespace Maisi.Bridge.Runtime;

/// <summary>Memory of one device in bytes; -1 where the binding cannot say.</summary>
/// <param name="Allocated">In live tensors.</param>
/// <param name="Peak">The most in live tensors since the last reset.</param>
/// <param name="Reserved">Held by the allocator, live tensors included.</param>
/// <param name="Free">Free on the device.</param>
/// <param name="Total">All memory of the device.</param>
public readonly record struct MemoryStatistics(long Allocated, long Peak, long Reserved, long Free, long Total)
{
    /// <summary>Free and total memory of this machine, from /proc/meminfo.</summary>
    internal static (long Free, long Total) OfMachine()
    {
        const string file = "/proc/meminfo";
        if (!File.Exists(file))
            return (-1, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        long free = -1, total = -1;
        foreach (var line in File.ReadLines(file))
        {
            if (line.StartsWith("MemAvailable:", StringComparison.Ordinal))
                free = Bytes(line);
            else if (line.StartsWith("MemTotal:", StringComparison.Ordinal))
                total = Bytes(line);
        }
        return (free, total);
    }

    private static long Bytes(string line) => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;
}
