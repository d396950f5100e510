// The mask diffusion of MAISI: Guo et al., "MAISI", arXiv:2409.11169; the training targets are those of DiffusionObjective.
using Maisi.Bridge.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>The loss of a mask UNet: mean absolute error of what the scheduler makes it predict, under the sizes of structures.</summary>
internal static class MaskDiffusionLoss
{
    /// <summary>Draws latents, noises them, and compares.</summary>
    /// <param name="network">The UNet.</param>
    /// <param name="objective">Noise and targets.</param>
    /// <param name="batch">Latents as distributions, and the sizes of each.</param>
    /// <param name="scale">What latents are multiplied with.</param>
    /// <param name="settings">For the precision.</param>
    /// <param name="step">Is shown the batch.</param>
    /// <param name="random">Draws latents, noise and timesteps.</param>
    /// <param name="device">Where the network lies.</param>
    public static Tensor Of(
        DiffusionModelUNet network, DiffusionObjective objective, IReadOnlyList<(LatentDistribution Latent, float[] Sizes)> batch, double scale,
        StageSettings settings, TrainingStep step, TrainingRandom random, Device device)
    {
        var images = cat([.. batch.Select(b => AutoencoderKlBase.Sample(b.Latent, PhiloxNoise(b.Latent, random).to(device)))], 0) * scale;
        // [B, 1, sizes]: one token of all sizes.
        var context = tensor(batch.SelectMany(b => b.Sizes).ToArray(), [batch.Count, 1, batch[0].Sizes.Length]).to(device);
        var (noisy, timesteps, target) = objective.Corrupt(images, random);
        step.Show(("latents", images), ("noisy", noisy), ("timesteps", timesteps), ("context", context));
        using var autocast = settings.Autocast(device);
        return (network.call(noisy, timesteps, new UNetConditions { Context = context }).to(ScalarType.Float32) - target).abs().mean();
    }

    private static Tensor PhiloxNoise(LatentDistribution latent, TrainingRandom random) => Generation.PhiloxNoise.Normal(latent.Mu.shape, random.NextSeed());
}
