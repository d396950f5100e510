using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Volumes;

/// <summary>Changes the number of voxels over the same extent. Source: monai/transforms/spatial/array.py.</summary>
/// <param name="spatialSize">Voxels along each axis.</param>
/// <param name="mode">Nearest (PyTorch's, the lower neighbour), Trilinear or Area.</param>
/// <param name="alignCorners">PyTorch's align_corners, for Trilinear.</param>
/// <param name="antiAliasing">Blur before making it smaller.</param>
public sealed class Resize(int[] spatialSize, InterpolationMode mode = InterpolationMode.Area, bool? alignCorners = null, bool antiAliasing = false) : IVolumeTransform
{
    /// <inheritdoc/>
    public VolumeTensor Apply(VolumeTensor input)
    {
        using var scope = NewDisposeScope();
        var size = input.Size.Select((n, i) => spatialSize[i] > 0 ? spatialSize[i] : n).ToArray();
        var affine = input.Grid.WithSize(size[0], size[1], size[2]).Affine;
        if (size.SequenceEqual(input.Size))
            return new(input.Data.to(ScalarType.Float32).alias().MoveToOuterDisposeScope(), affine);
        var data = input.Data.to(ScalarType.Float32);
        if (antiAliasing && size.Zip(input.Size).Any(p => p.First < p.Second))
            data = Sampling.Blur(data, [.. input.Size.Select((n, i) => Math.Max(0, ((float)n / size[i] - 1) / 2))], truncated: 4);
        var resized = nn.functional.interpolate(data.unsqueeze(0), [.. size.Select(n => (long)n)], mode: mode, align_corners: mode == InterpolationMode.Trilinear ? alignCorners : null);
        return new(resized.squeeze(0).MoveToOuterDisposeScope(), affine);
    }
}

/// <summary>Enlarges or shrinks by factors, keeping the size by a centred crop or pad (border voxels repeated).</summary>
/// <param name="zoom">One factor or three.</param>
/// <param name="mode">As in <see cref="Resize"/>.</param>
/// <param name="keepSize">Crop or pad back to the size of the input.</param>
public sealed class Zoom(double[] zoom, InterpolationMode mode = InterpolationMode.Area, bool keepSize = true) : IVolumeTransform
{
    /// <inheritdoc/>
    public VolumeTensor Apply(VolumeTensor input)
    {
        using var scope = NewDisposeScope();
        int[] size = [.. input.Size.Select((n, i) => (int)Math.Floor(n * (zoom.Length == 1 ? zoom[0] : zoom[i])))];
        var zoomed = new Resize(size, mode).Apply(input);
        if (keepSize && !size.SequenceEqual(input.Size))
            zoomed = new ResizeWithPadOrCrop(input.Size, PaddingModes.Replicate).Apply(zoomed);
        return zoomed with { Data = zoomed.Data.MoveToOuterDisposeScope() };
    }
}
