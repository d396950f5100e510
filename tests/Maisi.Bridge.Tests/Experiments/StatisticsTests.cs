using System.Text.Json.Nodes;
using Maisi.Bridge.Experiments;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Tests.Experiments;

/// <summary>The fixture's numbers are scipy 1.10's; p-values with ties and zeros at small n come from counting all signs out.</summary>
public class StatisticsTests
{
    private static readonly JsonNode _golden = JsonNode.Parse(File.ReadAllText(TestPaths.Fixture("experiments", "statistics.json")))!;

    [Fact]
    public void Wilcoxon_is_that_of_scipy()
    {
        foreach (var item in _golden["wilcoxon"]!.AsArray())
            SignedRank.PValue(Numbers(item!["differences"])).ShouldBe(Number(item["p"]), 1e-12, $"{item["how"]}: {item["differences"]!.ToJsonString()}");
        SignedRank.PValue([]).ShouldBe(1);
        SignedRank.PValue([0, 0]).ShouldBe(1);
        SignedRank.PValue([0.1, 0.2, 0.3, 0.4]).ShouldBe(0.125, 1e-15);
    }

    [Fact]
    public void Tails_corrections_and_fold_tests_are_those_of_scipy()
    {
        foreach (var item in _golden["student"]!.AsArray())
            Distributions.StudentTwoSided(Number(item!["t"]), (int)Number(item["df"])).ShouldBe(Number(item["p"]), 1e-13, item.ToJsonString());
        foreach (var item in _golden["normal"]!.AsArray())
            Distributions.NormalTwoSided(Number(item!["z"])).ShouldBe(Number(item["p"]), 1e-13 + (1e-9 * Number(item["p"])), item.ToJsonString());
        foreach (var item in _golden["holm"]!.AsArray())
            Holm.Adjust(Numbers(item!["p"])).ShouldBe(Numbers(item["adjusted"]), 1e-15);
        foreach (var item in _golden["folds"]!.AsArray())
        {
            var test = CorrectedResampledTest.Run(Numbers(item!["differences"]), Number(item["ratio"]));
            test.T!.Value.ShouldBe(Number(item["t"]), 1e-10);
            test.PValue!.Value.ShouldBe(Number(item["p"]), 1e-10);
            test.Low!.Value.ShouldBe(Number(item["low"]), 1e-10);
            test.High!.Value.ShouldBe(Number(item["high"]), 1e-10);
        }
        CorrectedResampledTest.Run([0.1], 0.25).PValue.ShouldBeNull();
        CorrectedResampledTest.Run([0.5, 0.5, 0.5], 0.25).ShouldBe(new FoldTest(3, 0.5, null, null, 0.5, 0.5));
    }

    [Fact]
    public void Intervals_resample_patients_and_not_cases()
    {
        // Four cases of one patient count once: two patients, means 0 and 1, so that half of the resamples mix them.
        double[] values = [0, 0, 0, 0, 1, 1, 1, 1];
        string[] patients = ["a", "a", "a", "a", "b", "b", "b", "b"];
        PatientBootstrap.Interval(values, patients, 2000, 1).ShouldBe((0, 1));
        var apart = PatientBootstrap.Interval(values, ["a", "b", "c", "d", "e", "f", "g", "h"], 20000, 1);
        // Means of eight draws from {0, 1} are binomial: 2.5% and 97.5% quantiles are 1/8 and 7/8.
        apart.ShouldBe((0.125, 0.875));
        PatientBootstrap.Interval([0.3, 0.3], ["a", "b"], 100, 1).ShouldBe((0.3, 0.3));
    }

