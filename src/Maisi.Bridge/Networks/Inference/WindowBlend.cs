using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>One output of a network under construction: the weighted sum of its windows, and the sum of the weights.</summary>
internal sealed class WindowBlend
{
    private readonly Tensor _sum;
    private readonly Tensor _count;
    private readonly Tensor _weights;
    private readonly double[] _zoom;
    private readonly long[] _size;

    public WindowBlend(long batch, long[] image, long[] roi, Tensor weights, Tensor firstOutput, IReadOnlyList<long[]> starts)
    {
        _size = firstOutput.shape[2..];
        _zoom = [.. _size.Zip(roi, (o, i) => o / (double)i)];
        _weights = Resized(weights, _size).DetachFromDisposeScope();
        long[] extents = [.. image.Zip(_zoom, (i, z) => (long)(i * z))];
        _sum = zeros([batch, firstOutput.shape[1], .. extents], firstOutput.dtype, firstOutput.device).DetachFromDisposeScope();
        _count = zeros([1, 1, .. extents], firstOutput.dtype, firstOutput.device).DetachFromDisposeScope();
        foreach (var start in starts)
            SlidingWindow.Window(_count, Scaled(start), _size).add_(_weights);
    }

    /// <summary>Adds the output [1, C, ...] of the window at <paramref name="start"/> (in voxels of the input).</summary>
    public void Add(int sample, long[] start, Tensor output) => SlidingWindow.Window(_sum.narrow(0, sample, 1), Scaled(start), _size).add_(output * _weights);

    /// <summary>The blended output, without what was added to an image smaller than a window.</summary>
    public Tensor Finish(long[] image, long[] roi, long[] before)
    {
        using (_weights)
        using (_count)
            _sum.div_(_count);
        if (before.Select((b, i) => b > 0 || image[i] < roi[i]).All(padded => !padded))
            return _sum;
        // an image smaller than a window has one window on that axis, so its extent tells the scale
        var zoom = _sum.shape[2..].Select((extent, i) => extent / (double)Math.Max(roi[i], image[i])).ToArray();
        long[] start = [.. before.Zip(zoom, (b, z) => (long)Math.Round(b * z, MidpointRounding.ToEven))];
        long[] end = [.. before.Select((b, i) => (long)Math.Round((b + image[i]) * zoom[i], MidpointRounding.ToEven))];
        using (_sum)
            return SlidingWindow.Window(_sum, start, [.. end.Zip(start, (e, s) => e - s)]).contiguous();
    }

    private long[] Scaled(long[] start) => [.. start.Zip(_zoom, (s, z) => (long)(s * z))];

    /// <summary>The weights at another resolution: each voxel takes the nearest one's, measured between centres.</summary>
    private static Tensor Resized(Tensor weights, long[] size)
    {
        for (var axis = 0; axis < size.Length; axis++)
        {
            var extent = weights.shape[axis + 2];
            if (extent == size[axis])
                continue;
            var target = size[axis];
            var nearest = Enumerable.Range(0, (int)target).Select(i => Math.Min((long)((i + 0.5) * extent / target), extent - 1)).ToArray();
            weights = weights.index_select(axis + 2, tensor(nearest, device: weights.device));
        }
        return weights.alias();
    }
}
