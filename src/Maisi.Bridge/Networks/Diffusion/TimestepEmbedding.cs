// Port of get_timestep_embedding in monai/networks/nets/diffusion_model_unet.py (MONAI 1.5); Ho et al., arXiv:2006.11239.
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>The sinusoidal embedding of timesteps, and the small networks that embed conditions.</summary>
public static class TimestepEmbedding
{
    /// <summary>cos(t·f) then sin(t·f) for dim/2 frequencies from 1 down to 1/<paramref name="maxPeriod"/>; an odd width ends with a zero.</summary>
    /// <param name="timesteps">[B].</param>
    /// <param name="dim">Width of the embedding.</param>
    /// <param name="maxPeriod">Longest period.</param>
    /// <returns>[B, <paramref name="dim"/>], fp32.</returns>
    /// <exception cref="ArgumentException"><paramref name="timesteps"/> is not one-dimensional.</exception>
    public static Tensor Sinusoidal(Tensor timesteps, long dim, double maxPeriod = 10000)
    {
        if (timesteps.dim() != 1)
            throw new ArgumentException($"timesteps must have 1 dimension, but have {timesteps.dim()}", nameof(timesteps));
        using var scope = NewDisposeScope();
        var half = dim / 2;
        var exponent = arange(0, half, ScalarType.Float32, timesteps.device) * -Math.Log(maxPeriod);
        var frequencies = (exponent / (double)half).exp();
        var angles = timesteps.to(ScalarType.Float32).unsqueeze(1) * frequencies.unsqueeze(0); // [B, half]
        var embedding = cat([angles.cos(), angles.sin()], 1);
        if (dim % 2 == 1)
            embedding = nn.functional.pad(embedding, [0L, 1]);
        return embedding.MoveToOuterDisposeScope();
    }

    /// <summary>Linear, SiLU, Linear, under the keys 0 and 2.</summary>
    internal static nn.Module<Tensor, Tensor> Mlp(long inChannels, long channels) =>
        nn.Sequential(nn.Linear(inChannels, channels), nn.SiLU(), nn.Linear(channels, channels));
}
