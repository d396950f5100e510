using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Maisi.Bridge.Python;

/// <summary>Ends a worker together with everything that it started, also what has left its process group or lost its parent.</summary>
internal static partial class ProcessTree
{
    private const int Kill = 9;

    // A process that is being killed may still fork; each round ends what the one before has missed.
    private const int Rounds = 20;

    /// <summary>
    /// Kills every process with the worker's mark in its environment, except this one. Other systems than Linux have no way to look:
    /// there the Job Object (Windows) or the parent chain serves.
    /// </summary>
    public static void KillMarked(string mark)
    {
        if (!OperatingSystem.IsLinux())
            return;
        var wanted = Encoding.UTF8.GetBytes($"{WorkerProtocol.MarkVariable}={mark}");
        for (var round = 0; round < Rounds; round++)
        {
            var found = Marked(wanted).ToList();
            if (found.Count == 0)
                return;
            foreach (var id in found)
                _ = kill(id, Kill);
            Thread.Sleep(round);
        }
    }

    /// <summary>Kills a worker that this process started, then its strays.</summary>
    public static void KillWorker(Process worker, string mark)
    {
        try
        {
            worker.Kill(entireProcessTree: !OperatingSystem.IsLinux());
        }
        catch (InvalidOperationException)
        {
            // It has ended; its children may not have.
        }
        KillMarked(mark);
    }

    /// <summary>Living processes that carry a mark, other than this one.</summary>
    internal static IEnumerable<int> Marked(byte[] mark)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), out var id) && id != Environment.ProcessId && Carries(folder, mark))
                yield return id;
        }
    }

    // The environment of a zombie is empty, so it never counts.
    private static bool Carries(string folder, byte[] mark)
    {
        try
        {
            return File.ReadAllBytes(Path.Combine(folder, "environ")).AsSpan().IndexOf(mark) >= 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [LibraryImport("libc")]
    private static partial int kill(int process, int signal);
}
