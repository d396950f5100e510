using System.Numerics;

namespace Maisi.Bridge.Volumes;

/// <summary>Closest-voxel sampling of one volume on one grid.</summary>
internal sealed class NearestSampler<T>(Volume volume, VolumeGrid grid, SamplingMap map, T? outside) where T : unmanaged, INumber<T>
{
    private readonly Memory<T> _source = volume.Memory<T>();
    private readonly T[] _target = GC.AllocateUninitializedArray<T>(checked((int)(grid.Count * volume.Channels)));
    private readonly int _sizeX = volume.SizeX, _sizeY = volume.SizeY, _sizeZ = volume.SizeZ;

    public Volume Run()
    {
        if (map.IsDiagonal)
        {
            var (x, y, z) = (Indices(0), Indices(1), Indices(2));
            Parallel.For(0, grid.SizeZ * volume.Channels, slice => Aligned(slice, x, y, z));
        }
        else
        {
            Parallel.For(0, grid.SizeZ * volume.Channels, Oblique);
        }
        return Volume.Wrap<T>(_target, grid, volume.Channels);
    }

    // Source index of each index along one axis; -1 is outside.
    private int[] Indices(int axis) => [.. map.Positions(axis).Select(p => Index(p, volume.Grid.Size(axis)))];

    private int Index(double position, int size)
    {
        var index = Math.Round(position);
        return outside is null ? (int)Math.Clamp(index, 0, size - 1) : index < 0 || index > size - 1 ? -1 : (int)index;
    }

    private void Aligned(int slice, int[] xs, int[] ys, int[] zs)
    {
        var (channel, z) = Math.DivRem(slice, grid.SizeZ);
        var target = _target.AsSpan(slice * grid.SizeX * grid.SizeY, grid.SizeX * grid.SizeY);
        var fill = outside.GetValueOrDefault();
        for (var y = 0; y < grid.SizeY; y++)
        {
            var row = target.Slice(y * grid.SizeX, grid.SizeX);
            if (zs[z] < 0 || ys[y] < 0)
            {
                row.Fill(fill);
                continue;
            }
            var source = _source.Span.Slice(((channel * _sizeZ + zs[z]) * _sizeY + ys[y]) * _sizeX, _sizeX);
            for (var x = 0; x < row.Length; x++)
                row[x] = xs[x] < 0 ? fill : source[xs[x]];
        }
    }

    private void Oblique(int slice)
    {
        var source = _source.Span;
        var (channel, z) = Math.DivRem(slice, grid.SizeZ);
        var target = _target.AsSpan(slice * grid.SizeX * grid.SizeY, grid.SizeX * grid.SizeY);
        for (var y = 0; y < grid.SizeY; y++)
            for (var x = 0; x < grid.SizeX; x++)
            {
                var (i, j, k) = (Index(map.Position(0, x, y, z), _sizeX), Index(map.Position(1, x, y, z), _sizeY), Index(map.Position(2, x, y, z), _sizeZ));
                target[y * grid.SizeX + x] = (i | j | k) < 0 ? outside.GetValueOrDefault() : source[((channel * _sizeZ + k) * _sizeY + j) * _sizeX + i];
            }
    }
}
