using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Maisi.Bridge.Benchmarks;

/// <summary>Wall time and CPU time of this process (all threads), in seconds. CPU time leaves out what other processes took.</summary>
internal readonly partial record struct Clock(double Wall, double Cpu)
{
    private const int ProcessCpuTime = 2;

    // Process.TotalProcessorTime counts in steps of 10 ms.
    public static unsafe Clock Now
    {
        get
        {
            var time = stackalloc long[2];
            _ = clock_gettime(ProcessCpuTime, time);
            return new(Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency, time[0] + time[1] * 1e-9);
        }
    }

    public static Clock operator -(Clock later, Clock earlier) => new(later.Wall - earlier.Wall, later.Cpu - earlier.Cpu);

    public static Clock operator /(Clock total, double count) => new(total.Wall / count, total.Cpu / count);

    /// <summary>Time of one run of <paramref name="work"/>.</summary>
    public static Clock Of(Action work)
    {
        var start = Now;
        work();
        return Now - start;
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }

    [LibraryImport("libc")]
    private static unsafe partial int clock_gettime(int clock, long* time);
}
