using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;

namespace Maisi.Bridge.Generation;

/// <summary>The networks that make an image.</summary>
/// <param name="Autoencoder">Between images and latents.</param>
/// <param name="UNet">Predicts the noise or the velocity of a noisy latent.</param>
/// <param name="ControlNet">Steers the UNet by a label map; null where images are made of noise alone.</param>
/// <param name="Scheduler">Timesteps and update rule.</param>
/// <param name="ScaleFactor">What latents were multiplied with before diffusion.</param>
public sealed record ImageModel(AutoencoderKlMaisi Autoencoder, DiffusionModelUNetMaisi UNet, ControlNetMaisi? ControlNet, Scheduler Scheduler, double ScaleFactor)
{
    /// <summary>Whether the UNet is told the body regions.</summary>
    public bool TakesRegions => UNet.named_children().Any(c => c.name == "top_region_index_layer");

    /// <summary>Whether the UNet is told the modality.</summary>
    public bool TakesModality => UNet.Shape.ClassEmbeds is not null;

    /// <summary>The latent of an image: [1, C, X, Y, Z].</summary>
    /// <param name="size">Voxels of the image along x, y, z.</param>
    public long[] LatentShape(IReadOnlyList<int> size) => [1, UNet.Shape.InChannels, .. size.Select(n => (long)(n / Autoencoder.Downsampling))];
}
