using System.Text.Json.Nodes;
using Maisi.Bridge.Experiments;

namespace Maisi.Bridge.Tests.Experiments;

public class PlanTests
{
    [Fact]
    public void Every_fold_trains_on_the_others_and_on_synthetic_cases_of_none_that_it_holds_out()
    {
        using var data = new ExperimentData();
        var plan = data.Plan(c => c["arms"] = new JsonArray("real", "real+synthetic", "synthetic", "real_augmented"));
        var (real, both, synthetic, augmented) = (plan.Arms[0].Folds, plan.Arms[1].Folds, plan.Arms[2].Folds, plan.Arms[3].Folds);
        for (var k = 0; k < 5; k++)
        {
            real[k].Validation.ShouldBe([$"P{k:D2}", $"P{k + 5:D2}"]);
            real[k].TrainReal.Count.ShouldBe(8);
            real[k].TrainSynthetic.ShouldBeEmpty();
            both[k].TrainReal.ShouldBe(real[k].TrainReal);
            both[k].TrainSynthetic.Count.ShouldBe(4, "half as many as real ones");
            both[k].TrainSynthetic.ShouldNotContain($"S{k:D2}");
            synthetic[k].TrainReal.ShouldBeEmpty();
            synthetic[k].TrainSynthetic.ShouldBe(both[k].TrainSynthetic);
            augmented[k].TrainReal.ShouldBe(real[k].TrainReal);
            foreach (var arm in new[] { both[k], synthetic[k], augmented[k] })
                (arm.Steps, arm.Validations, string.Join(' ', arm.Validation)).ShouldBe((4, 2, string.Join(' ', real[k].Validation)));
        }
        plan.Test.ShouldBe(["T00", "T01", "T02"]);
        data.Plan(c => c["arms"] = new JsonArray("real", "real+synthetic", "synthetic", "real_augmented")).Fingerprint.ShouldBe(plan.Fingerprint);
        data.Plan().Fingerprint.ShouldNotBe(plan.Fingerprint);
        PlanTable.Text(plan).Split('\n').Length.ShouldBe(1 + 20 + 5);
    }

    [Fact]
    public void A_ratio_that_cannot_be_had_in_every_fold_is_refused()
    {
        using var data = new ExperimentData();
        data.Save();
        var error = Should.Throw<ExperimentException>(() => ExperimentPlanner.Plan(data.Config(c => c["synthetic"]!["ratio"] = 0.75)));
        error.Message.ShouldBe("Fold 0 wants 6 synthetic cases, but 4 may be used in it: those of held-out patients may not.");
        error.Hint.ShouldBe("Make more cases, or set synthetic.ratio to 0.5 or less.");
    }

    [Fact]
    public void Subjects_of_the_generator_are_only_trained_on()
    {
        using var data = new ExperimentData();
        File.WriteAllText(data["subjects.json"], """["P03"]""");
        void Subjects(JsonObject config) => (config["synthetic"]!["generator_subjects"], config["synthetic"]!["allow_unknown_generator"]) = ("subjects.json", false);
        data.Save();
        var error = Should.Throw<ExperimentException>(() => ExperimentPlanner.Plan(data.Config(Subjects)));
        error.Message.ShouldStartWith("The patient 'P03' is in fold 3, but the generator was trained on it");
        error.Where.ShouldStartWith($"{data.Datalist}:6:");

        data.Training[3]!.AsObject().Remove("fold");
        data.Training[3]!["train_only"] = true;
        var plan = data.Plan(Subjects);
        plan.Arms[0].Folds.ShouldAllBe(f => f.TrainReal.Contains("P03") && !f.Validation.Contains("P03"));
        plan.GeneratorSubjects.ShouldBe(1);

        File.WriteAllText(data["subjects.json"], """{"training": [{"image": "x/T01_ct.nii.gz"}]}""");
        data.Save();
        Should.Throw<ExperimentException>(() => ExperimentPlanner.Plan(data.Config(c =>
        {
            Subjects(c);
            c["data"]!["patient_pattern"] = "^([A-Z][0-9]+)_";
        }))).Message.ShouldContain("The patient 'T01' is in the test set, but the generator was trained on it");

        Should.Throw<ExperimentException>(() => ExperimentPlanner.Plan(data.Config(c => c["synthetic"]!["allow_unknown_generator"] = false)))
            .Message.ShouldStartWith("Nobody knows whom the generator was trained on");
    }

    [Fact]
    public void Parents_are_found_by_the_bytes_of_their_label_map()
    {
        using var data = new ExperimentData();
        var hash = Maisi.Bridge.Generation.HashedFile.Of(data["T02_label.nii.gz"]).Sha256;
        var entry = data.Training[10]!.AsObject();
        (entry["parent_sha256"], entry["parent_patient_ids"]) = (hash, new JsonArray("somebody"));
        data.Save();
        Should.Throw<ExperimentException>(() => ExperimentPlanner.Plan(data.Config())).Message.ShouldBe("The synthetic case 'S00' was made from the test patient 'T02'.");
    }

