using System.Diagnostics;
using System.Text.Json.Nodes;
using Maisi.Bridge.Tests.Experiments;

namespace Maisi.Bridge.Cli.Tests;

/// <summary>Experiments whose program is killed, whose disk is full, and two of them in one folder.</summary>
public sealed class ExperimentKillTests : IDisposable
{
    private readonly ExperimentData _data = new(4, 2, 0);

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task A_program_killed_in_fold_3_goes_on_there_and_ends_with_the_same_bytes()
    {
        Save(4, steps: 30);
        (await Maisi.RunAsync(_data.Path, [.. Arguments("whole"), "-q"])).Code.ShouldBe(0);
        using (var process = Maisi.Start(_data.Path, Arguments("parts")))
        {
            _ = process.StandardOutput.ReadToEndAsync();
            while (await process.StandardError.ReadLineAsync() is { } line && !line.StartsWith("real/seed_0/fold_3 segresnet ", StringComparison.Ordinal))
            {
            }
            // It stands still, or it would be done on a fast machine before the second one has started. Nobody else may write there meanwhile.
            await Process.Start("kill", ["-STOP", $"{process.Id}"])!.WaitForExitAsync();
            var second = await Maisi.RunAsync(_data.Path, [.. Arguments("parts"), "-q"]);
            (second.Code, second.Error.Contains("The experiment's folder cannot be used", StringComparison.Ordinal)).ShouldBe((2, true), second.Error);
            process.Kill();
            await process.WaitForExitAsync();
        }
        var status = await Maisi.RunAsync(_data.Path, ["experiment", "status", "parts"]);
        status.Output.Take(4).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]).ShouldBe(["done", "done", "done", "begun"]);
        status.Output[^1].ShouldBe("not finished");
        (await Maisi.RunAsync(_data.Path, ["experiment", "report", "parts"])).Code.ShouldBe(2);

        (await Maisi.RunAsync(_data.Path, [.. Arguments("parts"), "-q"])).Code.ShouldBe(0);
        Same("whole", "parts");
    }

    [SkippableFact]
    public async Task A_full_disk_is_one_screen_and_the_run_goes_on_when_there_is_room()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "needs Linux mount namespaces");
        Directory.CreateDirectory(_data["out"]);
        var probe = await Shell("mount -t tmpfs none out && echo mounted");
        Skip.IfNot(probe.Output.Contains("mounted"), $"this user cannot mount in a namespace of his own: {probe.Error.Trim()}");
        Save(2, steps: 4);
        (await Maisi.RunAsync(_data.Path, [.. Arguments("whole"), "-q"])).Code.ShouldBe(0);
        var run = $"dotnet {Path.Combine(AppContext.BaseDirectory, "maisi.dll")} {string.Join(' ', Arguments("out"))} -q";
        var (code, output, error) = await Shell(
            $"mount -t tmpfs -o size=300k none out && {run}; echo first: $?; find out -name '*.tmp'; mount -o remount,size=50m out && {run} > log; echo second: $?; cp -r out kept");
        code.ShouldBe(0, error);
        output.ShouldBe("first: 2\nsecond: 0\n", error);
        error.ShouldContain("No space left");
        error.Trim().Split('\n').Length.ShouldBeLessThan(6);
        Same("whole", "kept");
    }

    private void Save(int folds, int steps)
    {
        _data.Folds(folds).Save();
        _data.Config(c => (c["arms"], c["budget"]) = (new JsonArray("real"), new JsonObject { ["steps"] = steps, ["batch_size"] = 1, ["validations"] = 2 }));
    }

    // Everything but times: tables, weights, predictions.
    private void Same(string first, string second)
    {
        string[] Files(string folder) => [.. Directory.EnumerateFiles(_data[folder], "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(_data[folder], f))
            .Where(f => f.EndsWith(".nii.gz", StringComparison.Ordinal) || f.EndsWith(".safetensors", StringComparison.Ordinal) || f == "scores.csv").Order(StringComparer.Ordinal)];
        var files = Files(first);
        files.Length.ShouldBeGreaterThan(6);
        Files(second).ShouldBe(files);
        foreach (var file in files)
            File.ReadAllBytes(_data[$"{second}/{file}"]).ShouldBe(File.ReadAllBytes(_data[$"{first}/{file}"]), file);
    }

    private static string[] Arguments(string output) => ["experiment", "run", "config.json", "-o", output];

    private async Task<(int Code, string Output, string Error)> Shell(string script)
    {
        using var process = Process.Start(new ProcessStartInfo("unshare", ["--mount", "sh", "-c", script])
        {
            WorkingDirectory = _data.Path, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}
