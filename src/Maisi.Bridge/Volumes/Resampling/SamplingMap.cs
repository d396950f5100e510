namespace Maisi.Bridge.Volumes;

/// <summary>
/// Voxel positions of a source for each voxel of a target, computed with the same roundings as MONAI, which goes through PyTorch's
/// normalised coordinates in double precision: at half-way positions they decide which label the nearest sampling takes.
/// Source: monai/networks/utils.py (normalize_transform, to_norm_affine); torch affine_grid and grid_sample, align_corners false.
/// </summary>
internal sealed class SamplingMap
{
    private readonly double[][] _base = new double[3][];
    private readonly double[,] _theta = new double[3, 4];
    private readonly int[] _size = new int[3];

    /// <param name="source">Where the voxels are; its axes run as those of the target do.</param>
    /// <param name="target">Where they are wanted.</param>
    /// <exception cref="MaisiException">The affine of the source cannot be inverted.</exception>
    public SamplingMap(VolumeGrid source, VolumeGrid target)
    {
        var map = source.Affine.Solve(target.Affine);
        IsDiagonal = Enumerable.Range(0, 9).All(i => i / 3 == i % 3 || Math.Abs(map[i / 3, i % 3]) < 1e-9);
        for (var axis = 0; axis < 3; axis++)
        {
            _size[axis] = source.Size(axis);
            _base[axis] = Base(target.Size(axis));
        }
        for (var r = 0; r < 3; r++)
        {
            var (scale, shift) = (2.0 / _size[r], 1.0 / _size[r] - 1);
            _theta[r, 3] = scale * map[r, 3] + shift;
            for (var c = 0; c < 3; c++)
            {
                if (IsDiagonal && r != c)
                    continue;
                var back = 1 / (2.0 / target.Size(c));
                _theta[r, c] = scale * map[r, c] * back;
                _theta[r, 3] += scale * map[r, c] * (-(1.0 / target.Size(c) - 1) * back);
            }
        }
    }

    /// <summary>True when each axis can be sampled by itself.</summary>
    public bool IsDiagonal { get; }

    /// <summary>Position along one axis of the source of a voxel of the target; only that axis' index counts when the map is diagonal.</summary>
    public double Position(int axis, int x, int y, int z)
    {
        var normal = IsDiagonal
            ? _base[axis][axis switch { 0 => x, 1 => y, _ => z }] * _theta[axis, axis] + _theta[axis, 3]
            : _base[0][x] * _theta[axis, 0] + _base[1][y] * _theta[axis, 1] + _base[2][z] * _theta[axis, 2] + _theta[axis, 3];
        return ((normal + 1) * _size[axis] - 1) / 2;
    }

    /// <summary>Positions of all indices along one axis, for a diagonal map.</summary>
    public IEnumerable<double> Positions(int axis) => Enumerable.Range(0, _base[axis].Length).Select(i => Position(axis, i, i, i));

    /// <summary>PyTorch's linspace(-1, 1, n), counted from the closer end, times (n-1)/n unless corners are aligned.</summary>
    public static double[] Base(int n, bool corners = false)
    {
        var (step, factor) = (n > 1 ? 2.0 / (n - 1) : 0, corners ? 1 : (n - 1) / (double)n);
        return [.. Enumerable.Range(0, n).Select(i => n == 1 ? 0 : (i < n / 2 ? -1 + step * i : 1 - step * (n - i - 1)) * factor)];
    }
}
