using System.Text.Json.Nodes;
using Maisi.Bridge.Networks;
using static TorchSharp.torch;

namespace Maisi.Bridge.Samples;

/// <summary>A segmentation network: class probabilities of every voxel.</summary>
internal static class SegResNetSample
{
    public static void Run()
    {
        var definition = JsonNode.Parse("""
            { "_target_": "monai.networks.nets.SegResNet", "spatial_dims": 3, "init_filters": 8, "in_channels": 1, "out_channels": 3 }
            """)!.AsObject();
        using var network = NetworkFactory.Create<SegResNet>(definition);
        network.eval();
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var probabilities = network.call(rand([1, 1, 32, 32, 32])).softmax(1);
        Console.WriteLine($"[{string.Join(", ", probabilities.shape)}], sums of classes {probabilities.sum(1).mean().cpu().item<float>():F3}");
    }
}
