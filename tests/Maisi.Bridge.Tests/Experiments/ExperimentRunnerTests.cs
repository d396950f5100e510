using System.Text.Json.Nodes;
using Maisi.Bridge.Evaluation;
using Maisi.Bridge.Experiments;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Experiments;

public class ExperimentRunnerTests
{
    [Fact]
    public async Task A_run_that_is_stopped_in_fold_3_goes_on_there_and_ends_with_the_same_numbers()
    {
        using var data = new ExperimentData();
        data.Save();
        var config = data.Config();
        var whole = await new ExperimentRunner(config, data["whole"]).RunAsync();

        using var stop = new CancellationTokenSource();
        await Should.ThrowAsync<OperationCanceledException>(() => new ExperimentRunner(config, data["parts"]).RunAsync(new StopIn("real/seed_0/fold_3", stop), stop.Token));
        var status = ExperimentRunner.Status(data["parts"]);
        status.Finished.ShouldBeFalse();
        status.Units.Take(6).ShouldAllBe(u => u.State == UnitState.Done);
        status.Units[6].ShouldBe(new UnitStatus("real/seed_0/fold_3", UnitState.Begun, null));
        status.Units.Skip(7).ShouldAllBe(u => u.State == UnitState.Waiting);
        Should.Throw<MaisiException>(() => ExperimentRunner.Report(data["parts"])).Message.ShouldContain("real/seed_0/fold_3 is not done");
        var before = File.GetLastWriteTimeUtc(data["parts/real/seed_0/fold_2/model.safetensors"]);

        var parts = await new ExperimentRunner(config, data["parts"]).RunAsync();
        File.GetLastWriteTimeUtc(data["parts/real/seed_0/fold_2/model.safetensors"]).ShouldBe(before, "what was done is not done again");
        string Scores(ExperimentResults results) => string.Join('\n', results.Units.SelectMany(u => u.Validation).Concat(results.Tests.SelectMany(t => t.Cases))
            .Select(c => $"{c.Prediction} {string.Join(' ', c.Dice)} {string.Join(' ', c.Voxels.Values.SelectMany(v => v))}"));
        Scores(parts).ShouldBe(Scores(whole));
        File.ReadAllText(data["parts/scores.csv"]).ShouldBe(File.ReadAllText(data["whole/scores.csv"]));
        parts.Comparisons.Select(c => (c.Class, c.Difference, c.Low, c.PValue)).ShouldBe(whole.Comparisons.Select(c => (c.Class, c.Difference, c.Low, c.PValue)));

        Report(data, whole);
        Compare(data);
        Refusals(data);
    }

    [Fact]
    public async Task A_case_without_a_class_stops_the_run_and_says_which()
    {
        using var data = new ExperimentData();
        data.Save();
        var map = VolumeFile.Read(data["P06_label.nii.gz"]);
        foreach (ref var voxel in map.Voxels<byte>())
            voxel = voxel == 2 ? (byte)0 : voxel;
        VolumeFile.Write(map, data["P06_label.nii.gz"]);
        var error = await Should.ThrowAsync<ExperimentException>(() => new ExperimentRunner(data.Config(), data["out"]).RunAsync());
        error.Message.ShouldBe("The case 'P06' has no voxel of right box.");
        error.Where.ShouldStartWith($"{data.Datalist}:9:");
        ExperimentRunner.Status(data["out"]).LastError!.ShouldContain("P06");
    }

    // The written predictions, scored by themselves, give the Dice of the results.
    private static void Report(ExperimentData data, ExperimentResults results)
    {
        foreach (var score in results.Tests.SelectMany(t => t.Cases))
        {
            var (found, truth) = (VolumeFile.Read(data[$"whole/{score.Prediction}"]).ConvertTo<byte>(), VolumeFile.Read(data[$"{score.CaseId}_label.nii.gz"]).ConvertTo<byte>());
            foreach (var (name, code) in new[] { ("left box", 1), ("right box", 2) })
            {
                double both = 0, sum = 0;
                for (var i = 0; i < truth.Count; i++)
                {
                    var (a, b) = (found.Voxels<byte>()[i] == code, truth.Voxels<byte>()[i] == code);
                    both += a && b ? 1 : 0;
                    sum += (a ? 1 : 0) + (b ? 1 : 0);
                }
                score.Dice[name].ShouldBe(2 * both / sum, 1e-12);
            }
        }
        var page = File.ReadAllText(data["whole/report.html"]);
        foreach (var part in new[] { "Arms on the held-out test set", "95% interval", "Learning curves", "best difference", "worst difference", "<svg", "data:image/png;base64,", "Real + Synthetic", "3 test patients are too few" })
            page.ShouldContain(part);
        File.ReadAllText(data["whole/report.md"]).ShouldContain("| left box | real+synthetic |");
        results.Comparisons.ShouldAllBe(c => c.Conclusion == "no conclusion: 3 test patients are fewer than 10");
        File.ReadAllLines(data["whole/scores.csv"]).Length.ShouldBe(1 + (2 * 2 * (10 + 3)));
        ExperimentRunner.Report(data["whole"]).ToJson().ShouldBe(results.ToJson());
    }

    private static void Compare(ExperimentData data)
    {
        var (whole, parts) = (ExperimentResults.Read(data["whole"]), ExperimentResults.Read(data["parts"]));
        var same = ResultComparison.Run(whole, "real", parts, "real");
        same.Rows.ShouldAllBe(r => r.Difference == 0 && r.PValue == 1);
        same.Table().ShouldContain("first:  test, real\nsecond: test, real\n");
        var arms = ResultComparison.Run(whole, "real", parts, "real+synthetic").Rows;
        arms.Select(r => r.Difference).ShouldBe(whole.Comparisons.Select(r => r.Difference));
        arms.Select(r => r.Folds!.Mean).ShouldBe(whole.Comparisons.Select(r => r.Folds!.Mean));
        Should.Throw<MaisiException>(() => ResultComparison.Run(whole, "synthetic", parts, null)).Message.ShouldBe("There is no arm 'synthetic'.");
    }

    private static void Refusals(ExperimentData data)
    {
        var other = data.Config(c => c["budget"]!["steps"] = 5);
        Should.Throw<MaisiException>(() => new ExperimentRunner(other, data["whole"]).RunAsync().GetAwaiter().GetResult()).Message.ShouldContain("planned from another config");
        Should.Throw<MaisiException>(() => ExperimentRunner.Status(data["nowhere"])).Message.ShouldBe("There is no experiment here.");
        using (new FileStream(data["whole/.lock"], FileMode.Open, FileAccess.ReadWrite, FileShare.None))
            Should.Throw<MaisiException>(() => new ExperimentRunner(data.Config(), data["whole"]).RunAsync().GetAwaiter().GetResult()).Message.ShouldContain("cannot be used");
    }

    private sealed class StopIn(string unit, CancellationTokenSource stop) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value)
        {
            if (value.Stage.StartsWith($"{unit} segresnet", StringComparison.Ordinal) && value.Done == 2)
                stop.Cancel();
        }
    }
}
