using System.Globalization;
using System.Text.Json.Nodes;
using Maisi.Bridge.Experiments;

namespace Maisi.Bridge.Tests.Experiments;

public class ArmsAndSeedsTests
{
    private static readonly string[] _arms = ["real", "real+synthetic", "synthetic", "real_augmented"];

    [Fact]
    public async Task Four_arms_with_two_seeds_are_compared_with_the_first_by_their_scores()
    {
        using var data = new ExperimentData(4, 4, 4).Folds(2);
        data.Save();
        var results = await new ExperimentRunner(data.Config(c =>
        {
            c["arms"] = new JsonArray([.. _arms.Select(a => (JsonNode)a)]);
            c["seeds"] = new JsonArray(0, 7);
            c["budget"] = new JsonObject { ["steps"] = 6, ["batch_size"] = 1, ["validations"] = 2 };
            c["segresnet"]!["lr"] = 0.03;
            c["statistics"] = new JsonObject { ["least_patients"] = 3, ["resamples"] = 200 };
        }), data["out"]).RunAsync();

        results.Units.Count.ShouldBe(4 * 2 * 2);
        results.Comparisons.Count.ShouldBe(3 * 3);
        var table = File.ReadAllLines(data["out/scores.csv"]).Skip(1).Select(l => l.Split(',')).Where(c => c[0] == "test").ToList();
        table.Count.ShouldBe(4 * 2 * 4 * 2);
        double Dice(string arm, string seed, string id, string name) =>
            double.Parse(table.Single(c => c[1] == arm && c[2] == seed && c[4] == id && c[6] == name)[7], CultureInfo.InvariantCulture);
        string[] cases = [.. table.Select(c => c[4]).Distinct()];
        foreach (var row in results.Comparisons.Where(r => r.Class != ArmComparison.MeanRow))
        {
            double[] seeds = [.. new[] { "0", "7" }.Select(s => cases.Average(id => Dice(row.Arm, s, id, row.Class) - Dice("real", s, id, row.Class)))];
            for (var i = 0; i < 2; i++)
                row.Seeds[i].ShouldBe(seeds[i], 1e-12);
            row.Difference.ShouldBe(seeds.Average(), 1e-12, "seeds repeat the same cases");
            row.Low.ShouldBeLessThanOrEqualTo(row.Difference);
            row.High.ShouldBeGreaterThanOrEqualTo(row.Difference);
            (row.Cases, row.Patients, row.FoldDifferences.Count).ShouldBe((4, 4, 2));
            row.BetterWorseEqual.Sum().ShouldBe(4);
            row.PHolm.ShouldBeGreaterThanOrEqualTo(row.PValue);
            // Four patients have sixteen ways to get their signs: 1/8 is the smallest p.
            row.Conclusion.ShouldBe("no conclusion: 4 test patients can never reach p < 0.05");
        }
        foreach (var arm in _arms.Skip(1))
            results.Comparisons.Single(r => r.Arm == arm && r.Class == ArmComparison.MeanRow).Difference
                .ShouldBe(results.Comparisons.Where(r => r.Arm == arm && r.Class != ArmComparison.MeanRow).Average(r => r.Difference), 1e-12);
        // Seeds and arms are trainings of their own.
        results.Units.Select(u => string.Join(' ', u.Curve)).Distinct().Count().ShouldBe(16);
        var page = File.ReadAllText(data["out/report.html"]);
        foreach (var title in new[] { "Real, augmented", "Real + Synthetic", "Synthetic", "Two seeds: three or more", "by seed" })
            page.ShouldContain(title);
        page.Split("data:image/png").Length.ShouldBe(1 + (2 * 5), "truth and four predictions of two cases");
        var tables = File.ReadAllText(data["out/report.md"]);
        tables.ShouldContain("| mean | real_augmented |");
        tables.ShouldContain("| Real | left box | 4 × 2 seeds |");
    }

    [Fact]
    public async Task An_arm_alone_has_its_dice_in_the_table()
    {
        using var data = new ExperimentData(4, 2, 0).Folds(2);
        data.Save();
        var results = await new ExperimentRunner(data.Config(c => c["arms"] = new JsonArray("real")), data["out"]).RunAsync();
        results.Comparisons.ShouldBeEmpty();
        var mean = results.Tests[0].Cases.Average(c => c.Dice.Values.Average());
        File.ReadAllText(data["out/report.md"]).ShouldContain($"| mean | real | {mean.ToString("F3", CultureInfo.InvariantCulture)} |");
        results.Table().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(1 + 3);
    }
}
