namespace TorchSharp;

/// <summary>
/// The net under the dispose scopes. The garbage collector sees wrappers of a few bytes and lets gigabytes of forgotten tensors wait;
/// so when the live native bytes of CPU tensors grow past a budget since the last look, a collection runs.
/// </summary>
public static class NativeMemoryBudget
{
    private static long _budget = 1L << 30;
    private static long _next = long.MaxValue;
    private static int _installed;

    /// <summary>How many bytes may pile up before a collection; 1 GiB unless set, 0 turns the budget off.</summary>
    public static long Bytes
    {
        get => Volatile.Read(ref _budget);
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            Volatile.Write(ref _budget, value);
            Rearm();
        }
    }

    /// <summary>How often the budget made the collector run.</summary>
    public static int Collections { get; private set; }

    /// <summary>Live bytes, their peak and the number of allocations of CPU tensors.</summary>
    public static unsafe (long Current, long Peak, long Allocations) Cpu(bool resetPeak = false)
    {
        Install();
        long current, peak, allocations;
        Native.mt_cpu_memory(&current, &peak, &allocations, resetPeak ? 1 : 0);
        return (current, peak, allocations);
    }

    /// <summary>
    /// Gives blocks that were freed but kept for reuse back to the operating system. Live and kept bytes together never exceed the peak.
    /// </summary>
    public static void Trim()
    {
        Install();
        Native.mt_cpu_memory_trim();
    }

    internal static void Install()
    {
        if (Interlocked.Exchange(ref _installed, 1) == 0)
        {
            Native.Check(Native.mt_cpu_memory_install());
            Rearm();
        }
    }

    internal static unsafe void OnTensorMade()
    {
        if (_installed == 0)
            Install();
        long current;
        Native.mt_cpu_memory(&current, null, null, 0);
        var next = Volatile.Read(ref _next);
        if (current > next)
            Collect();
        else if (next != long.MaxValue && current + _budget < next)
            Volatile.Write(ref _next, current + _budget);
    }

    private static unsafe void Rearm()
    {
        long current;
        Native.mt_cpu_memory(&current, null, null, 0);
        var budget = Bytes;
        Volatile.Write(ref _next, budget == 0 ? long.MaxValue : current + budget);
    }

    private static void Collect()
    {
        // What is alive after the collection is in use, so the next look waits for another budget's worth on top of it.
        Volatile.Write(ref _next, long.MaxValue);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Collections++;
        Rearm();
    }
}
