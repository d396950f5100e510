namespace Maisi.Bridge.Volumes;

/// <summary>
/// Exact distances from some voxels to the nearest of others, in mm. The nearest target within a plane is found for every voxel of the plane
/// (along x, then by a lower envelope along y); along z only the voxels that are asked for look up and down, until nothing can be nearer.
/// Source of the envelope: P. Felzenszwalb, D. Huttenlocher, "Distance Transforms of Sampled Functions", Theory of Computing 8, 2012.
/// </summary>
internal sealed class NearestVoxel
{
    private readonly int _x, _y, _z;
    private readonly double _sx, _sy, _sz;

    // For each voxel the x of the nearest target of its row, and the y of the row with the nearest target of its plane.
    private readonly ushort[] _nearX, _nearY;
    private readonly bool[] _planeHasTargets;

    private NearestVoxel((int X, int Y, int Z) size, IReadOnlyList<double> spacing)
    {
        (_x, _y, _z) = size;
        (_sx, _sy, _sz) = (spacing[0], spacing[1], spacing[2]);
        var count = checked(_x * _y * _z);
        (_nearX, _nearY) = (GC.AllocateUninitializedArray<ushort>(count), GC.AllocateUninitializedArray<ushort>(count));
        _planeHasTargets = new bool[_z];
    }

    /// <summary>Distances as float32, computed in float64.</summary>
    /// <param name="size">Voxels along x, y and z, fewer than 65535 each.</param>
    /// <param name="targets">Indices of the voxels to reach, x fastest, ascending; at least one.</param>
    /// <param name="asked">Indices of the voxels to start from.</param>
    /// <param name="spacing">Millimetres between voxels along x, y and z.</param>
    public static float[] Distances((int X, int Y, int Z) size, int[] targets, int[] asked, IReadOnlyList<double> spacing)
    {
        var map = new NearestVoxel(size, spacing);
        Parallel.For(0, size.Z, z => map.FillPlane(z, targets));
        var distances = new float[asked.Length];
        const int Chunk = 4096;
        Parallel.For(0, (asked.Length + Chunk - 1) / Chunk, c =>
        {
            for (var i = c * Chunk; i < Math.Min(asked.Length, (c + 1) * Chunk); i++)
                distances[i] = (float)Math.Sqrt(map.Squared(asked[i]));
        });
        return distances;
    }

    private void FillPlane(int z, int[] targets)
    {
        var plane = _x * _y;
        var (from, to) = (First(targets, z * plane), First(targets, (z + 1) * plane));
        _planeHasTargets[z] = to > from;
        if (to == from)
            return;
        var rows = new List<int>();
        for (var at = from; at < to;)
        {
            var row = targets[at] / _x;
            var end = at;
            while (end < to && targets[end] < (row + 1) * _x)
                end++;
            FillRow(_nearX.AsSpan(row * _x, _x), targets.AsSpan(at, end - at), row * _x);
            rows.Add(row - z * _y);
            at = end;
        }
        FillColumns(z * plane, [.. rows]);
    }

    private static int First(int[] sorted, int value)
    {
        var at = Array.BinarySearch(sorted, value);
        return at < 0 ? ~at : at;
    }

    private static void FillRow(Span<ushort> row, ReadOnlySpan<int> targets, int start)
    {
        var x = 0;
        for (var i = 0; i < targets.Length; i++)
        {
            var here = targets[i] - start;
            var last = i + 1 < targets.Length ? (here + targets[i + 1] - start) / 2 : row.Length - 1;
            row[x..(last + 1)].Fill((ushort)here);
            x = last + 1;
        }
    }

    // Lower envelope of the parabolas f(q) + sy²(p-q)² over the rows q that have targets.
    private void FillColumns(int plane, int[] rows)
    {
        var (values, parabola, border) = (new double[rows.Length], new int[rows.Length], new double[rows.Length + 1]);
        var s2 = _sy * _sy;
        for (var x = 0; x < _x; x++)
        {
            var k = -1;
            for (var r = 0; r < rows.Length; r++)
            {
                var q = rows[r];
                var dx = _sx * (x - _nearX[plane + q * _x + x]);
                var f = dx * dx;
                var cut = double.NegativeInfinity;
                while (k >= 0)
                {
                    var v = parabola[k];
                    cut = (f - values[k] + s2 * ((double)q * q - (double)v * v)) / (2 * s2 * (q - v));
                    if (cut > border[k])
                        break;
                    k--;
                    cut = double.NegativeInfinity;
                }
                k++;
                (values[k], parabola[k], border[k]) = (f, q, cut);
            }
            border[k + 1] = double.PositiveInfinity;
            for (int y = 0, at = 0; y < _y; y++)
            {
                while (border[at + 1] < y)
                    at++;
                _nearY[plane + y * _x + x] = (ushort)parabola[at];
            }
        }
    }

    private double Squared(int voxel)
    {
        var z = voxel / (_x * _y);
        var inPlane = voxel - z * _x * _y;
        var best = double.PositiveInfinity;
        for (var step = 0; ; step++)
        {
            var dz = step * _sz;
            var along = dz * dz;
            if (along >= best || (step > z && z + step >= _z))
                return best;
            if (step <= z && _planeHasTargets[z - step])
                best = Math.Min(best, along + InPlane(z - step, inPlane));
            if (step > 0 && z + step < _z && _planeHasTargets[z + step])
                best = Math.Min(best, along + InPlane(z + step, inPlane));
        }
    }

    private double InPlane(int z, int inPlane)
    {
        var (y, x) = Math.DivRem(inPlane, _x);
        int row = _nearY[z * _x * _y + inPlane];
        double dx = _sx * (x - _nearX[(z * _y + row) * _x + x]), dy = _sy * (y - row);
        return dx * dx + dy * dy;
    }
}
