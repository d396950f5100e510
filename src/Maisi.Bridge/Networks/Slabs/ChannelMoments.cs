using Maisi.Bridge.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>
/// Mean and sum of squared deviations of every channel, gathered slab by slab in double. Merging is exact up to double rounding
/// (Chan, Golub and LeVeque, 1979), so the slabs may have any extents.
/// </summary>
internal sealed class ChannelMoments(long channels)
{
    private readonly double[] _mean = new double[channels];
    private readonly double[] _squares = new double[channels];
    private long _count;

    /// <summary>Bytes that <see cref="Add"/> needs beside a slab of this size.</summary>
    public static long Transient(long slabBytes, bool kernels) => kernels ? 0 : 4 * slabBytes;

    /// <summary>Takes the voxels of a slab [1, C, x, Y, Z] in, plane after plane, so that the thickness of the slabs changes no bit.</summary>
    public void Add(Tensor slab)
    {
        var sums = new double[2 * _mean.Length];
        for (var x = 0L; x < slab.shape[2]; x++)
        {
            using var plane = slab.narrow(2, x, 1);
            var count = plane.numel() / _mean.Length;
            if (TensorRuntime.HasVolumeKernels(slab.dtype, slab.device_type))
            {
                Array.Clear(sums);
                TensorRuntime.AddChannelSums(plane, sums);
                for (var c = 0; c < _mean.Length; c++)
                {
                    var mean = sums[2 * c] / count;
                    Merge(c, count, mean, Math.Max(0, sums[(2 * c) + 1] - (sums[2 * c] * mean)));
                }
            }
            else
            {
                AddByOperators(plane, count);
            }
            _count += count;
        }
    }

    /// <summary>Mean and 1/√(variance + eps) of each group; the variance is the biased one.</summary>
    public (double Mean, double InverseDeviation)[] Groups(long groups, double eps)
    {
        var per = _mean.Length / (int)groups;
        var result = new (double, double)[groups];
        for (var g = 0; g < groups; g++)
        {
            var mean = _mean.AsSpan(g * per, per).ToArray().Average();
            var squares = 0.0;
            for (var c = g * per; c < (g + 1) * per; c++)
                squares += _squares[c] + (_count * (_mean[c] - mean) * (_mean[c] - mean));
            result[g] = (mean, 1 / Math.Sqrt((squares / _count / per) + eps));
        }
        return result;
    }

    private void AddByOperators(Tensor plane, long count)
    {
        using var scope = NewDisposeScope();
        var rows = plane.to(ScalarType.Float32).reshape(_mean.Length, -1); // [C, voxels]
        var mean = rows.mean([1L], true);
        var squares = (rows - mean).pow(2).sum([1L]).to(ScalarType.Float64).cpu().data<double>().ToArray();
        var means = mean.reshape(-1).to(ScalarType.Float64).cpu().data<double>().ToArray();
        for (var c = 0; c < _mean.Length; c++)
            Merge(c, count, means[c], squares[c]);
    }

    private void Merge(int channel, long count, double mean, double squares)
    {
        var delta = mean - _mean[channel];
        var total = (double)(_count + count);
        _squares[channel] += squares + (delta * delta * _count * count / total);
        _mean[channel] += delta * count / total;
    }
}
