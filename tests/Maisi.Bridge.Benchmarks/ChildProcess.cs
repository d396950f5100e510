using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Maisi.Bridge.Benchmarks;

/// <summary>What a process of its own took.</summary>
/// <param name="Output">Its standard output.</param>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Time">Wall time, and processor time in user and system mode.</param>
internal sealed partial record ChildProcess(string Output, int ExitCode, Clock Time)
{
    private const int Children = -1;

    /// <summary>Runs a program to its end. Only one may run at a time: the system counts the time of all children together.</summary>
    public static unsafe ChildProcess Run(string program, IEnumerable<string> arguments, string folder, IEnumerable<(string Name, string Value)>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        foreach (var (name, value) in environment ?? [])
            start.Environment[name] = value;
        var before = Cpu();
        var watch = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var wall = watch.Elapsed.TotalSeconds;
        return new ChildProcess(process.ExitCode == 0 ? output : output + error.Result, process.ExitCode, new Clock(wall, Cpu() - before));
    }

    private static unsafe double Cpu()
    {
        // struct rusage: two timevals, then 14 longs.
        var usage = stackalloc long[18];
        _ = getrusage(Children, usage);
        return usage[0] + usage[2] + (usage[1] + usage[3]) * 1e-6;
    }

    [LibraryImport("libc")]
    private static unsafe partial int getrusage(int who, long* usage);
}
