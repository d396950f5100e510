using System.Text.Json.Nodes;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Runtime;
using Maisi.Bridge.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Networks;

/// <summary>The approved files were written from MONAI 1.5.0's networks of NVIDIA's published definitions.</summary>
public class ShapeApprovalTests
{
    [Theory]
    [InlineData("autoencoder", 20_944_897, 130)]
    [InlineData("diffusion_unet_rflow", 180_500_868, 435)]
    [InlineData("diffusion_unet_ddpm", 169_370_884, 372)]
    [InlineData("controlnet_rflow", 72_037_072, 231)]
    [InlineData("controlnet_ddpm", 68_644_944, 196)]
    [InlineData("mask_generation_autoencoder", 5_256_509, 114)]
    [InlineData("mask_generation_diffusion", 197_163_012, 558)]
    public void Keys_shapes_types_and_order_are_approved(string name, long parameters, int tensors)
    {
        using var network = Build(name);
        var weights = network.state_dict();
        weights.Values.ShouldAllBe(t => t.device_type == DeviceType.META);
        var actual = weights.Select(p => $"{p.Key} [{string.Join(", ", p.Value.shape)}] {p.Value.dtype.ToString().ToLowerInvariant()}").ToArray();
        actual.ShouldBe(File.ReadAllLines(TestPaths.Fixture("approvals", name + ".txt")), ignoreOrder: true);
        actual.Length.ShouldBe(tensors);
        network.parameters().Sum(p => p.numel()).ShouldBe(parameters);
    }

    [Fact]
    public void Summary_counts_what_a_step_costs()
    {
        using var unet = Build("diffusion_unet_rflow");
        var summary = NetworkSummary.Of(unet, [1, 4, 32, 32, 32]);
        summary.Parameters.ShouldBe(180_500_868);
        var first = summary.Layers.Single(l => l.Name == "conv_in.conv");
        first.Flops.ShouldBe(2.0 * 32 * 32 * 32 * 64 * 4 * 27);
        first.OutputBytes.ShouldBe(4.0 * 32 * 32 * 32 * 64);
        summary.Layers.Single(l => l.Name == "middle_block.resnet_1.conv1.conv").Flops.ShouldBe(2.0 * 4 * 4 * 4 * 512 * 512 * 27);
        summary.Layers.Single(l => l.Name == "up_blocks.0.upsampler.conv1.conv").Flops.ShouldBe(2.0 * 8 * 8 * 8 * 512 * 512 * 27);
        summary.Layers.Single(l => l.Name == "time_embed.0").Flops.ShouldBe(2.0 * 64 * 256);
        summary.Flops!.Value.ShouldBeGreaterThan(summary.Layers.Sum(l => l.Flops)!.Value);

        using var control = Build("controlnet_rflow");
        var layers = NetworkSummary.Of(control, [1, 4, 32, 32, 32]).Layers.ToDictionary(l => l.Name, l => l.OutputBytes, StringComparer.Ordinal);
        layers["controlnet_cond_embedding.conv_in.conv"].ShouldBe(4.0 * 128 * 128 * 128 * 8);
        layers["controlnet_cond_embedding.blocks.1.conv"].ShouldBe(4.0 * 64 * 64 * 64 * 32);
        layers["controlnet_down_blocks.2.conv"].ShouldBe(4.0 * 32 * 32 * 32 * 64);
        layers["controlnet_down_blocks.3.conv"].ShouldBe(4.0 * 16 * 16 * 16 * 64);
        layers["controlnet_down_blocks.11.conv"].ShouldBe(4.0 * 4 * 4 * 4 * 512);

        using var autoencoder = Build("autoencoder");
        var decoder = NetworkSummary.Of(autoencoder, [1, 1, 64, 64, 64]).Layers.ToDictionary(l => l.Name, l => l.OutputBytes, StringComparer.Ordinal);
        decoder["decoder.blocks.0.conv.conv"].ShouldBe(4.0 * 16 * 16 * 16 * 256);
        decoder["decoder.blocks.10.conv.conv"].ShouldBe(4.0 * 64 * 64 * 64);
    }

    private static nn.Module Build(string name)
    {
        using var skip = TensorRuntime.SkipInitialization();
        using var meta = TensorRuntime.BuildOn(META);
        return NetworkFactory.Create(JsonNode.Parse(File.ReadAllText(TestPaths.Fixture("approvals", name + ".json")))!.AsObject());
    }
}
