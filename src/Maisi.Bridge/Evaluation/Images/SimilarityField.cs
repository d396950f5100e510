using System.Numerics;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Evaluation;

/// <summary>
/// Local means, variances and covariance of two images under a separable window, in float64: planes are filtered along x and y, and a ring
/// of as many planes as the window is deep is summed along z, so that memory does not grow with the image's depth.
/// </summary>
internal sealed class SimilarityField
{
    private const int Moments = 5, PlanesPerTask = 32;
    private readonly ReadOnlyMemory<float> _a, _b;
    private readonly int _x, _y, _outX, _outY;
    private readonly double[] _kernelX, _kernelY, _kernelZ;
    private readonly double _c1, _c2;

    private SimilarityField(Volume a, Volume b, SimilarityOptions options)
    {
        (_a, _b, _x, _y) = (a.Memory<float>(), b.Memory<float>(), a.SizeX, a.SizeY);
        (_kernelX, _kernelY, _kernelZ) = (Kernel(a.SizeX, options), Kernel(a.SizeY, options), Kernel(a.SizeZ, options));
        (_outX, _outY) = (_x - _kernelX.Length + 1, _y - _kernelY.Length + 1);
        (_c1, _c2) = (Math.Pow(options.K1 * options.Range, 2), Math.Pow(options.K2 * options.Range, 2));
    }

    /// <summary>Mean SSIM and mean contrast term over all places where the window fits.</summary>
    /// <exception cref="MaisiException">The image is smaller than the window, or the window has no size.</exception>
    public static (double Ssim, double Contrast) Mean(Volume a, Volume b, SimilarityOptions options)
    {
        if (options.Window < 1 || options.Sigma is <= 0 || options.Sigma is double.NaN)
            throw new MaisiException($"a window of {options.Window} voxels with deviation {options.Sigma} is not possible");
        if (StructuralSimilarity.Sizes(a).Any(n => n > 1 && n < options.Window))
            throw new MaisiException($"the image of {a.Grid} voxels is smaller than the window of {options.Window}", hint: "use a smaller window");
        var field = new SimilarityField(a, b, options);
        var depth = a.SizeZ - field._kernelZ.Length + 1;
        var parts = new (double Ssim, double Contrast)[(depth + PlanesPerTask - 1) / PlanesPerTask];
        Parallel.For(0, parts.Length, i => parts[i] = field.Planes(i * PlanesPerTask, Math.Min(depth, (i + 1) * PlanesPerTask)));
        var places = (double)field._outX * field._outY * depth;
        return (parts.Sum(p => p.Ssim) / places, parts.Sum(p => p.Contrast) / places);
    }

    // The Gaussian is cut off at the window's edge and normalised, in float32 as MONAI makes it.
    private static double[] Kernel(int extent, SimilarityOptions options)
    {
        var size = extent == 1 ? 1 : options.Window;
        if (options.Sigma is not { } sigma)
            return [.. Enumerable.Repeat(1.0 / size, size)];
        var bell = Enumerable.Range(0, size).Select(i => MathF.Exp(-MathF.Pow((float)((i - (size - 1) / 2.0) / sigma), 2) / 2)).ToArray();
        var sum = bell.Sum();
        return [.. bell.Select(v => (double)(v / sum))];
    }

    private (double Ssim, double Contrast) Planes(int from, int to)
    {
        var (window, plane) = (_kernelZ.Length, _outX * _outY);
        var ring = Enumerable.Range(0, window).Select(_ => new double[Moments][]).ToArray();
        foreach (var slot in ring)
            for (var m = 0; m < Moments; m++)
                slot[m] = new double[plane];
        var (rows, sums) = (new double[_outX * _y], Enumerable.Range(0, Moments).Select(_ => new double[plane]).ToArray());
        for (var z = from; z < from + window - 1; z++)
            Filter(z, ring[z % window], rows);
        var (ssim, contrast) = (0.0, 0.0);
        for (var z = from; z < to; z++)
        {
            Filter(z + window - 1, ring[(z + window - 1) % window], rows);
            for (var m = 0; m < Moments; m++)
            {
                Array.Clear(sums[m]);
                for (var k = 0; k < window; k++)
                    AddScaled(sums[m], ring[(z + k) % window][m], _kernelZ[k]);
            }
            var (s, c) = Compare(sums);
            (ssim, contrast) = (ssim + s, contrast + c);
        }
        return (ssim, contrast);
    }

    private void Filter(int z, double[][] target, double[] rows)
    {
        var a = _a.Span.Slice(z * _x * _y, _x * _y);
        var b = _b.Span.Slice(z * _x * _y, _x * _y);
        var line = new double[_x];
        for (var m = 0; m < Moments; m++)
        {
            Array.Clear(rows);
            for (var y = 0; y < _y; y++)
            {
                Moment(m, a.Slice(y * _x, _x), b.Slice(y * _x, _x), line);
                for (var k = 0; k < _kernelX.Length; k++)
                    AddScaled(rows.AsSpan(y * _outX, _outX), line.AsSpan(k, _outX), _kernelX[k]);
            }
            Array.Clear(target[m]);
            for (var k = 0; k < _kernelY.Length; k++)
                AddScaled(target[m], rows.AsSpan(k * _outX, _outX * _outY), _kernelY[k]);
        }
    }

    private static void Moment(int which, ReadOnlySpan<float> a, ReadOnlySpan<float> b, double[] line)
    {
        for (var i = 0; i < line.Length; i++)
        {
            double x = a[i], y = b[i];
            line[i] = which switch { 0 => x, 1 => y, 2 => x * x, 3 => y * y, _ => x * y };
        }
    }

    private (double Ssim, double Contrast) Compare(double[][] sums)
    {
        var (ssim, contrast) = (0.0, 0.0);
        for (var i = 0; i < sums[0].Length; i++)
        {
            var (x, y) = (sums[0][i], sums[1][i]);
            var c = (2 * (sums[4][i] - x * y) + _c2) / (sums[2][i] - x * x + (sums[3][i] - y * y) + _c2);
            contrast += c;
            ssim += (2 * x * y + _c1) / (x * x + y * y + _c1) * c;
        }
        return (ssim, contrast);
    }

    private static void AddScaled(Span<double> target, ReadOnlySpan<double> values, double factor)
    {
        var i = 0;
        for (; i <= target.Length - Vector<double>.Count; i += Vector<double>.Count)
            (new Vector<double>(target[i..]) + new Vector<double>(values[i..]) * factor).CopyTo(target[i..]);
        for (; i < target.Length; i++)
            target[i] += values[i] * factor;
    }
}
