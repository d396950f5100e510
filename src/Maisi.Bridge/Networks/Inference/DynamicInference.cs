// Port of dynamic_infer in NV-Generate-CTMR, scripts/utils.py.
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>
/// Runs a network at once if the volume has no more voxels than a window, otherwise by sliding windows that are clipped to the volume.
/// As upstream, only the products of the extents are compared.
/// </summary>
public static class DynamicInference
{
    /// <summary>Runs a network with one output.</summary>
    /// <inheritdoc cref="SlidingWindow.Run(Tensor, Func{Tensor, Tensor}, SlidingWindowOptions, IProgress{WindowProgress}?, CancellationToken)"/>
    public static Tensor Run(Tensor input, Func<Tensor, Tensor> network, SlidingWindowOptions options, IProgress<WindowProgress>? progress = null, CancellationToken cancel = default)
    {
        long[] image = input.shape[2..];
        if (Voxels(image) <= Voxels(options.Roi))
            return network(input);
        var clipped = options with { Roi = [.. options.Roi.Zip(image, Math.Min)] };
        return SlidingWindow.Run(input, network, clipped, progress, cancel);
    }

    private static long Voxels(IEnumerable<long> extents) => extents.Aggregate(1L, (a, b) => a * b);
}
