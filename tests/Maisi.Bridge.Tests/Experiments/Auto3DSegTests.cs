using System.Text.Json.Nodes;
using Maisi.Bridge.Experiments;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Experiments;

[Collection(Workers)]
public class Auto3DSegTests
{
    /// <summary>Tests with workers run one after the other.</summary>
    public const string Workers = "auto3dseg workers";

    [Fact]
    public void Auto3DSeg_is_handed_folds_and_never_a_label_map_of_the_test_set()
    {
        using var data = new ExperimentData();
        Directory.CreateDirectory(data["templates"]);
        var plan = data.Plan(Auto3DSeg);
        using var folder = ExperimentFolder.Begin(data["out"]);
        var files = new Auto3DSegFiles(data.Config(Auto3DSeg), plan, folder);
        var settings = files.Settings(ArmKind.RealSynthetic, data["work"], "cpu");

        var list = JsonNode.Parse(File.ReadAllText(data["out/auto3dseg/real+synthetic/fold_2.json"]))!;
        var training = list["training"]!.AsArray().ToDictionary(e => e!["image"]!.GetValue<string>(), e => e!["fold"]!.GetValue<int>());
        training.Where(e => e.Value == 2).Select(e => e.Key).ShouldBe(["P02.nii.gz", "P07.nii.gz"]);
        training["P03.nii.gz"].ShouldBe(3);
        training.Where(e => e.Key[0] == 'S').ShouldAllBe(e => e.Value == 5);
        training.Count.ShouldBe(10 + 4);
        list["testing"]!.AsArray().Select(e => e!.ToJsonString()).ShouldBe(["""{"image":"T00.nii.gz"}""", """{"image":"T01.nii.gz"}""", """{"image":"T02.nii.gz"}"""]);
        File.Exists(data["out/auto3dseg/data/T00.nii.gz"]).ShouldBeTrue();
        Directory.EnumerateFiles(data["out/auto3dseg/data"], "T*_classes.nii.gz").ShouldBeEmpty();
        ClassMap.Read(data["P02_label.nii.gz"], data.Config().Classes).ToArray<byte>().ShouldBe(VolumeFile.Read(data["out/auto3dseg/data/P02_classes.nii.gz"]).ToArray<byte>());

        // 48 steps, validated after 24 and 48 of them in both arms, whatever an epoch has; one epoch follows.
        var (real, both) = (plan.Arms[0].Folds[2], plan.Arms[1].Folds[2]);
        (files.StepsPerEpoch(real), files.EpochsPerValidation(real), files.Epochs(real), files.Steps(real)).ShouldBe((8, 3, 7, 48));
        (files.StepsPerEpoch(both), files.EpochsPerValidation(both), files.Epochs(both), files.Steps(both)).ShouldBe((12, 2, 5, 48));
        files.Epochs(real with { Validations = 1 }).ShouldBe(6);
        ((Dictionary<string, object?>)settings["overrides"]!)["roi_size"].ShouldBe(new List<object?> { 16L, 16L, 16L });
        Should.Throw<MaisiException>(() => new Auto3DSegTrainer(data.Config(c =>
        {
            Auto3DSeg(c);
            c["auto3dseg"]!["templates"] = "nowhere";
        }), plan, folder)).Message.ShouldBe("There are no algorithm templates.");
    }

    /// <summary>MAISI_MONAI: a MONAI checkout; MAISI_MONAI_TEMPLATES: the algorithm templates for it; MAISI_PYTHON chooses the interpreter.</summary>
    [SkippableFact]
    public async Task Five_folds_of_both_arms_run_in_MONAI()
    {
        var (monai, templates) = RequireMonai();
        using var data = new ExperimentData();
        data.Save();
        var results = await new ExperimentRunner(data.Config(c => Configure(c, templates, monai)), data["out"]).RunAsync();
        results.Units.Count.ShouldBe(10);
        results.Units.ShouldAllBe(u => u.Steps == 48 && u.Curve.Count > 0);
        results.Tests.SelectMany(t => t.Cases).Count().ShouldBe(6);
        File.Exists(data["out/report.html"]).ShouldBeTrue();
    }

    internal static (IReadOnlyList<string> PythonPath, string Templates) RequireMonai()
    {
        var (monai, templates) = (Environment.GetEnvironmentVariable("MAISI_MONAI"), Environment.GetEnvironmentVariable("MAISI_MONAI_TEMPLATES"));
        Skip.If(monai is null || templates is null, "MAISI_MONAI and MAISI_MONAI_TEMPLATES name no checkouts");
        return (monai!.Split(Path.PathSeparator), templates!);
    }

    internal static void Configure(JsonObject config, string templates, IReadOnlyList<string> pythonPath)
    {
        Auto3DSeg(config);
        config["auto3dseg"]!["templates"] = templates;
        config["auto3dseg"]!["python_path"] = new JsonArray([.. pythonPath.Select(p => (JsonNode)p)]);
    }

    private static void Auto3DSeg(JsonObject config)
    {
        config["trainer"] = "auto3dseg";
        config["budget"] = new JsonObject { ["steps"] = 48, ["batch_size"] = 1, ["validations"] = 2 };
        config["auto3dseg"] = JsonNode.Parse("""
            {"templates": "templates", "overrides": {"roi_size": [16, 16, 16], "network#init_filters": 8, "network#blocks_down": [1, 1, 1], "network#dsdepth": 2}}
            """);
    }
}