    [Fact]
    public void Arms_are_compared_case_by_case_over_seeds()
    {
        var reference = Arm("real", 0);
        var better = Arm("real+synthetic", 0.05);
        var rows = ArmComparison.Compare([reference, better], ["a", "b"], 0.25, new StatisticsSection { Resamples = 500 });
        rows.Select(r => r.Class).ShouldBe(["a", "b", "mean"]);
        var a = rows[0];
        (a.Cases, a.Patients, a.Seeds.Count).ShouldBe((12, 12, 2));
        a.Difference.ShouldBe(0.05 + 0.0055, 1e-12);
        a.PValue.ShouldBe(2 / 4096.0, 1e-15);
        a.PHolm.ShouldBe(4 / 4096.0, 1e-15);
        a.Conclusion.ShouldBe("better");
        a.Folds!.Count.ShouldBe(2);
        a.BetterWorseEqual.ShouldBe([12, 0, 0]);
        // Class b is missing in the truth of one case and does not change.
        (rows[1].Cases, rows[1].Difference, rows[1].PValue).ShouldBe((11, 0, 1));
        rows[1].Conclusion.ShouldBe("no difference that matters (below 0.01)");
        // The mean over classes is a family of its own, one row per arm.
        rows[2].PHolm.ShouldBe(rows[2].PValue);

        ArmScores Fewer(ArmScores arm, int n) => arm with { Test = [.. arm.Test.Select(s => (IReadOnlyList<CaseDice>)[.. s.Take(n)])] };
        ArmComparison.Compare([Fewer(reference, 4), Fewer(better, 4)], ["a", "b"], 0.25, new StatisticsSection { Resamples = 500 })[0].Conclusion
            .ShouldBe("no conclusion: 4 test patients are fewer than 10");
        ArmComparison.Compare([Fewer(reference, 4), Fewer(better, 4)], ["a", "b"], 0.25, new StatisticsSection { Resamples = 500, LeastPatients = 2 })[0].Conclusion
            .ShouldBe("no conclusion: 4 test patients can never reach p < 0.05");
        Should.Throw<MaisiException>(() => ArmComparison.Compare([reference, Fewer(better, 4)], ["a", "b"], 0.25, new StatisticsSection())).Message.ShouldContain("different cases");
    }

    [Theory]
    [InlineData(0.02, 0.001, 0.03, 0.01, "better")]
    [InlineData(-0.02, -0.03, -0.001, 0.01, "worse")]
    [InlineData(0.005, 0.001, 0.012, 0.01, "a difference, but smaller than 0.01")]
    [InlineData(0.005, 0.001, 0.009, 0.01, "no difference that matters (below 0.01)")]
    [InlineData(0.02, 0.001, 0.03, 0.2, "no conclusion: the data fit both a difference that matters and none")]
    [InlineData(0.02, -0.001, 0.03, 0.01, "no conclusion: the data fit both a difference that matters and none")]
    public void Conclusions_need_the_interval_the_test_and_the_size(double difference, double low, double high, double p, string conclusion) => ArmComparison.Conclude(
        new ClassComparison
        {
            Arm = "x", Class = "y", Cases = 20, Patients = 20, Reference = 0.5, Value = 0.5 + difference, Difference = difference, Median = difference, Low = low, High = high,
            PValue = p, PHolm = p, BetterWorseEqual = [0, 0, 0], Seeds = [],
        }, new StatisticsSection()).ShouldBe(conclusion);

    [Fact]
    public void Arms_that_both_fail_are_not_called_equal() => ArmComparison.Conclude(
        new ClassComparison
        {
            Arm = "x", Class = "y", Cases = 20, Patients = 20, Reference = 0, Value = 0.001, Difference = 0.001, Median = 0, Low = 0, High = 0.002,
            PValue = 1, PHolm = 1, BetterWorseEqual = [1, 0, 19], Seeds = [],
        }, new StatisticsSection()).ShouldBe("no conclusion: neither arm learned it (mean Dice below 0.05)");

    private static ArmScores Arm(string name, double more)
    {
        // Differences of class a are more + 0.001·i, all positive and all different.
        IReadOnlyList<CaseDice> Cases(double shift) => [.. Enumerable.Range(0, 12).Select(i => new CaseDice($"c{i}", $"p{i}", i == 3
            ? new Dictionary<string, double> { ["a"] = 0.6 + shift + (more > 0 ? more + (0.001 * i) : 0) }
            : new Dictionary<string, double> { ["a"] = 0.6 + shift + (more > 0 ? more + (0.001 * i) : 0), ["b"] = 0.7 }))];
        IReadOnlyList<IReadOnlyList<CaseDice>> folds = [[.. Cases(0).Take(6)], [.. Cases(0).Skip(6)]];
        return new ArmScores(name, [Cases(0), Cases(0.01)], [folds, folds]);
    }

    private static double[] Numbers(JsonNode? node) => [.. node!.AsArray().Select(Number)];

    private static double Number(JsonNode? node) => node!.GetValue<double>();
}
