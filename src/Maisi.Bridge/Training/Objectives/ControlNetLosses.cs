// The losses of NV-Generate-CTMR, scripts/train_controlnet.py; Guo et al., "MAISI", arXiv:2409.11169.
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>Mean absolute errors of a ControlNet's predictions that look harder at lesions. Labels are [B, 1, X, Y, Z], latents [B, C, x, y, z].</summary>
internal static class ControlNetLosses
{
    private const double Epsilon = 1e-5;
    private const int Background = 3;

    /// <summary>Weight per latent voxel: <paramref name="weight"/> where the nearest label voxel is one of the lesions, else 1.</summary>
    public static Tensor Weights(Tensor labels, Tensor latent, IReadOnlyList<int> lesions, double weight)
    {
        using var scope = NewDisposeScope();
        var near = Nearest(labels.to(ScalarType.Float32), latent);
        var weights = ones_like(near);
        foreach (var lesion in lesions)
            weights = weights.masked_fill(near.eq(lesion), weight);
        return weights.expand_as(latent).MoveToOuterDisposeScope();
    }

    /// <summary>Mean of the weighted absolute errors; the mean is over voxels, not over weights.</summary>
    public static Tensor WeightedL1(Tensor prediction, Tensor target, Tensor weights)
    {
        using var scope = NewDisposeScope();
        return ((prediction.to(ScalarType.Float32) - target.to(ScalarType.Float32)).abs() * weights).mean().MoveToOuterDisposeScope();
    }

    /// <summary>Where lesions are, and what lies clear of them, at image resolution: [B, 1, X, Y, Z] each.</summary>
    /// <param name="labels">The labels.</param>
    /// <param name="healthy">The labels without lesions.</param>
    public static (Tensor Lesion, Tensor Clear) Regions(Tensor labels, Tensor healthy)
    {
        using var scope = NewDisposeScope();
        var lesion = labels.ne(healthy).to(ScalarType.Float32);
        var clear = 1 - nn.functional.max_pool3d(lesion, [Background, Background, Background], [1, 1, 1], [1, 1, 1]);
        return (lesion.MoveToOuterDisposeScope(), clear.MoveToOuterDisposeScope());
    }

    /// <summary>
    /// The two parts of the region-contrastive loss: predictions with and without the lesion should differ inside it, by at least
    /// <paramref name="delta"/>, and the one without should be right outside.
    /// </summary>
    /// <param name="with">Prediction under the labels.</param>
    /// <param name="without">Prediction of the same noise and timestep under the labels without lesions.</param>
    /// <param name="target">What both should be outside of the lesions.</param>
    /// <param name="regions">From <see cref="Regions"/>.</param>
    /// <param name="delta">Differences beyond it are not rewarded.</param>
    /// <param name="perCase">
    /// Computes every case of a batch by itself, which upstream does not: there a batch shares one sum, so that the loss depends on what a
    /// case is batched with. For a batch of one the two are the same.
    /// </param>
    public static (Tensor Contrast, Tensor Outside) RegionContrast(
        Tensor with, Tensor without, Tensor target, (Tensor Lesion, Tensor Clear) regions, double delta, bool perCase = true)
    {
        using var scope = NewDisposeScope();
        Tensor lesion = Nearest(regions.Lesion, with).expand_as(with), clear = Nearest(regions.Clear, with).expand_as(with);
        long[] axes = perCase ? [1, 2, 3, 4] : [0, 1, 2, 3, 4];
        Tensor Share(Tensor error, Tensor region) => (error.abs() * region).sum(axes) / (region.gt(0).to(ScalarType.Float32).sum(axes) + Epsilon);
        var contrast = nn.functional.relu(delta - Share(with - without, lesion)) - delta;
        var outside = Share(without - target, clear);
        return (contrast.mean().MoveToOuterDisposeScope(), outside.mean().MoveToOuterDisposeScope());
    }

    /// <summary>The labels [B, 1, X, Y, Z] with every lesion replaced by the organ that it grows in.</summary>
    public static Tensor Healthy(Tensor labels)
    {
        using var scope = NewDisposeScope();
        var cases = Enumerable.Range(0, (int)labels.shape[0]).Select(i =>
            new VolumeTensor(labels[i].to(ScalarType.Int32), Affine.Identity).ToVolume().RemoveTumours().ToTensor(ScalarType.Int32).Data);
        return stack(cases.ToArray()).to(labels.dtype).to(labels.device).MoveToOuterDisposeScope();
    }

    private static Tensor Nearest(Tensor labels, Tensor latent) => nn.functional.interpolate(labels, latent.shape[2..], mode: InterpolationMode.Nearest);
}
