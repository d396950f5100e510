using System.Text.Json.Nodes;
using Maisi.Bridge.Experiments;

namespace Maisi.Bridge.Tests.Experiments;

public class LayoutTests
{
    [Fact]
    public void Folders_MSD_and_nnUNet_give_the_same_cases()
    {
        using var data = new ExperimentData(0, 0, 0);
        for (var i = 0; i < 7; i++)
        {
            var test = i >= 5;
            data.Case($"c{i}", i, test ? "plain/images_test" : "plain/images", "", "", test ? "plain/labels_test" : "plain/labels");
            data.Case($"c{i}", i, "msd/imagesTr", "", "", "msd/labelsTr");
            data.Case($"c{i}", i, test ? "nn/imagesTs" : "nn/imagesTr", "_0000", "", test ? "nn/labelsTs" : "nn/labelsTr");
        }
        File.WriteAllText(data["msd/dataset.json"], new JsonObject
        {
            ["training"] = new JsonArray([.. Enumerable.Range(0, 7).Select(i => (JsonNode)new JsonObject { ["image"] = $"./imagesTr/c{i}.nii.gz", ["label"] = $"./labelsTr/c{i}.nii.gz" })]),
            ["test"] = new JsonArray("./imagesTs/x.nii.gz"),
        }.ToJsonString());
        File.WriteAllText(data["nn/dataset.json"], """{"channel_names": {"0": "CT"}, "labels": {"background": 0, "a": 1}, "numTraining": 5, "file_ending": ".nii.gz"}""");
        File.WriteAllText(data["nn/splits_final.json"], new JsonArray([.. Enumerable.Range(0, 5).Select(i =>
            (JsonNode)new JsonObject { ["train"] = new JsonArray(), ["val"] = new JsonArray($"c{4 - i}") })]).ToJsonString());

        var plain = Plan("folder", "plain");
        var msd = Plan("msd", "msd", "c5", "c6");
        var nn = Plan("nnunet", "nn");
        foreach (var plan in new[] { plain, msd, nn })
        {
            plan.Test.ShouldBe(["c5", "c6"]);
            plan.Arms.ShouldHaveSingleItem().Folds.SelectMany(f => f.Validation).Order().ShouldBe(["c0", "c1", "c2", "c3", "c4"]);
            plan.Arms[0].Folds.ShouldAllBe(f => f.TrainReal.Count == 4 && !f.TrainReal.Contains(f.Validation[0]));
        }
        // splits_final.json decides, and elsewhere the lot of the patients' names, which is the same in every layout.
        nn.Arms[0].Folds.Select(f => f.Validation[0]).ShouldBe(["c4", "c3", "c2", "c1", "c0"]);
        plain.Arms[0].Folds.Select(f => f.Validation[0]).ShouldBe(msd.Arms[0].Folds.Select(f => f.Validation[0]));

        File.Delete(data["plain/labels/c3.nii.gz"]);
        Should.Throw<ExperimentException>(() => Plan("folder", "plain")).Where.ShouldBe(data["plain/images/c3.nii.gz"]);
        Should.Throw<ExperimentException>(() => Plan("msd", "msd", "c9")).Message.ShouldBe("The test patient 'c9' has no case.");
        File.WriteAllText(data["nn/splits_final.json"], """[{"train": [], "val": ["c0"]}, {"train": [], "val": ["c0"]}]""");
        Should.Throw<ExperimentException>(() => Plan("nnunet", "nn")).Message.ShouldContain("'c0' is validated in two folds");

        ExperimentPlan Plan(string layout, string path, params string[] test) => ExperimentPlanner.Plan(data.Config(c =>
        {
            c["data"] = new JsonObject { ["layout"] = layout, ["path"] = path, ["test_patients"] = new JsonArray([.. test.Select(t => (JsonNode)t)]) };
            c["arms"] = new JsonArray("real");
        }));
    }

    [Fact]
    public void Images_of_a_patient_share_a_fold_by_the_pattern()
    {
        using var data = new ExperimentData(0, 0, 0);
        for (var i = 0; i < 12; i++)
            data.Case($"pat{i / 2}_scan{i % 2}", i, i < 10 ? "d/images" : "d/images_test", "", "", i < 10 ? "d/labels" : "d/labels_test");
        var plan = ExperimentPlanner.Plan(data.Config(c =>
        {
            c["data"] = new JsonObject { ["layout"] = "folder", ["path"] = "d", ["patient_pattern"] = "(pat[0-9]+)_" };
            c["arms"] = new JsonArray("real");
        }));
        plan.Arms[0].Folds.ShouldAllBe(f => f.Validation.Count == 2 && f.Validation[0].Substring(0, 4) == f.Validation[1].Substring(0, 4));
        Should.Throw<ExperimentException>(() => ExperimentPlanner.Plan(data.Config(c =>
            c["data"] = new JsonObject { ["layout"] = "folder", ["path"] = "d", ["patient_pattern"] = "(case[0-9]+)_" }))).Message.ShouldContain("finds nobody in 'pat0_scan0.nii.gz'");
    }
}
