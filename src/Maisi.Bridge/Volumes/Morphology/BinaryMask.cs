using System.Numerics;

namespace Maisi.Bridge.Volumes;

/// <summary>
/// Voxels that are in or out, x fastest, with the morphology of MAISI's mask tools: boxes of k³ voxels, and a choice of what lies outside
/// the picture. Operations return a new mask and run on all cores.
/// </summary>
public sealed class BinaryMask
{
    private readonly byte[] _voxels; // 0 or 1

    private BinaryMask(byte[] voxels, int x, int y, int z) => (_voxels, SizeX, SizeY, SizeZ) = (voxels, x, y, z);

    /// <summary>Voxels along each axis.</summary>
    public int SizeX { get; }

    /// <inheritdoc cref="SizeX"/>
    public int SizeY { get; }

    /// <inheritdoc cref="SizeX"/>
    public int SizeZ { get; }

    /// <summary>0 and 1, x fastest.</summary>
    public ReadOnlySpan<byte> Voxels => _voxels;

    /// <summary>Voxels that are in.</summary>
    public long Count
    {
        get
        {
            var count = 0L;
            foreach (var v in _voxels)
                count += v;
            return count;
        }
    }

    /// <summary>Where a volume fulfils a condition.</summary>
    public static BinaryMask Where<T>(Volume volume, Func<T, bool> condition) where T : unmanaged, INumber<T>
    {
        var source = volume.ConvertTo<T>().Memory<T>();
        var voxels = new byte[source.Length];
        var plane = volume.SizeX * volume.SizeY;
        Parallel.For(0, volume.SizeZ, z =>
        {
            var from = source.Span.Slice(z * plane, plane);
            for (var i = 0; i < plane; i++)
                voxels[z * plane + i] = condition(from[i]) ? (byte)1 : (byte)0;
        });
        return new(voxels, volume.SizeX, volume.SizeY, volume.SizeZ);
    }

    /// <summary>Where a volume has one of these labels.</summary>
    public static BinaryMask Of(Volume labels, params ReadOnlySpan<int> wanted)
    {
        var set = wanted.ToArray();
        return set.Length == 1 ? Where<int>(labels, v => v == set[0]) : Where<int>(labels, v => Array.IndexOf(set, v) >= 0);
    }

    /// <summary>An empty mask of a size.</summary>
    public static BinaryMask Empty(int x, int y, int z) => new(new byte[checked(x * y * z)], x, y, z);

    /// <summary>True when a voxel is in.</summary>
    public bool this[int index] => _voxels[index] != 0;

    /// <summary>Voxels that are in both.</summary>
    public BinaryMask And(BinaryMask other) => Combine(other, (a, b) => a & b);

    /// <summary>Voxels that are in one of them.</summary>
    public BinaryMask Or(BinaryMask other) => Combine(other, (a, b) => a | b);

    /// <summary>Voxels that are in this one only.</summary>
    public BinaryMask Without(BinaryMask other) => Combine(other, (a, b) => a & ~b);

    /// <summary>Voxels that are out.</summary>
    public BinaryMask Not()
    {
        var voxels = new byte[_voxels.Length];
        for (var i = 0; i < voxels.Length; i++)
            voxels[i] = (byte)(_voxels[i] ^ 1);
        return new(voxels, SizeX, SizeY, SizeZ);
    }

    /// <summary>In when any voxel of the box round it is in; <paramref name="outside"/> says whether voxels beyond the border count as in.</summary>
    /// <param name="size">Edge of the box in voxels, odd.</param>
    /// <param name="outside">MAISI's dilate3d has true, which fills the outermost shell; dilate_one_img has false.</param>
    public BinaryMask Dilate(int size, bool outside)
    {
        if (size < 1 || size % 2 == 0)
            throw new ArgumentOutOfRangeException(nameof(size), $"the box must have an odd edge, not {size}");
        return Dilate(size / 2, size / 2, size / 2, outside);
    }

    /// <summary>In when any voxel within these distances along the axes is in.</summary>
    internal BinaryMask Dilate(int x, int y, int z, bool outside)
    {
        var (from, to) = (_voxels, new byte[_voxels.Length]);
        foreach (var (axis, radius) in (ReadOnlySpan<(int, int)>)[(0, x), (1, y), (2, z)])
        {
            Box(from, to, axis, radius, outside);
            (from, to) = (to, ReferenceEquals(from, _voxels) ? new byte[_voxels.Length] : from);
        }
        return new(from, SizeX, SizeY, SizeZ);
    }

    /// <summary>In when all voxels of the box round it are in.</summary>
    /// <inheritdoc cref="Dilate(int, bool)"/>
    public BinaryMask Erode(int size, bool outside) => Not().Dilate(size, !outside).Not();

    /// <summary>Fills holes and gaps narrower than two voxels: dilate and erode by 3³, twice, nothing outside.</summary>
    public BinaryMask FillByClosing(int times = 2)
    {
        if (Bounds(margin: 2) is not { } box)
            return this;
        // Only the voxels round the structure can change, and all others are out, as beyond the border.
        var part = Crop(box.X, box.Y, box.Z, box.SizeX, box.SizeY, box.SizeZ);
        for (var i = 0; i < times; i++)
            part = part.Dilate(3, outside: false).Erode(3, outside: false);
        return Empty(SizeX, SizeY, SizeZ).Paste(part, box.X, box.Y, box.Z);
    }

