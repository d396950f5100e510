using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Volumes;

/// <summary>Pads to a size. Source: monai/transforms/croppad/array.py.</summary>
/// <param name="spatialSize">Voxels wanted; an axis that is larger, or is given as -1, stays.</param>
/// <param name="mode">Constant, Replicate (NumPy's "edge") or Reflect.</param>
/// <param name="value">For Constant.</param>
/// <param name="atEnd">All padding after the last voxel; else half of it before (rounded down).</param>
public sealed class SpatialPad(int[] spatialSize, PaddingModes mode = PaddingModes.Constant, double value = 0, bool atEnd = false) : IVolumeTransform
{
    /// <inheritdoc/>
    public VolumeTensor Apply(VolumeTensor input)
    {
        var missing = input.Size.Select((n, i) => Math.Max(spatialSize[i] - n, 0)).ToArray();
        int[] before = [.. missing.Select(m => atEnd ? 0 : m / 2)];
        return Pad(input, before, [.. missing.Zip(before, (m, b) => m - b)], mode, value);
    }

    /// <summary>Pads each axis by numbers of voxels.</summary>
    internal static VolumeTensor Pad(VolumeTensor input, int[] before, int[] after, PaddingModes mode, double value)
    {
        using var scope = NewDisposeScope();
        if (before.Sum() + after.Sum() == 0)
            return input with { Data = input.Data.alias().MoveToOuterDisposeScope() };
        // PyTorch pads the last axis first; its border modes take float tensors with a batch.
        long[] amounts = [before[2], after[2], before[1], after[1], before[0], after[0]];
        var data = mode == PaddingModes.Constant ? input.Data : input.Data.to(ScalarType.Float32);
        var padded = nn.functional.pad(data.unsqueeze(0), amounts, mode, value).squeeze(0).to(input.Data.dtype);
        return new(padded.MoveToOuterDisposeScope(), input.Affine.ShiftedTo(-before[0], -before[1], -before[2]));
    }
}

/// <summary>Pads each axis to a multiple.</summary>
/// <param name="k">One number or three.</param>
/// <param name="mode">As in <see cref="SpatialPad"/>.</param>
/// <param name="value">For Constant.</param>
public sealed class DivisiblePad(int[] k, PaddingModes mode = PaddingModes.Constant, double value = 0) : IVolumeTransform
{
    /// <inheritdoc/>
    public VolumeTensor Apply(VolumeTensor input) => new SpatialPad(Multiple(input.Size, k), mode, value).Apply(input);

    /// <summary>The sizes rounded up to multiples.</summary>
    internal static int[] Multiple(int[] size, int[] k) => [.. size.Select((n, i) => (k.Length == 1 ? k[0] : k[i]) is > 0 and var m ? (n + m - 1) / m * m : n)];
}

/// <summary>Cuts out a box; what lies outside the volume is left off.</summary>
/// <param name="start">First voxel.</param>
/// <param name="end">Voxel after the last.</param>
public sealed class SpatialCrop(int[] start, int[] end) : IVolumeTransform
{
    /// <summary>The box of a size round a centre.</summary>
    public static SpatialCrop Around(int[] center, int[] size)
    {
        int[] start = [.. center.Zip(size, (c, s) => Math.Max(c - s / 2, 0))];
        return new(start, [.. start.Zip(size, (b, s) => b + s)]);
    }

    /// <inheritdoc/>
    public VolumeTensor Apply(VolumeTensor input)
    {
        using var scope = NewDisposeScope();
        var from = start.Select(s => Math.Max(s, 0)).ToArray();
        var data = input.Data;
        for (var a = 0; a < 3; a++)
            data = data.slice(a + 1, from[a], Math.Clamp(Math.Max(end[a], from[a]), 0, input.Size[a]), 1);
        return new(data.contiguous().MoveToOuterDisposeScope(), input.Affine.ShiftedTo(from[0], from[1], from[2]));
    }
}

