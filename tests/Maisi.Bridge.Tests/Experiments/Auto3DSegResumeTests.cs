using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Maisi.Bridge.Experiments;
using Maisi.Bridge.Python;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Tests.Experiments;

/// <summary>A worker that is killed in a fold, with the real worker process and either MONAI or what stands in for it.</summary>
[Collection(Auto3DSegTests.Workers)]
public class Auto3DSegResumeTests
{
    private static string StandIn => Path.Combine(TestPaths.Root, "tests", "Maisi.Bridge.Tests", "Experiments", "stand_in");

    [SkippableFact]
    public async Task A_worker_killed_in_fold_3_is_told_and_the_next_run_ends_with_the_same_numbers()
    {
        await RequirePython();
        await KilledAndUndisturbedAgree(Path.Combine(StandIn, "templates"), [StandIn]);
    }

    [SkippableFact]
    public async Task So_does_MONAI()
    {
        await RequirePython();
        var (monai, templates) = Auto3DSegTests.RequireMonai();
        await KilledAndUndisturbedAgree(templates, monai);
    }

    private static async Task KilledAndUndisturbedAgree(string templates, IReadOnlyList<string> pythonPath)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "finds the worker in /proc");
        using var data = new ExperimentData(8, 2, 0).Folds(4);
        data.Save();
        var config = data.Config(c =>
        {
            Auto3DSegTests.Configure(c, templates, pythonPath);
            c["arms"] = new JsonArray("real");
        });
        var whole = await new ExperimentRunner(config, data["whole"]).RunAsync();

        var killer = new KillIn("real/seed_0/fold_3 train");
        var error = await Should.ThrowAsync<MaisiException>(() => new ExperimentRunner(config, data["parts"]).RunAsync(killer));
        error.Message.ShouldStartWith("The training real/seed_0/fold_3 failed: ");
        error.Message.ShouldContain("killed by signal 9");
        error.InnerException.ShouldBeOfType<PythonWorkerException>();
        var status = ExperimentRunner.Status(data["parts"]);
        status.LastError!.ShouldContain("real/seed_0/fold_3");
        status.Units.Select(u => u.State).ShouldBe([UnitState.Done, UnitState.Done, UnitState.Done, UnitState.Begun, UnitState.Waiting]);
        var before = File.GetLastWriteTimeUtc(data["parts/real/seed_0/fold_2/result.json"]);

        var parts = await new ExperimentRunner(config, data["parts"]).RunAsync();
        File.GetLastWriteTimeUtc(data["parts/real/seed_0/fold_2/result.json"]).ShouldBe(before, "what was done is not done again");
        File.ReadAllText(data["parts/scores.csv"]).ShouldBe(File.ReadAllText(data["whole/scores.csv"]));
        // The loss of a fold that was begun twice is there once.
        parts.Units.Select(u => string.Join(' ', u.Curve)).ShouldBe(whole.Units.Select(u => string.Join(' ', u.Curve)));
        whole.Units.Select(u => u.Validation.Average(c => c.Dice["left box"])).Distinct().Count().ShouldBeGreaterThan(1, "folds differ");
        ExperimentRunner.Status(data["parts"]).LastError.ShouldBeNull();
    }

    private static async Task RequirePython()
    {
        try
        {
            await PythonLocator.FindAsync(PythonSearch.Current(null), ["torch", "nibabel"]);
        }
        catch (PythonNotFoundException e)
        {
            Skip.If(true, e.Message);
        }
    }

    /// <summary>Kills the worker when it first reports from a stage. Its environment tells it from others.</summary>
    private sealed class KillIn(string stage) : IProgress<WorkProgress>
    {
        private bool _done;

        public void Report(WorkProgress value)
        {
            if (_done || !value.Stage.StartsWith(stage, StringComparison.Ordinal))
                return;
            _done = true;
            foreach (var folder in Directory.EnumerateDirectories("/proc").Where(f => int.TryParse(Path.GetFileName(f), out _)))
            {
                if (Text(folder, "stat").Split(") ") is [_, var rest] && rest.Split(' ')[1] == $"{Environment.ProcessId}" && Text(folder, "environ").Contains("MPLBACKEND=Agg\0", StringComparison.Ordinal))
                    Process.GetProcessById(int.Parse(Path.GetFileName(folder), System.Globalization.CultureInfo.InvariantCulture)).Kill();
            }
        }

        private static string Text(string folder, string name)
        {
            try
            {
                return Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(folder, name)));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return "";
            }
        }
    }
}
