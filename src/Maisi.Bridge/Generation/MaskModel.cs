using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;

namespace Maisi.Bridge.Generation;

/// <summary>The networks that make a label map.</summary>
/// <param name="Autoencoder">From latents to one channel per class.</param>
/// <param name="UNet">Predicts the noise of a noisy latent, told the sizes of organs by cross-attention.</param>
/// <param name="Scheduler">Timesteps and update rule.</param>
/// <param name="ScaleFactor">What latents were multiplied with before diffusion.</param>
public sealed record MaskModel(AutoencoderKlMaisi Autoencoder, DiffusionModelUNet UNet, Scheduler Scheduler, double ScaleFactor) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Autoencoder.Dispose();
        UNet.Dispose();
    }
}