/// <summary>Cuts out the middle.</summary>
/// <param name="roiSize">Voxels; an axis that is smaller, or is given as -1, stays.</param>
public sealed class CenterSpatialCrop(int[] roiSize) : IVolumeTransform
{
    /// <inheritdoc/>
    public VolumeTensor Apply(VolumeTensor input)
    {
        var size = input.Size;
        return SpatialCrop.Around([.. size.Select(n => n / 2)], [.. size.Select((n, i) => roiSize[i] > 0 ? roiSize[i] : n)]).Apply(input);
    }
}

/// <summary>Pads and cuts round the middle to an exact size.</summary>
/// <param name="spatialSize">Voxels along each axis.</param>
/// <param name="mode">As in <see cref="SpatialPad"/>.</param>
/// <param name="value">For Constant.</param>
public sealed class ResizeWithPadOrCrop(int[] spatialSize, PaddingModes mode = PaddingModes.Constant, double value = 0) : IVolumeTransform
{
    /// <inheritdoc/>
    public VolumeTensor Apply(VolumeTensor input)
    {
        using var scope = NewDisposeScope();
        var result = new CenterSpatialCrop(spatialSize).Apply(new SpatialPad(spatialSize, mode, value).Apply(input));
        return result with { Data = result.Data.MoveToOuterDisposeScope() };
    }
}

/// <summary>Cuts out the box round the foreground, padded with zeros where it reaches outside.</summary>
/// <param name="margin">Voxels round the foreground: one number or three; null for none.</param>
/// <param name="kDivisible">Make the size a multiple of this; 1 for any size.</param>
/// <param name="allowSmaller">Keep the margin inside the volume instead of padding.</param>
/// <param name="select">What is foreground; null takes values above 0.</param>
public sealed class CropForeground(int[]? margin = null, int kDivisible = 1, bool allowSmaller = false, Func<Tensor, Tensor>? select = null) : IVolumeTransform
{
    /// <inheritdoc/>
    public VolumeTensor Apply(VolumeTensor input)
    {
        var (start, end) = Box(input);
        return Crop(input, start, end);
    }

    /// <summary>First voxel and voxel after the last of the box; it may reach outside.</summary>
    public (int[] Start, int[] End) Box(VolumeTensor input)
    {
        using var scope = NewDisposeScope();
        var (start, end) = Bounds(input);
        int[] size = [.. start.Zip(end, (s, e) => e - s)];
        var wanted = DivisiblePad.Multiple(size, [kDivisible]);
        start = [.. start.Select((s, i) => s - (wanted[i] - size[i]) / 2)];
        return (start, [.. start.Zip(wanted, (s, n) => s + n)]);
    }

    /// <summary>Cuts out a box, padded with zeros where it reaches outside.</summary>
    public static VolumeTensor Crop(VolumeTensor input, int[] start, int[] end)
    {
        using var scope = NewDisposeScope();
        var cropped = new SpatialCrop(start, end).Apply(input);
        var result = SpatialPad.Pad(cropped, [.. start.Select(s => Math.Max(-s, 0))], [.. end.Select((e, i) => Math.Max(e - input.Size[i], 0))], PaddingModes.Constant, 0);
        return result with { Data = result.Data.MoveToOuterDisposeScope() };
    }

    private (int[] Start, int[] End) Bounds(VolumeTensor input)
    {
        var found = (select is null ? input.Data.gt(0) : select(input.Data)).nonzero().to(ScalarType.Int64);
        if (found.shape[0] == 0)
            return ([0, 0, 0], [0, 0, 0]);
        var indices = found.cpu().contiguous().data<long>().ToArray();
        var (start, end) = (new int[3], new int[3]);
        for (var a = 0; a < 3; a++)
        {
            var along = Enumerable.Range(0, indices.Length / 4).Select(i => (int)indices[i * 4 + 1 + a]).ToArray();
            var extra = margin is null ? 0 : margin.Length == 1 ? margin[0] : margin[a];
            (start[a], end[a]) = (along.Min() - extra, along.Max() + 1 + extra);
            if (allowSmaller)
                (start[a], end[a]) = (Math.Max(start[a], 0), Math.Min(end[a], input.Size[a]));
        }
        return (start, end);
    }
}
