using System.Diagnostics;
using Maisi.Bridge.Tests.Support;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Cli.Tests;

/// <summary>Full and read-only disks, and Ctrl-C: one screen, and nothing half-written.</summary>
public sealed class GenerateFailureTests(TinyMaisiBundle tiny) : IClassFixture<TinyMaisiBundle>, IDisposable
{
    private readonly TemporaryFolder _temp = TestPaths.Temporary();

    public void Dispose() => _temp.Dispose();

    [SkippableTheory]
    [InlineData("mount -t tmpfs -o size=64k none out", "No space left")]
    [InlineData("mount -t tmpfs none out && mount -o remount,ro out", "Read-only")]
    public async Task A_disk_that_takes_nothing_is_one_screen(string mount, string expected)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "needs Linux mount namespaces");
        Directory.CreateDirectory(_temp["out"]);
        var probe = await Shell($"{mount} && echo mounted");
        Skip.IfNot(probe.Output.Contains("mounted"), $"this user cannot mount in a namespace of his own: {probe.Error.Trim()}");
        var (code, output, error) = await Shell($"{mount} && dotnet {Program} {Arguments} -q; code=$?; echo left: $(ls -A out); exit $code");
        code.ShouldBe(2, error);
        output.Trim().ShouldBe("left:");
        error.ShouldContain(expected);
        error.ShouldContain("  where: ");
        error.Trim().Split('\n').Length.ShouldBeLessThan(6);
    }

    [SkippableFact]
    public async Task Control_C_leaves_only_whole_samples()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "needs kill -INT");
        // Bit 1 is SIGINT. A shell starts background jobs so, and their children inherit it.
        var ignored = File.ReadLines("/proc/self/status").First(l => l.StartsWith("SigIgn:", StringComparison.Ordinal))["SigIgn:".Length..].Trim();
        Skip.If((Convert.ToUInt64(ignored, 16) & 2) != 0, "the tests were started with SIGINT ignored");
        using var process = Maisi.Start(_temp.Path, [.. Arguments.Split(' '), "--count", "1000"]);
        var error = new List<string>();
        var started = new TaskCompletionSource();
        process.ErrorDataReceived += (_, e) =>
        {
            if (e.Data is null)
                return;
            error.Add(e.Data);
            if (e.Data.StartsWith("sample ", StringComparison.Ordinal))
                started.TrySetResult();
        };
        process.BeginErrorReadLine();
        await Task.WhenAny(started.Task, process.WaitForExitAsync());
        using (var kill = Process.Start("kill", ["-INT", $"{process.Id}"]))
            await kill.WaitForExitAsync();
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(130);
        error[^1].ShouldBe("maisi: cancelled");
        Directory.EnumerateFileSystemEntries(_temp["out"], ".*").ShouldBeEmpty();
        var records = Directory.GetFiles(_temp["out"], "image_*.json");
        records.ShouldNotBeEmpty();
        Directory.GetFiles(_temp["out"]).Length.ShouldBe(3 * records.Length);
    }

    [Fact]
    public async Task An_output_that_is_a_file_is_refused()
    {
        File.WriteAllText(_temp["out"], "a file");
        var (code, _, error) = await Maisi.RunAsync(_temp.Path, [.. Arguments.Split(' '), "-q"]);
        code.ShouldBe(2, error);
        error.ShouldContain("The output folder cannot be used");
        File.ReadAllText(_temp["out"]).ShouldBe("a file");
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "maisi.dll");

    private string Arguments => $"generate image --bundle {tiny.Bundle} --output out --size 32,32,32 --spacing 2,2,2";

    private async Task<(int Code, string Output, string Error)> Shell(string script)
    {
        using var process = Process.Start(new ProcessStartInfo("unshare", ["--mount", "sh", "-c", script])
        {
            WorkingDirectory = _temp.Path, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}
