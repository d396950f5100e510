using static TorchSharp.torch;

namespace Maisi.Bridge.Volumes;

/// <summary>Turns and flips axes so that they point as wanted. Source: monai/transforms/spatial/array.py.</summary>
/// <param name="axcodes">For example "RAS".</param>
public sealed class Orientation(string axcodes) : IVolumeTransform
{
    private readonly AxisCodes _target = AxisCodes.Parse(axcodes);

    /// <inheritdoc/>
    public VolumeTensor Apply(VolumeTensor input)
    {
        using var scope = NewDisposeScope();
        var moves = AxisCodes.Of(input.Affine).To(_target);
        var data = input.Data.permute(0, moves[0].Axis + 1, moves[1].Axis + 1, moves[2].Axis + 1);
        long[] flipped = [.. Enumerable.Range(0, 3).Where(t => moves[t].Flip).Select(t => (long)t + 1)];
        data = (flipped.Length > 0 ? data.flip(flipped) : data).contiguous();
        return new(data.MoveToOuterDisposeScope(), input.Grid.Reorient(_target).Affine);
    }
}

/// <summary>Reverses axes.</summary>
/// <param name="spatialAxis">Axes from 0.</param>
public sealed class Flip(params int[] spatialAxis) : IVolumeTransform
{
    /// <inheritdoc/>
    public VolumeTensor Apply(VolumeTensor input)
    {
        var affine = input.Affine;
        foreach (var axis in spatialAxis)
        {
            var columns = Enumerable.Range(0, 3).Select(c => affine.Column(c).Select(v => c == axis ? -v : v).ToArray()).ToArray();
            var (x, y, z) = affine.Apply(axis == 0 ? input.Size[0] - 1 : 0, axis == 1 ? input.Size[1] - 1 : 0, axis == 2 ? input.Size[2] - 1 : 0);
            affine = Affine.FromColumns(columns[0], columns[1], columns[2], [x, y, z]);
        }
        return new(input.Data.flip([.. spatialAxis.Select(a => (long)a + 1)]), affine);
    }
}

/// <summary>Turns by quarter turns in a plane, from the first axis to the second.</summary>
/// <param name="k">Quarter turns.</param>
/// <param name="spatialAxes">The plane, two axes from 0; null for 0 and 1.</param>
public sealed class Rotate90(int k = 1, int[]? spatialAxes = null) : IVolumeTransform
{
    /// <inheritdoc/>
    public VolumeTensor Apply(VolumeTensor input)
    {
        using var scope = NewDisposeScope();
        var (a, b) = spatialAxes is [var first, var second] ? (first, second) : (0, 1);
        var result = input;
        for (var turn = 0; turn < ((k % 4) + 4) % 4; turn++)
        {
            // One quarter turn: reverse the second axis, then swap the two.
            var flipped = new Flip(b).Apply(result);
            long[] order = [0, 1, 2, 3];
            (order[a + 1], order[b + 1]) = (order[b + 1], order[a + 1]);
            var columns = Enumerable.Range(0, 3).Select(c => flipped.Affine.Column((int)order[c + 1] - 1)).ToArray();
            result = new(flipped.Data.permute(order), Affine.FromColumns(columns[0], columns[1], columns[2], flipped.Affine.Column(3)));
        }
        return result with { Data = result.Data.contiguous().MoveToOuterDisposeScope() };
    }
}

/// <summary>Resamples to a spacing in mm.</summary>
public sealed class Spacing : IVolumeTransform
{
    private readonly double[] _pixdim;
    private readonly bool _diagonal, _corners;
    private readonly Interpolation _mode;
    private readonly SamplePadding _padding;

    /// <param name="pixdim">Spacing: one number or three; a negative one keeps that axis.</param>
    /// <param name="mode">Nearest for labels.</param>
    /// <param name="diagonal">Align the voxel axes with the world.</param>
    /// <param name="padding">Values outside.</param>
    /// <param name="alignCorners">PyTorch's align_corners.</param>
    public Spacing(double[] pixdim, Interpolation mode = Interpolation.Trilinear, bool diagonal = false, SamplePadding padding = SamplePadding.Border, bool alignCorners = false) =>
        (_pixdim, _mode, _diagonal, _padding, _corners) = (pixdim.Length == 1 ? [pixdim[0], pixdim[0], pixdim[0]] : pixdim, mode, diagonal, padding, alignCorners);

