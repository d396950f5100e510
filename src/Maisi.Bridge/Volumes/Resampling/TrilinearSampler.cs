using System.Numerics;

namespace Maisi.Bridge.Volumes;

/// <summary>Linear sampling of one volume on one grid.</summary>
internal sealed class TrilinearSampler<T>(Volume volume, VolumeGrid grid, SamplingMap map, double? outside) where T : unmanaged, IFloatingPoint<T>
{
    private readonly Memory<T> _source = volume.Memory<T>();
    private readonly T[] _target = GC.AllocateUninitializedArray<T>(checked((int)(grid.Count * volume.Channels)));
    private readonly int _sizeX = volume.SizeX, _sizeY = volume.SizeY, _sizeZ = volume.SizeZ;

    /// <summary>Two neighbours of a position along one axis, the weight of the upper one, and whether the position is outside.</summary>
    private readonly record struct Pair(int Lower, int Upper, T Weight, bool Outside);

    public Volume Run()
    {
        if (map.IsDiagonal)
        {
            var (x, y, z) = (Pairs(0), Pairs(1), Pairs(2));
            Parallel.For(0, grid.SizeZ * volume.Channels, () => new T[_sizeX], (slice, _, mixed) => Aligned(slice, x, y, z, mixed), _ => { });
        }
        else
        {
            Parallel.For(0, grid.SizeZ * volume.Channels, Oblique);
        }
        return Volume.Wrap<T>(_target, grid, volume.Channels);
    }

    private Pair[] Pairs(int axis) => [.. map.Positions(axis).Select(p => At(p, volume.Grid.Size(axis)))];

    private Pair At(double position, int size)
    {
        var off = outside is not null && (position < -0.5 || position > size - 0.5);
        var inside = Math.Clamp(position, 0, size - 1);
        var lower = (int)inside;
        return new(lower, Math.Min(lower + 1, size - 1), T.CreateTruncating(inside - lower), off);
    }

    // Four source rows are mixed into one first, which the compiler vectorises; then one pass along x.
    private T[] Aligned(int slice, Pair[] xs, Pair[] ys, Pair[] zs, T[] mixed)
    {
        var source = _source.Span;
        var (channel, z) = Math.DivRem(slice, grid.SizeZ);
        var target = _target.AsSpan(slice * grid.SizeX * grid.SizeY, grid.SizeX * grid.SizeY);
        var fill = T.CreateTruncating(outside ?? 0);
        var pz = zs[z];
        for (var y = 0; y < grid.SizeY; y++)
        {
            var row = target.Slice(y * grid.SizeX, grid.SizeX);
            var py = ys[y];
            if (pz.Outside || py.Outside)
            {
                row.Fill(fill);
                continue;
            }
            Mix(Row(source, channel, py.Lower, pz.Lower), Row(source, channel, py.Upper, pz.Lower),
                Row(source, channel, py.Lower, pz.Upper), Row(source, channel, py.Upper, pz.Upper), py.Weight, pz.Weight, mixed);
            for (var x = 0; x < row.Length; x++)
            {
                ref readonly var px = ref xs[x];
                var low = mixed[px.Lower];
                row[x] = px.Outside ? fill : low + (mixed[px.Upper] - low) * px.Weight;
            }
        }
        return mixed;
    }

    private static void Mix(ReadOnlySpan<T> a, ReadOnlySpan<T> b, ReadOnlySpan<T> c, ReadOnlySpan<T> d, T wy, T wz, Span<T> mixed)
    {
        var (va, vb, vc, vd) = (new Vector<T>((T.One - wy) * (T.One - wz)), new Vector<T>(wy * (T.One - wz)), new Vector<T>((T.One - wy) * wz), new Vector<T>(wy * wz));
        var x = 0;
        for (; x <= mixed.Length - Vector<T>.Count; x += Vector<T>.Count)
            (va * new Vector<T>(a[x..]) + vb * new Vector<T>(b[x..]) + vc * new Vector<T>(c[x..]) + vd * new Vector<T>(d[x..])).CopyTo(mixed[x..]);
        for (; x < mixed.Length; x++)
            mixed[x] = va[0] * a[x] + vb[0] * b[x] + vc[0] * c[x] + vd[0] * d[x];
    }

    private void Oblique(int slice)
    {
        var source = _source.Span;
        var (channel, z) = Math.DivRem(slice, grid.SizeZ);
        var target = _target.AsSpan(slice * grid.SizeX * grid.SizeY, grid.SizeX * grid.SizeY);
        for (var y = 0; y < grid.SizeY; y++)
            for (var x = 0; x < grid.SizeX; x++)
            {
                var (px, py, pz) = (At(map.Position(0, x, y, z), _sizeX), At(map.Position(1, x, y, z), _sizeY), At(map.Position(2, x, y, z), _sizeZ));
                if (px.Outside || py.Outside || pz.Outside)
                {
                    target[y * grid.SizeX + x] = T.CreateTruncating(outside!.Value);
                    continue;
                }
                var low = Along(Row(source, channel, py.Lower, pz.Lower), px);
                low += (Along(Row(source, channel, py.Upper, pz.Lower), px) - low) * py.Weight;
                var high = Along(Row(source, channel, py.Lower, pz.Upper), px);
                high += (Along(Row(source, channel, py.Upper, pz.Upper), px) - high) * py.Weight;
                target[y * grid.SizeX + x] = low + (high - low) * pz.Weight;
            }
    }

    private static T Along(ReadOnlySpan<T> row, Pair p) => row[p.Lower] + (row[p.Upper] - row[p.Lower]) * p.Weight;

    private ReadOnlySpan<T> Row(ReadOnlySpan<T> source, int channel, int y, int z) => source.Slice(((channel * _sizeZ + z) * _sizeY + y) * _sizeX, _sizeX);
}
