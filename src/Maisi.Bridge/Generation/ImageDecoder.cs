using Maisi.Bridge.Networks;
using static TorchSharp.torch;

namespace Maisi.Bridge.Generation;

/// <summary>What the autoencoder's 0 and 1 stand for.</summary>
/// <param name="Low">HU, or MR intensity, of 0; also the value of voxels outside the mask.</param>
/// <param name="High">HU, or MR intensity, of 1.</param>
/// <param name="ClipAbove">Whether values above 1 are cut off: so for CT, not for MR.</param>
public sealed record IntensityRange(double Low, double High, bool ClipAbove)
{
    /// <summary>CT: -1000 to 1000 HU.</summary>
    public static IntensityRange CT { get; } = new(-1000, 1000, true);

    /// <summary>MR: 0 to 1000, brighter values kept.</summary>
    public static IntensityRange MR { get; } = new(0, 1000, false);

    /// <summary>The range of a modality code: up to 7 is CT.</summary>
    public static IntensityRange Of(int modality) => modality <= 7 ? CT : MR;
}

/// <summary>Latent to image in HU or MR intensity. NV-Generate's `ldm_conditional_sample_one_image` (scripts/sample.py), its last part.</summary>
public static class ImageDecoder
{
    /// <summary>Decodes a latent.</summary>
    /// <param name="autoencoder">The autoencoder.</param>
    /// <param name="latent">[1, C, x, y, z], scaled.</param>
    /// <param name="scaleFactor">What latents were multiplied with before diffusion.</param>
    /// <param name="range">Intensities of the image.</param>
    /// <param name="mask">Label codes [1, 1, X, Y, Z]: where they are 0 the image gets the lowest value; null leaves it as it is.</param>
    /// <param name="windows">Upstream's sliding window over the latent; null decodes without seams.</param>
    /// <param name="plan">Decodes in slabs, in the memory that was planned, with the same result; null decodes in one piece.</param>
    /// <param name="progress">Told after every slab.</param>
    /// <param name="cancellation">Checked between windows and slabs.</param>
    /// <returns>[1, 1, X, Y, Z], float32.</returns>
    public static Tensor Decode(
        AutoencoderKlMaisi autoencoder, Tensor latent, double scaleFactor, IntensityRange range, Tensor? mask, SlidingWindowOptions? windows = null,
        SlabPlan? plan = null, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var unscaled = latent / scaleFactor;
        var image = (windows, plan) switch
        {
            ({ } w, _) => DynamicInference.Run(unscaled, autoencoder.Decode, w, null, cancellation),
            (_, { } p) => new SlabCodec(autoencoder).Decode(unscaled, p, progress, null, cancellation),
            _ => autoencoder.Decode(unscaled),
        };
        if (range.ClipAbove)
            image.clamp_(0, 1);
        else
            image.clamp_min_(0);
        image.mul_(range.High - range.Low).add_(range.Low);
        if (mask is not null)
            image.masked_fill_(mask.eq(0), range.Low);
        return image.MoveToOuterDisposeScope();
    }
}
