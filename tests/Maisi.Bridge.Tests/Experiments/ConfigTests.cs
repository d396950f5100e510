using System.Text.Json.Nodes;
using Maisi.Bridge.Experiments;

namespace Maisi.Bridge.Tests.Experiments;

public class ExperimentConfigTests
{
    [Theory]
    [InlineData("budget", """{"steps": "many"}""", "budget.steps", true)]
    [InlineData("trainer", "\"unet\"", "trainer", true)]
    [InlineData("ratio", "1", "ratio", true)]
    [InlineData("arms", """["real", "fake"]""", "arms", true)]
    [InlineData("folds", "1", "folds must be 2 to 20", false)]
    [InlineData("seeds", "[1, 1]", "seeds must be at least one seed, none twice", false)]
    [InlineData("arms", """["real", "real"]""", "arms must be at least one arm, none twice", false)]
    [InlineData("classes", """[{"name": "a", "labels": [1]}, {"name": "b", "labels": [1]}]""", "classes that share no label code", false)]
    [InlineData("budget", """{"steps": 3, "validations": 4}""", "no more validations than steps", false)]
    [InlineData("synthetic", """{"ratio": 1}""", "either a datalist or a bundle", false)]
    [InlineData("trainer", "\"auto3dseg\"", "auto3dseg must be given", false)]
    public void What_does_not_fit_is_named(string key, string value, string words, bool hasLine)
    {
        using var data = new ExperimentData(0, 0, 0);
        var error = Should.Throw<MaisiException>(() => data.Config(c => c[key] = JsonNode.Parse(value)));
        error.Message.ShouldContain(words);
        if (hasLine)
            error.Where!.ShouldMatch(@"config\.json:\d+:\d+$");
    }

    [Fact]
    public void A_config_is_written_as_it_is_read()
    {
        using var data = new ExperimentData(0, 0, 0);
        var config = data.Config(c => c["seeds"] = new JsonArray(3, 5));
        ExperimentConfig.Parse(config.ToJson(), "again").ToJson().ShouldBe(config.ToJson());
        config.Arms.ShouldBe([ArmKind.Real, ArmKind.RealSynthetic]);
        config.Statistics.MinimalEffect.ShouldBe(0.01);
        JsonNode.Parse(ExperimentConfig.Schema())!["properties"]!["trainer"]!["enum"]!.AsArray().Select(n => n!.GetValue<string>()).ShouldBe(["segresnet", "auto3dseg"]);
    }
}
