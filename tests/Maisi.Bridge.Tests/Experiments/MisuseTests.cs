using System.Text.Json.Nodes;
using Maisi.Bridge.Experiments;
using Maisi.Bridge.Volumes;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Experiments;

/// <summary>What goes wrong with data and folders is told before anything is trained.</summary>
public class MisuseTests
{
    [Theory]
    [InlineData("P02", 5)]
    [InlineData("T01", 22)]
    public void A_label_map_of_another_size_is_refused_with_the_line(string id, int line)
    {
        using var data = new ExperimentData();
        data.Plan();
        var grid = new VolumeGrid(24, 24, 20, Affine.Diagonal(2, 2, 2));
        VolumeFile.Write(Volume.Zeros<byte>(grid), data[$"{id}_label.nii.gz"]);
        Refused(data, $"label map (24×24×20", line);
        VolumeFile.Write(Volume.Zeros<byte>(new VolumeGrid(24, 24, 24, Affine.Diagonal(2, 2, 2.5))), data[$"{id}_label.nii.gz"]);
        Refused(data, $"of '{id}' do not lie on the same grid", line);
        File.WriteAllText(data[$"{id}_label.nii.gz"], "no image");
        Refused(data, $"A file of '{id}' cannot be read: {id}_label.nii.gz", line);
    }

    [Fact]
    public async Task A_damaged_test_case_is_found_before_anything_is_trained()
    {
        using var data = new ExperimentData(4, 2, 0).Folds(2);
        data.Save();
        var bytes = File.ReadAllBytes(data["T01_ct.nii.gz"]);
        File.WriteAllBytes(data["T01_ct.nii.gz"], bytes[..(bytes.Length / 2)]);
        var error = await Should.ThrowAsync<MaisiException>(() => new ExperimentRunner(data.Config(c => c["arms"] = new JsonArray("real")), data["out"]).RunAsync());
        error.Where!.ShouldContain("T01_ct.nii.gz");
        File.Exists(data["out/real/seed_0/fold_0/training/training.csv"]).ShouldBeFalse();
    }

    [Fact]
    public async Task Another_config_is_refused_before_its_synthetic_cases_are_made()
    {
        using var data = new ExperimentData(4, 2, 0).Folds(2);
        data.Save();
        void Small(JsonObject config) => config["arms"] = new JsonArray("real");
        await new ExperimentRunner(data.Config(Small), data["out"]).RunAsync();
        var results = File.ReadAllText(data["out/results.json"]);
        var other = data.Config(c => c["synthetic"] = new JsonObject { ["bundle"] = "nowhere", ["count"] = 4 });
        (await Should.ThrowAsync<MaisiException>(() => new ExperimentRunner(other, data["out"]).RunAsync())).Message.ShouldContain("planned from another config");
        File.ReadAllText(data["out/results.json"]).ShouldBe(results);
        // Where it runs, where the data lies and what is said about it may change.
        Directory.CreateDirectory(data["moved"]);
        foreach (var file in Directory.EnumerateFiles(data.Path, "*.nii.gz"))
            File.Move(file, data[$"moved/{Path.GetFileName(file)}"]);
        var moved = data.Config(c =>
        {
            Small(c);
            (c["description"], c["data"]!["root"], c["statistics"]) = ("said otherwise", "moved", new JsonObject { ["alpha"] = 0.01 });
        });
        (await new ExperimentRunner(moved, data["out"]).RunAsync()).Config.Description.ShouldBe("said otherwise");
    }

    [SkippableFact]
    public async Task A_device_that_is_not_there_is_told()
    {
        Skip.If(cuda.is_available(), "there is one");
        using var data = new ExperimentData(4, 2, 0).Folds(2);
        data.Save();
        var error = await Should.ThrowAsync<MaisiException>(() => new ExperimentRunner(data.Config(c =>
        {
            c["arms"] = new JsonArray("real");
            c["devices"] = new JsonArray("cuda:0");
        }), data["out"]).RunAsync());
        error.Message.ShouldContain("'cuda:0' was asked for, but no CUDA device is available");
        error.Where.ShouldBe("devices");
    }

    private static void Refused(ExperimentData data, string words, int line)
    {
        var error = Should.Throw<ExperimentException>(() => ExperimentPlanner.Plan(data.Config()));
        error.Message.ShouldContain(words);
        error.Where!.ShouldStartWith($"{data.Datalist}:{line}:");
    }
}
