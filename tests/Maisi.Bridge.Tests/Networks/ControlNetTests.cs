using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Networks;
using Maisi.Bridge.TestSupport;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Networks;

public class ControlNetTests
{
    [Theory]
    [InlineData("controlnet_rflow")]
    [InlineData("controlnet_ddpm")]
    public void Residuals_are_those_of_MONAI(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = new Golden(name);
        using var network = golden.Network<ControlNetMaisi>();
        var condition = Golden.BitPlanes(golden["in/label"]);
        var conditions = new ControlNetConditions { ClassLabels = golden.TryGet("in/class_labels") };

        network.EmbedCondition(condition).ShouldMatch(golden["out/cond_embedding"], name, "condition embedding");
        var residuals = network.call(golden["in/x"], golden["in/timesteps"], condition, conditions);
        var expected = golden.Sequence("out/down");
        residuals.Down.Count.ShouldBe(expected.Length);
        for (var i = 0; i < expected.Length; i++)
            residuals.Down[i].ShouldMatch(expected[i], name, $"down {i}");
        residuals.Mid.ShouldMatch(golden["out/mid"], name, "mid");

        var half = network.call(golden["in/x"], golden["in/timesteps"], condition, conditions with { ConditioningScale = 0.5 });
        half.Mid.ShouldMatch(golden["out/mid"] * 0.5, name, "mid at half strength");
        half.Down[3].ShouldMatch(expected[3] * 0.5, name, "down 3 at half strength");
    }

    [Theory]
    [InlineData("rflow", true)]
    [InlineData("rflow", false)]
    [InlineData("ddpm", true)]
    public void Gradients_through_the_frozen_UNet_match(string kind, bool checkpointing)
    {
        using var scope = NewDisposeScope();
        using Golden golden = new($"controlnet_{kind}"), unetGolden = new($"unet_{kind}"), gradients = new($"controlnet_{kind}_grad");
        var config = golden.Config.DeepClone().AsObject();
        config["use_checkpointing"] = checkpointing;
        using var network = golden.Network<ControlNetMaisi>(config);
        using var unet = unetGolden.Network<DiffusionModelUNetMaisi>();
        network.train();
        foreach (var parameter in unet.parameters())
            parameter.requires_grad = false;

        var residuals = network.call(
            golden["in/x"], golden["in/timesteps"], Golden.BitPlanes(golden["in/label"]), new ControlNetConditions { ClassLabels = golden.TryGet("in/class_labels") });
        var conditions = DiffusionUNetTests.Conditions(unetGolden, "in/") with { DownBlockAdditionalResiduals = residuals.Down, MidBlockAdditionalResidual = residuals.Mid };
        var loss = (unet.call(unetGolden["in/x"], unetGolden["in/timesteps"], conditions) - gradients["in/target"]).abs().mean();
        loss.backward();

        loss.item<float>().ShouldBe((float)gradients.Info["loss"]!, 1e-5f);
        var parameters = network.named_parameters().ToDictionary(p => p.name, p => p.parameter, StringComparer.Ordinal);
        foreach (var key in gradients.Under("grad"))
        {
            var row = key.EndsWith("[1]", StringComparison.Ordinal);
            var gradient = parameters[row ? key[..^3] : key].grad!;
            (row ? gradient[1] : gradient).ShouldMatch(gradients["grad/" + key], gradients.Name, $"grad {key}");
        }
        gradients.Under("grad").Count().ShouldBeGreaterThanOrEqualTo(5);
    }

    [Fact]
    public void Starting_from_the_UNet_copies_the_keys_that_MONAI_copies()
    {
        using var scope = NewDisposeScope();
        using Golden golden = new("controlnet_rflow"), unetGolden = new("unet_rflow");
        using var network = golden.Network<ControlNetMaisi>();
        using var unet = unetGolden.Network<DiffusionModelUNetMaisi>();
        var expected = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(TestPaths.Golden("copy_model_state.json")))!;

        var (copied, unchanged) = StateDictLoader.CopyMatching(network, unet);

        copied.ShouldBe(expected["controlnet_keys_taken_from_unet"]!.AsArray().Select(k => k!.ToString()).Order(StringComparer.Ordinal));
        unchanged.ShouldBe(expected["unchanged_controlnet_keys"]!.AsArray().Select(k => k!.ToString()).Order(StringComparer.Ordinal));
        network.state_dict()["conv_in.conv.weight"].ShouldMatch(unetGolden["w/conv_in.conv.weight"], golden.Name, "copied weight", tolerance: 0);
    }
}