    /// <summary>The smallest box that holds all voxels that are in, enlarged within the picture; null when none is.</summary>
    public (int X, int Y, int Z, int SizeX, int SizeY, int SizeZ)? Bounds(int margin = 0)
    {
        var (x0, y0, z0, x1, y1, z1) = (int.MaxValue, int.MaxValue, int.MaxValue, -1, -1, -1);
        for (var z = 0; z < SizeZ; z++)
            for (var y = 0; y < SizeY; y++)
            {
                var row = _voxels.AsSpan((z * SizeY + y) * SizeX, SizeX);
                var first = row.IndexOf((byte)1);
                if (first < 0)
                    continue;
                (x0, x1) = (Math.Min(x0, first), Math.Max(x1, row.LastIndexOf((byte)1)));
                (y0, y1) = (Math.Min(y0, y), Math.Max(y1, y));
                (z0, z1) = (Math.Min(z0, z), Math.Max(z1, z));
            }
        if (x1 < 0)
            return null;
        (x0, y0, z0) = (Math.Max(0, x0 - margin), Math.Max(0, y0 - margin), Math.Max(0, z0 - margin));
        return (x0, y0, z0, Math.Min(SizeX, x1 + margin + 1) - x0, Math.Min(SizeY, y1 + margin + 1) - y0, Math.Min(SizeZ, z1 + margin + 1) - z0);
    }

    /// <summary>A box of this mask.</summary>
    public BinaryMask Crop(int x, int y, int z, int sizeX, int sizeY, int sizeZ)
    {
        var part = Empty(sizeX, sizeY, sizeZ);
        for (var k = 0; k < sizeZ; k++)
            for (var j = 0; j < sizeY; j++)
                _voxels.AsSpan(((z + k) * SizeY + y + j) * SizeX + x, sizeX).CopyTo(part._voxels.AsSpan((k * sizeY + j) * sizeX));
        return part;
    }

    /// <summary>Gives every voxel that is in a label; the volume must hold int32.</summary>
    public void Mark(Volume labels, int value)
    {
        var voxels = labels.Voxels<int>();
        for (var i = 0; i < voxels.Length; i++)
            if (_voxels[i] != 0)
                voxels[i] = value;
    }

    /// <summary>The mask as a volume of 0 and 1 (int32).</summary>
    public Volume ToVolume(VolumeGrid grid) => Volume.Wrap<int>(Array.ConvertAll(_voxels, v => (int)v), grid);

    /// <summary>Copies another mask into this one at a place.</summary>
    internal BinaryMask Paste(BinaryMask part, int x, int y, int z)
    {
        for (var k = 0; k < part.SizeZ; k++)
            for (var j = 0; j < part.SizeY; j++)
                part._voxels.AsSpan((k * part.SizeY + j) * part.SizeX, part.SizeX).CopyTo(_voxels.AsSpan(((z + k) * SizeY + y + j) * SizeX + x));
        return this;
    }

    private BinaryMask Combine(BinaryMask other, Func<Vector<byte>, Vector<byte>, Vector<byte>> operation)
    {
        var voxels = new byte[_voxels.Length];
        var i = 0;
        for (; i <= voxels.Length - Vector<byte>.Count; i += Vector<byte>.Count)
            operation(new(_voxels, i), new(other._voxels, i)).CopyTo(voxels, i);
        for (; i < voxels.Length; i++)
            voxels[i] = (byte)(operation(new(_voxels[i]), new(other._voxels[i]))[0] & 1);
        return new(voxels, SizeX, SizeY, SizeZ);
    }

    // Dilation by a line along one axis: each row of x is the union of shifted rows.
    private void Box(byte[] from, byte[] to, int axis, int radius, bool outside) => Parallel.For(0, SizeZ, z =>
    {
        for (var y = 0; y < SizeY; y++)
        {
            var at = (z * SizeY + y) * SizeX;
            var row = to.AsSpan(at, SizeX);
            from.AsSpan(at, SizeX).CopyTo(row);
            for (var d = -radius; d <= radius; d++)
            {
                if (axis == 0)
                {
                    var source = from.AsSpan(at, SizeX);
                    var shift = Math.Min(Math.Abs(d), SizeX);
                    Union(d < 0 ? row[shift..] : row[..^shift], d < 0 ? source[..^shift] : source[shift..]);
                    if (outside)
                        (d < 0 ? row[..shift] : row[^shift..]).Fill(1);
                    continue;
                }
                var (yy, zz) = axis == 1 ? (y + d, z) : (y, z + d);
                if ((uint)yy < (uint)SizeY && (uint)zz < (uint)SizeZ)
                    Union(row, from.AsSpan((zz * SizeY + yy) * SizeX, SizeX));
                else if (outside)
                    row.Fill(1);
            }
        }
    });

    private static void Union(Span<byte> row, ReadOnlySpan<byte> other)
    {
        var i = 0;
        for (; i <= row.Length - Vector<byte>.Count; i += Vector<byte>.Count)
            (new Vector<byte>(row[i..]) | new Vector<byte>(other[i..])).CopyTo(row[i..]);
        for (; i < row.Length; i++)
            row[i] |= other[i];
    }
}