    // Leaks that no datalist could cause are planted in the plan itself.
    [Theory]
    [InlineData("validation case in training", "is in the training of fold 1 of arm real, but its patient is validated on there")]
    [InlineData("second case of a validation patient in training", "but its patient is validated on there")]
    [InlineData("test case in training", "but its patient is in the test set")]
    [InlineData("test patient in validation", "is in the validation of fold 1 of arm real, but its patient is in the test set")]
    [InlineData("synthetic of a validation patient in training", "but it was made from a patient who is validated on there")]
    [InlineData("synthetic of a test patient in training", "but it was made from a test patient")]
    [InlineData("synthetic in validation", "is in the validation of fold 1 of arm real, but it is synthetic")]
    [InlineData("synthetic in test", "is in the test set, but it is synthetic")]
    [InlineData("generator subject in test", "is in the test set, but the generator was trained on it")]
    [InlineData("generator subject in validation", "is in the validation of fold 0 of arm real, but the generator was trained on it")]
    [InlineData("an arm with more steps", "The budget is 5 steps and 2 validations, but 4 and 2 in arm real")]
    [InlineData("an arm with more validations", "The budget is 4 steps and 3 validations, but 4 and 2 in arm real")]
    [InlineData("an arm with other validation cases", "The validation cases differ from those of arm real")]
    [InlineData("an arm with fewer real cases", "The real training cases differ from those of arm real")]
    [InlineData("an arm without a fold", "Arm real+synthetic has 4 folds, and arm real has 5")]
    [InlineData("nothing to train on", "There is nothing to train or to validate on")]
    public void A_planted_leak_is_refused(string leak, string words)
    {
        using var data = new ExperimentData();
        var plan = data.Plan();
        PlanContract.Check(plan, []);
        string[] subjects = leak switch { "generator subject in test" => ["T01"], "generator subject in validation" => ["P05"], _ => [] };
        var error = Should.Throw<ExperimentException>(() => PlanContract.Check(Planted(plan, leak), subjects));
        error.Message.ShouldContain(words);
    }

    private static ExperimentPlan Planted(ExperimentPlan plan, string leak)
    {
        var first = plan.Arms[0].Folds[1];
        var second = plan.Arms[1].Folds[1];
        ExperimentPlan Fold(int arm, Func<FoldPlan, FoldPlan> change) => plan with
        {
            Arms = [.. plan.Arms.Select((a, i) => i == arm ? a with { Folds = [.. a.Folds.Select((f, k) => k == 1 ? change(f) : f)] } : a)],
        };
        ExperimentPlan Case(string id, Func<ExperimentCase, ExperimentCase> change) => plan with { Cases = [.. plan.Cases.Select(c => c.CaseId == id ? change(c) : c)] };
        return leak switch
        {
            "validation case in training" => Fold(0, f => f with { TrainReal = [.. f.TrainReal, f.Validation[0]] }),
            "second case of a validation patient in training" => Case(first.TrainReal[0], c => c with { PatientId = first.Validation[0] }),
            "test case in training" => Fold(0, f => f with { TrainReal = [.. f.TrainReal, "T00"] }),
            "test patient in validation" => Fold(0, f => f with { Validation = [.. f.Validation, "T00"] }),
            "synthetic of a validation patient in training" => Case(second.TrainSynthetic[0], c => c with { Parents = [.. c.Parents, second.Validation[0]] }),
            "synthetic of a test patient in training" => Case(second.TrainSynthetic[0], c => c with { Parents = ["T02"] }),
            "synthetic in validation" => Fold(0, f => f with { Validation = [.. f.Validation, second.TrainSynthetic[0]] }),
            "synthetic in test" => plan with { Test = [.. plan.Test, second.TrainSynthetic[0]] },
            "an arm with more steps" => Fold(1, f => f with { Steps = 5 }),
            "an arm with more validations" => Fold(1, f => f with { Validations = 3 }),
            "an arm with other validation cases" => Fold(1, f => f with { Validation = [f.Validation[0]] }),
            "an arm with fewer real cases" => Fold(1, f => f with { TrainReal = [.. f.TrainReal.Skip(1)] }),
            "an arm without a fold" => plan with { Arms = [plan.Arms[0], plan.Arms[1] with { Folds = [.. plan.Arms[1].Folds.Skip(1)] }] },
            "nothing to train on" => Fold(0, f => f with { TrainReal = [] }),
            _ => plan,
        };
    }
}
