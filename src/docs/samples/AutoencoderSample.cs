using Maisi.Bridge.Bundles;
using Maisi.Bridge.Networks;
using static TorchSharp.torch;

namespace Maisi.Bridge.Samples;

/// <summary>The VAE of a bundle: an image becomes a latent of a quarter of its size, and an image again.</summary>
internal static class AutoencoderSample
{
    public static void Run(string bundle)
    {
        // Give weights: "models/autoencoder.pt" for real results; without them the network has random ones.
        using var autoencoder = AutoencoderKlMaisi.FromBundle(Path.Combine(bundle, "configs", "inference.json"));
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var image = rand([1, 1, 16, 16, 16]);
        var (mean, _) = autoencoder.Encode(image);
        var reconstruction = autoencoder.Decode(mean);
        Console.WriteLine($"image [{string.Join(", ", image.shape)}] -> latent [{string.Join(", ", mean.shape)}] -> [{string.Join(", ", reconstruction.shape)}]");
    }
}
