using System.Text.Json.Nodes;
using Maisi.Bridge.Networks;
using static TorchSharp.torch;

namespace Maisi.Bridge.Samples;

/// <summary>The patch discriminator that judges reconstructions while the VAE is trained, built from its MONAI definition.</summary>
internal static class DiscriminatorSample
{
    public static void Run()
    {
        var definition = JsonNode.Parse("""
            { "_target_": "monai.networks.nets.PatchDiscriminator", "spatial_dims": 3, "channels": 16, "in_channels": 1, "num_layers_d": 2, "norm": "INSTANCE" }
            """)!.AsObject();
        using var discriminator = NetworkFactory.Create<PatchDiscriminator>(definition);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var features = discriminator.call(rand([1, 1, 32, 32, 32]));
        Console.WriteLine($"{features.Count - 1} feature maps, logits [{string.Join(", ", features[^1].shape)}]");
    }
}