    /// <inheritdoc/>
    /// <exception cref="MaisiException">The affine of the input cannot be inverted.</exception>
    public VolumeTensor Apply(VolumeTensor input)
    {
        var now = input.Affine.Spacing;
        var wanted = _pixdim.Select((p, i) => p > 0 ? p : now[i]).ToArray();
        var axes = _diagonal ? Affine.Diagonal(wanted[0], wanted[1], wanted[2]) : input.Affine.Orthogonal(wanted);
        var (size, target) = Place(input.Grid, axes);
        if (size.SequenceEqual(input.Size) && target.MaxDifference(input.Affine) <= 1e-3)
            return input with { Data = input.Data.to(ScalarType.Float32).alias() };
        var map = input.Affine.Solve(target);
        return new(Sampling.Affine(input.Data, map, size, _mode, _padding, _corners, ScalarType.Float64), input.Affine.Multiply(map));
    }

    // The smallest box along the new axes that holds all voxel centres; from a corner if one is smallest along all axes, else centred.
    private static (int[] Size, Affine Affine) Place(VolumeGrid grid, Affine axes)
    {
        var map = axes.Solve(grid.Affine);
        var corners = (from i in new[] { 0, grid.SizeX - 1 } from j in new[] { 0, grid.SizeY - 1 } from k in new[] { 0, grid.SizeZ - 1 } select (i, j, k)).ToArray();
        var mapped = corners.Select(c => map.Apply(c.i, c.j, c.k)).Select(p => new[] { p.X, p.Y, p.Z }).ToArray();
        int[] size = [.. Enumerable.Range(0, 3).Select(a => (int)Math.Round(mapped.Max(p => p[a]) - mapped.Min(p => p[a]) + 1))];
        (double X, double Y, double Z)? origin = null;
        for (var c = 0; c < corners.Length && origin is null; c++)
            if (Enumerable.Range(0, 3).All(a => Math.Abs(mapped.Min(p => p[a]) - mapped[c][a]) <= 1e-8))
                origin = grid.Affine.Apply(corners[c].i, corners[c].j, corners[c].k);
        if (origin is null)
        {
            // Half of the voxel counts, as MONAI takes it; the middles of first and last voxel would be half a voxel less.
            var (x, y, z) = grid.Affine.Apply(grid.SizeX / 2.0, grid.SizeY / 2.0, grid.SizeZ / 2.0);
            var half = axes.Apply(size[0] / 2.0, size[1] / 2.0, size[2] / 2.0);
            origin = (x - half.X, y - half.Y, z - half.Z);
        }
        var o = origin.Value;
        return (size, Affine.FromColumns(axes.Column(0), axes.Column(1), axes.Column(2), [o.X, o.Y, o.Z]));
    }
}

/// <summary>Turns by angles (radians) about the three axes, round the middle.</summary>
/// <param name="angle">Rotation about the first, second and third axis.</param>
/// <param name="keepSize">False makes the result large enough for the turned volume.</param>
/// <param name="mode">Nearest for labels.</param>
/// <param name="padding">Values outside.</param>
public sealed class Rotate(double[] angle, bool keepSize = true, Interpolation mode = Interpolation.Trilinear, SamplePadding padding = SamplePadding.Border) : IVolumeTransform
{
    /// <inheritdoc/>
    public VolumeTensor Apply(VolumeTensor input)
    {
        var turn = RandomGrid.Rotation(angle);
        var size = input.Size;
        int[] target = keepSize ? size : [.. Enumerable.Range(0, 3).Select(a =>
        {
            var reach = Enumerable.Range(0, 8).Select(c => Enumerable.Range(0, 3).Sum(j => (c >> j & 1) * size[j] * turn[a, j])).ToArray();
            return (int)(reach.Max() - reach.Min() + 0.5);
        })];
        var map = Affine.Diagonal(1, 1, 1, (size[0] - 1) / 2.0, (size[1] - 1) / 2.0, (size[2] - 1) / 2.0).Multiply(turn)
            .Multiply(Affine.Diagonal(1, 1, 1, -(target[0] - 1) / 2.0, -(target[1] - 1) / 2.0, -(target[2] - 1) / 2.0));
        return new(Sampling.Affine(input.Data, map, target, mode, padding, false, ScalarType.Float32), input.Affine.Multiply(map));
    }
}
