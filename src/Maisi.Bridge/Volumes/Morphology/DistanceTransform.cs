namespace Maisi.Bridge.Volumes;

/// <summary>
/// Exact Euclidean distances on an anisotropic grid, one axis after another, on all cores.
/// Source: P. Felzenszwalb, D. Huttenlocher, "Distance Transforms of Sampled Functions", Theory of Computing 8, 2012.
/// </summary>
public static class DistanceTransform
{
    /// <summary>
    /// Distance in mm from each voxel that is in to the nearest that is out, 0 for those out: SciPy's <c>distance_transform_edt</c>.
    /// Infinite everywhere when no voxel is out.
    /// </summary>
    /// <param name="mask">The mask.</param>
    /// <param name="spacing">Millimetres between voxels along each axis.</param>
    /// <returns>x fastest, as the voxels of the mask.</returns>
    public static float[] Euclidean(BinaryMask mask, IReadOnlyList<double> spacing)
    {
        var squared = new double[mask.Voxels.Length];
        for (var i = 0; i < squared.Length; i++)
            squared[i] = mask[i] ? double.PositiveInfinity : 0;
        Pass(squared, mask.SizeX, 1, mask.SizeY * mask.SizeZ, row => row * mask.SizeX, spacing[0]);
        Pass(squared, mask.SizeY, mask.SizeX, mask.SizeX * mask.SizeZ, line => line / mask.SizeX * mask.SizeX * mask.SizeY + line % mask.SizeX, spacing[1]);
        Pass(squared, mask.SizeZ, mask.SizeX * mask.SizeY, mask.SizeX * mask.SizeY, line => line, spacing[2]);
        return Array.ConvertAll(squared, d => (float)Math.Sqrt(d));
    }

    private sealed record Scratch(double[] Values, int[] Parabola, double[] Border);

    private static void Pass(double[] squared, int length, int stride, int lines, Func<int, int> start, double spacing) =>
        Parallel.For(0, lines, () => new Scratch(new double[length], new int[length], new double[length + 1]), (line, _, scratch) =>
        {
            var at = start(line);
            for (var i = 0; i < length; i++)
                scratch.Values[i] = squared[at + i * stride];
            Lower(scratch, length, spacing * spacing, squared.AsSpan(at), stride);
            return scratch;
        }, _ => { });

    // Lower envelope of the parabolas f(q) + s²(p-q)².
    private static void Lower(Scratch scratch, int length, double s2, Span<double> target, int stride)
    {
        var (f, v, z) = (scratch.Values, scratch.Parabola, scratch.Border);
        var k = -1;
        for (var q = 0; q < length; q++)
        {
            if (double.IsPositiveInfinity(f[q]))
                continue;
            var border = double.NegativeInfinity;
            while (k >= 0)
            {
                border = (f[q] - f[v[k]] + s2 * ((double)q * q - (double)v[k] * v[k])) / (2 * s2 * (q - v[k]));
                if (border > z[k])
                    break;
                k--;
                border = double.NegativeInfinity;
            }
            v[++k] = q;
            z[k] = border;
        }
        if (k < 0)
            return;
        z[k + 1] = double.PositiveInfinity;
        for (int p = 0, at = 0; p < length; p++)
        {
            while (z[at + 1] < p)
                at++;
            target[p * stride] = f[v[at]] + s2 * ((double)(p - v[at]) * (p - v[at]));
        }
    }
}
