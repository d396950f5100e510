using System.Text.Json.Nodes;
using Maisi.Bridge.Networks;
using Maisi.Bridge.TestSupport;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Networks;

public class DiffusionUNetTests
{
    [Theory]
    [InlineData("unet_rflow")]
    [InlineData("unet_ddpm")]
    public void Maisi_UNet_computes_what_MONAI_computes(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = new Golden(name);
        using var controlnet = new Golden(golden.Name.Replace("unet", "controlnet", StringComparison.Ordinal));
        using var network = golden.Network<DiffusionModelUNetMaisi>();
        var conditions = Conditions(golden, "in/");
        Tensor x = golden["in/x"], t = golden["in/timesteps"];

        network.Embed(x, t, conditions).ShouldMatch(golden["out/embedding"], name, "embedding");
        network.call(x, t, conditions).ShouldMatch(golden["out/plain"], name, "plain");
        network.call(golden["in/b2_x"], golden["in/b2_timesteps"], Conditions(golden, "in/b2_")).ShouldMatch(golden["out/b2"], name, "batch of 2");
        var residuals = controlnet.Sequence("out/down");
        var before = residuals.Select(r => r.clone()).ToArray();
        var controlled = network.call(x, t, conditions with { DownBlockAdditionalResiduals = residuals, MidBlockAdditionalResidual = controlnet["out/mid"] });
        controlled.ShouldMatch(golden["out/with_controlnet"], name, "with ControlNet");
        for (var i = 0; i < residuals.Length; i++)
            residuals[i].ShouldMatch(before[i], name, "residuals are left alone", tolerance: 0);
    }

    [Theory]
    [InlineData("unet_mask_crossattn")]
    [InlineData("unet_crossattn_b2_resupdown")]
    [InlineData("unet_selfattn_combined_linear")]
    [InlineData("unet_maisi_2d")]
    public void UNet_computes_what_MONAI_computes(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = new Golden(name);
        using var network = golden.Network<DiffusionUNet>();
        network.call(golden["in/x"], golden["in/timesteps"], Conditions(golden, "in/")).ShouldMatch(golden["out/y"], name, "forward");
    }

    [Fact]
    public void Plain_UNet_adds_residuals_behind_the_middle_blocks_back()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = new Golden("unet_mask_crossattn");
        using var network = golden.Network<DiffusionModelUNet>();
        var down = golden.Sequence("in/down");
        var conditions = Conditions(golden, "in/") with { DownBlockAdditionalResiduals = down, MidBlockAdditionalResidual = down[^1] };
        network.call(golden["in/x"], golden["in/timesteps"], conditions).ShouldMatch(golden["out/with_residuals"], golden.Name, "with residuals");
    }

    [Theory]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(64)]
    public void Timestep_embedding_matches(int dim)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden("timestep_embedding");
        TimestepEmbedding.Sinusoidal(golden["in/t"], dim).ShouldMatch(golden[$"out/dim{dim}"], golden.Name, $"dim {dim}");
    }

    [Fact]
    public void Missing_conditions_and_wrong_residuals_are_named()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = new Golden("unet_rflow");
        using var network = golden.Network<DiffusionModelUNetMaisi>();
        Tensor x = golden["in/x"], t = golden["in/timesteps"];
        var conditions = Conditions(golden, "in/");
        Should.Throw<NetworkInputException>(() => network.call(x, t, conditions with { ClassLabels = null })).Message.ShouldContain("class_labels is missing");
        Should.Throw<NetworkInputException>(() => network.call(x, t, conditions with { Spacing = null })).Message.ShouldContain("spacing_tensor is missing");
        Should.Throw<NetworkInputException>(() => network.call(x, t, conditions with { Context = x })).Message.ShouldContain("no cross-attention");
        Should.Throw<NetworkInputException>(() => network.call(x, t, conditions with { DownBlockAdditionalResiduals = [x] })).Message
            .ShouldContain("1 residuals were given, but the network has 12 skip connections");
    }

    [Theory]
    [InlineData("num_head_channels", "[0, 0, 3, 2]", "level 2 has 8 channels, which num_head_channels 3 does not divide")]
    [InlineData("cross_attention_dim", "10", "with_conditioning is False, but cross_attention_dim is 10")]
    [InlineData("dropout_cattn", "0.5", "dropout_cattn is 0.5, but only 0 is supported")]
    public void Contradicting_arguments_are_named_with_both_numbers(string argument, string value, string message)
    {
        using var golden = new Golden("unet_rflow");
        var config = golden.Config.DeepClone().AsObject();
        config[argument] = JsonNode.Parse(value);
        Should.Throw<DefinitionException>(() => NetworkFactory.Create(config)).Message.ShouldContain(message);
    }

    internal static UNetConditions Conditions(Golden golden, string prefix) => new()
    {
        Context = golden.TryGet(prefix + "context"),
        ClassLabels = golden.TryGet(prefix + "class_labels"),
        TopRegionIndex = golden.TryGet(prefix + "top_region_index_tensor"),
        BottomRegionIndex = golden.TryGet(prefix + "bottom_region_index_tensor"),
        Spacing = golden.TryGet(prefix + "spacing_tensor"),
    };
}
