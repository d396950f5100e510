using System.Text.Json;
using System.Text.Json.Nodes;
using Maisi.Bridge.Tests.Experiments;
using static Maisi.Bridge.Cli.Tests.CapturedConsole;

namespace Maisi.Bridge.Cli.Tests;

/// <summary><c>maisi experiment</c>: tables, JSON, exit codes, and one-screen errors for what cannot be run.</summary>
[Collection("console")]
public sealed class ExperimentCommandTests
{
    [Fact]
    public async Task An_experiment_is_planned_run_looked_at_reported_and_compared()
    {
        using var data = Small();
        var config = data["config.json"];
        var plan = await Run("experiment", "plan", config);
        (plan.Code, plan.Error).ShouldBe((0, ""));
        plan.Output.ShouldContain("train real");
        plan.Output.ShouldContain("test: 2 real cases of 2 patients, seen by no arm");
        JsonDocument.Parse((await Run("experiment", "plan", config, "--json")).Output).RootElement.GetProperty("arms").GetArrayLength().ShouldBe(2);

        var (code, output, error) = await Run("experiment", "run", config, "-o", data["out"]);
        code.ShouldBe(0, error);
        output.ShouldContain("no conclusion: 2 test patients are fewer than 10");
        output.ShouldContain("report: ");
        error.ShouldContain("real/seed_0/fold_1 segresnet 4/4");
        var again = await Run("experiment", "run", config, "-o", data["out"], "--json", "-q");
        (again.Code, again.Error).ShouldBe((0, ""));
        JsonDocument.Parse(again.Output).RootElement.GetProperty("units").GetArrayLength().ShouldBe(4);

        var status = await Run("experiment", "status", data["out"]);
        status.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(4 + 2 + 1);
        status.Output.ShouldEndWith("finished\n");
        JsonDocument.Parse((await Run("experiment", "status", data["out"], "--json")).Output).RootElement.GetProperty("finished").GetBoolean().ShouldBeTrue();

        File.Delete(data["out/report.html"]);
        (await Run("experiment", "report", data["out"])).Output.ShouldContain("real+synthetic");
        File.Exists(data["out/report.html"]).ShouldBeTrue();

        var pair = await Run("experiment", "compare", data["out"], data["out/results.json"], "--first-arm", "real", "--second-arm", "real");
        (pair.Code, pair.Error).ShouldBe((0, ""));
        pair.Output.ShouldStartWith("first:  test, real\nsecond: test, real\n");
        var rows = JsonDocument.Parse((await Run("experiment", "compare", data["out"], data["out"], "--first-arm", "real", "--json")).Output).RootElement.GetProperty("rows");
        rows.EnumerateArray().Select(r => r.GetProperty("class").GetString()).ShouldBe(["left box", "right box", "mean"]);
        JsonDocument.Parse((await Run("experiment", "schema")).Output).RootElement.GetProperty("properties").TryGetProperty("budget", out _).ShouldBeTrue();
    }

    [Fact]
    public async Task What_cannot_be_run_is_one_screen_and_leaves_nothing()
    {
        using var data = Small();
        var config = data["config.json"];
        File.WriteAllText(data["a_file"], "text");
        File.WriteAllText(data["broken.json"], "{ \"name\": ");
        File.WriteAllText(data["results.json"], "[]");
        Directory.CreateDirectory(data["empty"]);
        void Write(string name, Action<JsonObject> change)
        {
            var json = JsonNode.Parse(File.ReadAllText(config))!.AsObject();
            change(json);
            File.WriteAllText(data[name], json.ToJsonString());
        }

        Write("typo.json", c => c["budjet"] = 3);
        Write("pattern.json", c => c["data"]!["patient_pattern"] = "([");
        Write("nobody.json", c => c["data"]!["test_patients"] = new JsonArray("P99"));
        Write("layout.json", c => c["data"] = new JsonObject { ["layout"] = "folder", ["path"] = "empty" });
        Write("msd.json", c => c["data"] = new JsonObject { ["layout"] = "msd", ["path"] = "empty" });
        Write("bundle.json", c => c["synthetic"] = new JsonObject { ["bundle"] = "nowhere", ["count"] = 3 });
        Write("auto.json", c => (c["trainer"], c["auto3dseg"]) = ("auto3dseg", new JsonObject { ["templates"] = "nowhere" }));
        Write("patch.json", c => c["segresnet"]!["patch_size"] = new JsonArray(15, 16, 16));
        (string[] Arguments, string Words)[] wrong =
        [
            (["plan", data["none.txt"]], "cannot be read"),
            (["plan", data["empty"]], "cannot be read"),
            (["plan", data["broken.json"]], "does not fit"),
            (["plan", data["typo.json"]], "budjet"),
            (["plan", data["pattern.json"]], "is no regular expression"),
            (["plan", data["nobody.json"]], "'P99' has no case"),
            (["plan", data["layout.json"]], "There is no folder 'images'"),
            (["plan", data["msd.json"]], "dataset.json"),
            (["plan", data["patch.json"]], "patch_size must be three multiples of 2"),
            (["plan", config, "--data-root", data["empty"]], "there is no file"),
            (["plan"], "Required argument"),
            (["run", config], "'--output' is required"),
            (["run", config, "-o", data["a_file"]], "The experiment's folder cannot be used"),
            (["run", data["bundle.json"], "-o", data["new1"]], "nowhere"),
            (["run", data["auto.json"], "-o", data["new2"]], "There are no algorithm templates"),
            (["status", data["nowhere"]], "There is no experiment here"),
            (["status", data["empty"]], "There is no experiment here"),
            (["report", data["empty"]], "There is no experiment here"),
            (["compare", data["empty"], data["empty"]], "There are no results"),
            (["compare", data["a_file"], data["results.json"]], "There are no results"),
        ];
        foreach (var (arguments, words) in wrong)
        {
            var (code, output, error) = await Run(["experiment", .. arguments]);
            var what = $"{string.Join(' ', arguments)}\n{error}";
            code.ShouldBe(2, what);
            output.ShouldBe("", what);
            error.ShouldContain(words, Case.Insensitive, what);
            error.ShouldStartWith("maisi: ");
            error.ShouldNotContain("   at Maisi");
            error.Trim().Split('\n').Length.ShouldBeLessThan(6, what);
        }
        Directory.Exists(data["nowhere"]).ShouldBeFalse();
        Directory.EnumerateFileSystemEntries(data["empty"]).ShouldBeEmpty();
    }

    private static ExperimentData Small()
    {
        var data = new ExperimentData(4, 2, 4).Folds(2);
        data.Save();
        data.Config();
        return data;
    }
}
