// The KL term of NVIDIA's MAISI VAE training (NV-Generate-CTMR, scripts/utils.py); Kingma and Welling, arXiv:1312.6114.
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Divergence of a latent distribution from the standard normal one.</summary>
public static class KlLoss
{
    /// <summary>½ Σ (µ² + σ² − log(σ² + 1e-10) − 1), summed over channels and voxels, averaged over the batch.</summary>
    /// <param name="mu">[B, C, X, Y(, Z)].</param>
    /// <param name="sigma">The same shape.</param>
    /// <returns>A single number.</returns>
    public static Tensor Compute(Tensor mu, Tensor sigma)
    {
        using var scope = NewDisposeScope();
        var variance = sigma.pow(2);
        return ((mu.pow(2) + variance - (variance + 1e-10).log() - 1).sum() * (0.5 / mu.shape[0])).MoveToOuterDisposeScope();
    }
}
