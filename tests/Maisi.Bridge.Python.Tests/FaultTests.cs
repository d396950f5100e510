using System.Diagnostics;
using System.Globalization;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Python.Tests;

/// <summary>Everything that Python code can do to a worker, and what its caller sees of it.</summary>
public sealed class FaultTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(300);

    [SkippableFact]
    public async Task Killed_in_the_middle_of_a_call()
    {
        await using var runtime = await TestPython.RuntimeAsync();
        await using var session = await runtime.OpenSessionAsync();
        await session.CallAsync("worker_functions:process_id");
        var call = session.CallAsync("worker_functions:sleep", PythonArguments.Of(60));
        await Task.Delay(200);
        var watch = Stopwatch.StartNew();
        using (var process = Process.GetProcessById(session.ProcessId))
            process.Kill();
        var error = await Should.ThrowAsync<PythonWorkerException>(() => call);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(2));
        error.ExitCode.ShouldBe(128 + 9);
        error.Message.ShouldContain("killed by signal 9");
        session.IsOpen.ShouldBeFalse();
        await Should.ThrowAsync<PythonWorkerException>(() => session.CallAsync("worker_functions:process_id"));
    }

    [SkippableFact]
    public async Task Leaves_at_once()
    {
        await using var runtime = await TestPython.RuntimeAsync();
        var error = await Should.ThrowAsync<PythonWorkerException>(() => runtime.CallAsync("worker_functions:leave_at_once", PythonArguments.Of(5)));
        error.ExitCode.ShouldBe(5);
        error.Output.ShouldContain("last words");
    }

    [SkippableFact]
    public async Task Crashes_in_native_code()
    {
        await using var runtime = await TestPython.RuntimeAsync();
        var error = await Should.ThrowAsync<PythonWorkerException>(() => runtime.CallAsync("worker_functions:crash"));
        error.Output.ShouldContain("Segmentation fault");
        error.Output.ShouldContain("in crash", Case.Sensitive, "the traceback names the function");
    }

    [SkippableFact]
    public async Task Loops_for_ever()
    {
        await using var runtime = await TestPython.RuntimeAsync();
        var error = await Should.ThrowAsync<PythonTimeoutException>(() => runtime.CallAsync("worker_functions:loop_forever", options: new PythonCallOptions { Timeout = Short }));
        error.Limit.ShouldBe(PythonLimit.Total);
        error.Message.ShouldContain("worker_functions:loop_forever exceeded its total limit of 0.3 s");
    }

    [SkippableFact]
    public async Task Is_silent_for_too_long()
    {
        await using var runtime = await TestPython.RuntimeAsync();
        var options = new PythonCallOptions { StallTimeout = TimeSpan.FromSeconds(1) };
        (await Should.ThrowAsync<PythonTimeoutException>(() => runtime.CallAsync("worker_functions:ignore_interrupts", options: options with { CancelGrace = Short }))).Limit.ShouldBe(PythonLimit.Stall);
        (await runtime.CallAsync("worker_functions:sleep", PythonArguments.Of(0.2), options: options)).ShouldBe(0.2);
    }

    [SkippableFact]
    public async Task Is_frozen()
    {
        await using var runtime = await TestPython.RuntimeAsync(options =>
        {
            options.Heartbeat = TimeSpan.FromMilliseconds(100);
            options.HeartbeatTimeout = TimeSpan.FromSeconds(2);
        });
        await using var session = await runtime.OpenSessionAsync();
        await session.CallAsync("worker_functions:process_id");
        var call = session.CallAsync("worker_functions:loop_forever");
        using (var stop = Process.Start("/bin/kill", ["-STOP", session.ProcessId.ToString(CultureInfo.InvariantCulture)]))
            await stop.WaitForExitAsync();
        (await Should.ThrowAsync<PythonTimeoutException>(() => call)).Limit.ShouldBe(PythonLimit.Heartbeat);
    }

    [SkippableFact]
    public async Task Is_cancelled_and_stops_by_itself()
    {
        await using var runtime = await TestPython.RuntimeAsync();
        foreach (var target in new[] { "loop_forever", "stop_when_asked" })
        {
            using var source = new CancellationTokenSource();
            var options = new PythonCallOptions { CancelGrace = TimeSpan.FromSeconds(60) };
            var call = runtime.CallAsync("worker_functions:" + target, options: options, token: source.Token);
            source.CancelAfter(Short);
            await Should.ThrowAsync<OperationCanceledException>(() => call);
        }
    }

    [SkippableFact]
    public async Task Is_cancelled_and_does_not_listen()
    {
        await using var runtime = await TestPython.RuntimeAsync();
        using var source = new CancellationTokenSource(Short);
        await Should.ThrowAsync<OperationCanceledException>(() => runtime.CallAsync("worker_functions:ignore_interrupts", options: new PythonCallOptions { CancelGrace = Short }, token: source.Token));
    }

    [SkippableFact]
    public async Task Prints_much()
    {
        var megabytes = TestPython.Count(5);
        await using var runtime = await TestPython.RuntimeAsync();
        (await runtime.CallAsync("worker_functions:print_much", PythonArguments.Of(megabytes))).ShouldBe((long)megabytes);
        (await runtime.CallAsync("worker_functions:print_one_long_line", PythonArguments.Of(megabytes))).ShouldBe((long)megabytes);
    }

    [SkippableFact]
    public async Task Prints_what_looks_like_the_protocol()
    {
        await using var runtime = await TestPython.RuntimeAsync();
        (await runtime.CallAsync("worker_functions:print_below_python")).ShouldBe("genuine");
    }

    [SkippableFact]
    public async Task Imports_a_broken_module()
    {
        using var folder = TestPaths.Temporary();
        await File.WriteAllTextAsync(folder["broken_syntax.py"], "def f(:\n");
        await File.WriteAllTextAsync(folder["broken_import.py"], "raise RuntimeError('at import')\n");
        await File.WriteAllBytesAsync(folder["broken_native.so"], [0x7F, 0x45, 0x4C, 0x46, 0, 0, 0, 0]);
        await using var runtime = await TestPython.RuntimeAsync(options => options.Paths.Add(folder.Path));
        var pooled = new PythonCallOptions { Pooled = true };
        (await Should.ThrowAsync<PythonCallException>(() => runtime.CallAsync("broken_syntax:f", options: pooled))).PythonType.ShouldBe("SyntaxError");
        (await Should.ThrowAsync<PythonCallException>(() => runtime.CallAsync("broken_import:f", options: pooled))).PythonMessage.ShouldBe("at import");
        (await Should.ThrowAsync<PythonCallException>(() => runtime.CallAsync("broken_native:f", options: pooled))).PythonType.ShouldBe("ImportError");
        (await runtime.CallAsync("worker_functions:add", PythonArguments.Of(1, 2), options: pooled)).ShouldBe(3L);
    }

    [SkippableFact]
    public async Task The_callers_progress_handler_throws()
    {
        await using var runtime = await TestPython.RuntimeAsync();
        var handler = new Handler(_ => throw new InvalidOperationException("handler failed"));
        (await Should.ThrowAsync<InvalidOperationException>(() => runtime.CallAsync("worker_functions:report", PythonArguments.Of(1000), handler))).Message.ShouldBe("handler failed");
    }

    [SkippableFact]
    public async Task The_library_is_not_python()
    {
        var python = await TestPython.RequireAsync();
        using var folder = TestPaths.Temporary();
        await File.WriteAllTextAsync(folder["libpython3.so"], "not a library");
        using var shared = new SharedFolder();
        var broken = python with { LibPython = folder["libpython3.so"] };
        await using var worker = WorkerProcess.Start(broken, new PythonOptions(), shared, Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance, TimeProvider.System);
        var error = await Should.ThrowAsync<PythonCallException>(() => worker.CallAsync("builtins:len", PythonArguments.None, new PythonCallOptions(), null, default));
        error.PythonType.ShouldBe("StartError");
        error.PythonMessage.ShouldContain("libpython3.so");
    }

    [SkippableFact]
    public async Task Children_go_with_their_worker_whatever_they_did_to_escape()
    {
        await using var runtime = await TestPython.RuntimeAsync();
        using var folder = TestPaths.Temporary();
        using var source = new CancellationTokenSource();
        var call = runtime.CallAsync("worker_functions:spawn_sleepers", PythonArguments.Of(folder["ids"]), options: new PythonCallOptions { CancelGrace = Short }, token: source.Token);
        var ids = await TestProcesses.ReadIdsAsync(folder["ids"]);
        ids.Count.ShouldBe(4);
        TestProcesses.Living(ids).ShouldBe(ids);
        await source.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => call);
        await TestProcesses.AllGoneAsync(ids);
    }

    [SkippableFact]
    public async Task Children_go_also_after_a_crash()
    {
        await using var runtime = await TestPython.RuntimeAsync();
        using var folder = TestPaths.Temporary();
        var call = runtime.CallAsync("worker_functions:spawn_sleepers", PythonArguments.Of(folder["ids"]));
        var ids = await TestProcesses.ReadIdsAsync(folder["ids"]);
        using (var worker = Process.GetProcessById(ids[0]))
            worker.Kill();
        await Should.ThrowAsync<PythonWorkerException>(() => call);
        await TestProcesses.AllGoneAsync(ids);
    }
}

/// <summary>Looks after processes by their ids.</summary>
internal static class TestProcesses
{
    /// <summary>Waits for the file that names them.</summary>
    public static async Task<List<int>> ReadIdsAsync(string file)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "reads /proc");
        for (var i = 0; i < 600 && !File.Exists(file); i++)
            await Task.Delay(50);
        return [.. (await File.ReadAllLinesAsync(file)).Select(line => int.Parse(line, CultureInfo.InvariantCulture))];
    }

    /// <summary>Those that live; a zombie does not.</summary>
    public static List<int> Living(IEnumerable<int> ids) => [.. ids.Where(id => State(id) is not (null or 'Z'))];

    /// <summary>Fails unless all end soon.</summary>
    public static async Task AllGoneAsync(List<int> ids)
    {
        for (var i = 0; i < 600 && Living(ids).Count > 0; i++)
            await Task.Delay(50);
        Living(ids).ShouldBeEmpty();
    }

    /// <summary>The state letter of a process in /proc; null when there is none.</summary>
    public static char? State(int id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id}/stat");
            return text[text.LastIndexOf(')') + 2];
        }
        catch (IOException)
        {
            return null;
        }
    }
}
