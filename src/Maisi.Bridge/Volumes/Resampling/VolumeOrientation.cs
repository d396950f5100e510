using System.Numerics;

namespace Maisi.Bridge.Volumes;

/// <summary>Reorders and flips axes; no voxel value changes and every voxel stays at its place in the patient.</summary>
public static class VolumeOrientation
{
    /// <summary>The grid whose axes point as <paramref name="target"/> says, over the same voxels.</summary>
    public static VolumeGrid Reorient(this VolumeGrid grid, AxisCodes target)
    {
        var moves = AxisCodes.Of(grid.Affine).To(target);
        var corner = new double[3];
        var columns = new double[3][];
        for (var t = 0; t < 3; t++)
        {
            var (axis, flip) = moves[t];
            corner[axis] = flip ? grid.Size(axis) - 1 : 0;
            columns[t] = [.. grid.Affine.Column(axis).Select(v => flip ? -v : v)];
        }
        var (x, y, z) = grid.Affine.Apply(corner[0], corner[1], corner[2]);
        return new(grid.Size(moves[0].Axis), grid.Size(moves[1].Axis), grid.Size(moves[2].Axis), Affine.FromColumns(columns[0], columns[1], columns[2], [x, y, z]));
    }

    /// <summary>The volume with axes that point as <paramref name="target"/> says; the same object when they do already.</summary>
    public static Volume Reorient(this Volume volume, AxisCodes target) =>
        volume.Orientation == target ? volume : volume.Apply(new Move(volume, volume.Orientation.To(target), volume.Grid.Reorient(target)));

    private readonly struct Move(Volume volume, (int Axis, bool Flip)[] moves, VolumeGrid grid) : IVoxelFunction<Volume>
    {
        public Volume Invoke<T>(Memory<T> voxels) where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            var moved = GC.AllocateUninitializedArray<T>(voxels.Length);
            int[] strides = [1, volume.SizeX, volume.SizeX * volume.SizeY];
            var plane = volume.SizeX * volume.SizeY * volume.SizeZ;
            var (sizeX, sizeY, sizeZ) = (grid.SizeX, grid.SizeY, grid.SizeZ);
            var step = new int[3];
            var start = 0;
            for (var t = 0; t < 3; t++)
            {
                var (axis, flip) = moves[t];
                step[t] = flip ? -strides[axis] : strides[axis];
                start += flip ? (volume.Grid.Size(axis) - 1) * strides[axis] : 0;
            }
            var (first, stepX, stepY, stepZ) = (start, step[0], step[1], step[2]);
            Parallel.For(0, sizeZ * volume.Channels, slice =>
            {
                var source = voxels.Span;
                var (channel, z) = Math.DivRem(slice, sizeZ);
                var target = moved.AsSpan(slice * sizeX * sizeY, sizeX * sizeY);
                // Blocks of rows keep strided reads in the cache when x of the result was not x of the source.
                for (var x0 = 0; x0 < sizeX; x0 += 64)
                    for (var y = 0; y < sizeY; y++)
                    {
                        var from = channel * plane + first + z * stepZ + y * stepY + x0 * stepX;
                        var row = target.Slice(y * sizeX + x0, Math.Min(64, sizeX - x0));
                        if (stepX == 1)
                            source.Slice(from, row.Length).CopyTo(row);
                        else
                            for (var x = 0; x < row.Length; x++, from += stepX)
                                row[x] = source[from];
                    }
            });
            return Volume.Wrap<T>(moved, grid, volume.Channels);
        }
    }
}
