using System.Diagnostics;
using System.Globalization;
using System.Text;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Python.Tests;

/// <summary>Alone in its collection, because it counts what the whole process holds.</summary>
[CollectionDefinition("reliability", DisableParallelization = true)]
public sealed class ReliabilityCollection;

/// <summary>Many workers leave nothing behind, and none outlives its parent. MAISI_FUZZ sets how many.</summary>
[Collection("reliability")]
public sealed class ReliabilityTests
{
    [SkippableFact]
    public async Task Workers_one_after_the_other_leave_nothing()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "reads /proc");
        await using var runtime = await TestPython.RuntimeAsync();
        await runtime.CallAsync("worker_functions:process_id");
        var (descriptors, threads) = (Descriptors(), Threads());
        for (var i = 0; i < TestPython.Count(8); i++)
            (await runtime.CallAsync("worker_functions:add", PythonArguments.Of(i, 1))).ShouldBe(i + 1L);
        await SettleAsync(() => Children().Count == 0 && Descriptors() <= descriptors);
        Children().ShouldBeEmpty("no zombie and no stray");
        Descriptors().ShouldBeLessThanOrEqualTo(descriptors);
        Threads().ShouldBeLessThan(threads + 20);
    }

    [SkippableFact]
    public async Task Eight_workers_at_once_keep_their_results_apart()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "reads /proc");
        await using var runtime = await TestPython.RuntimeAsync(options => options.PoolSize = 8);
        var pooled = new PythonCallOptions { Pooled = true };
        await Parallel.ForAsync(0, TestPython.Count(16), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, token) =>
        {
            using var array = runtime.CreateArray("uint8", [1000]);
            array.Bytes.Fill((byte)i);
            var sum = await runtime.CallAsync("worker_functions:sum_of_bytes", PythonArguments.Of(array), options: i % 4 == 0 ? null : pooled, token: token);
            sum.ShouldBe((byte)i * 1000L);
        });
        await runtime.DisposeAsync();
        await SettleAsync(() => Children().Count == 0);
        Children().ShouldBeEmpty();
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_worker_and_its_children_end_with_the_parent(bool killed)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "reads /proc");
        var python = await TestPython.RequireAsync();
        using var folder = TestPaths.Temporary();
        Directory.CreateDirectory(folder["shared"]);
        var host = typeof(WorkerHost).Assembly.Location;
        // A shell stands for the parent: killing it leaves the worker's stdin open, so that only the kernel's signal can tell.
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"dotnet exec '{host}'; exit 0"]) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        start.Environment["PYTHONPATH"] = $"{PythonFiles.Folder}:{TestPython.Functions}";
        start.Environment[WorkerProtocol.MarkVariable] = Guid.NewGuid().ToString("N");
        using var parent = Process.Start(start)!;
        var line = new WorkerStart(WorkerProtocol.Version, parent.Id, python.LibPython, python.Executable, TimeSpan.FromSeconds(1), 20, [folder["shared"]]).ToLine();
        var call = new WorkerCall(1, "worker_functions:spawn_sleepers", null).ToLine(PythonArguments.Of(folder["ids"]));
        await parent.StandardInput.WriteAsync(Encoding.UTF8.GetString([.. line, .. call]));
        await parent.StandardInput.FlushAsync();
        var ids = await TestProcesses.ReadIdsAsync(folder["ids"]);
        TestProcesses.Living(ids).ShouldBe(ids);
        if (killed)
            parent.Kill();
        else
            parent.StandardInput.Close();
        await TestProcesses.AllGoneAsync(ids);
        Directory.Exists(folder["shared"]).ShouldBeFalse("the worker removes the arrays of a dead parent");
    }

    [SkippableFact]
    public async Task Arrays_of_dead_processes_are_swept()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "uses /dev/shm");
        using var dead = Process.Start(new ProcessStartInfo("/bin/true") { UseShellExecute = false })!;
        await dead.WaitForExitAsync();
        var left = $"/dev/shm/maisi-{dead.Id.ToString(CultureInfo.InvariantCulture)}-left";
        Directory.CreateDirectory(left);
        await File.WriteAllBytesAsync(Path.Combine(left, "array"), new byte[10]);
        string mine;
        using (var shared = new SharedFolder())
        {
            mine = shared.Paths[0];
            Directory.Exists(left).ShouldBeFalse();
            Directory.Exists(mine).ShouldBeTrue();
            File.GetUnixFileMode(mine).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        Directory.Exists(mine).ShouldBeFalse();
    }

    private static int Descriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    private static int Threads() => Directory.GetDirectories("/proc/self/task").Length;

    // Workers of this process, zombies included: a worker's main thread is named after the host, so look at the parent's id.
    private static List<int> Children()
    {
        var found = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id))
                continue;
            try
            {
                var text = File.ReadAllText(Path.Combine(folder, "stat"));
                var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
                if (fields[1] == Environment.ProcessId.ToString(CultureInfo.InvariantCulture))
                    found.Add(id);
            }
            catch (IOException)
            {
                // It has just ended.
            }
        }
        return found;
    }

    private static async Task SettleAsync(Func<bool> quiet)
    {
        for (var i = 0; i < 100 && !quiet(); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            await Task.Delay(50);
        }
    }
}
