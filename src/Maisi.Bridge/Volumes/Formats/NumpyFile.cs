using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Maisi.Bridge.Volumes;

/// <summary>
/// NumPy .npy arrays of three or four axes: [X,Y,Z] or [C,X,Y,Z], in C or Fortran order. They have no place in the patient: the affine is
/// the identity. Source: numpy/lib/format.py.
/// </summary>
internal static partial class NumpyFile
{
    private static readonly Dictionary<string, VoxelType> _types = new()
    {
        ["u1"] = VoxelType.UInt8,
        ["b1"] = VoxelType.UInt8,
        ["i1"] = VoxelType.Int8,
        ["i2"] = VoxelType.Int16,
        ["u2"] = VoxelType.UInt16,
        ["i4"] = VoxelType.Int32,
        ["u4"] = VoxelType.UInt32,
        ["i8"] = VoxelType.Int64,
        ["u8"] = VoxelType.UInt64,
        ["f4"] = VoxelType.Float32,
        ["f8"] = VoxelType.Float64,
    };

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Reads the header only.</summary>
    public static VolumeInfo ReadInfo(string path) => ReadHeader(path).Info;

    /// <summary>Reads an array.</summary>
    public static Volume Read(string path)
    {
        var (info, offset, fortran) = ReadHeader(path);
        if (fortran)
            return VoxelReader.Read(path, info, offset, packed: false);
        // C order with axes [C,X,Y,Z] is Fortran order with the axes reversed: read so, then turn.
        var g = info.Grid;
        var raw = VoxelReader.Read(path, info with { Grid = new(g.SizeZ, g.SizeY, g.SizeX, Affine.Identity) }, offset, packed: false);
        return raw.Apply(new Turn(raw));
    }

    /// <summary>Writes [X,Y,Z] or [C,X,Y,Z] in C order.</summary>
    public static void Write(Volume volume, string path) => AtomicFile.Write(path, stream =>
    {
        int[] shape = volume.Channels == 1 ? [volume.SizeX, volume.SizeY, volume.SizeZ] : [volume.Channels, volume.SizeX, volume.SizeY, volume.SizeZ];
        var code = _types.Last(t => t.Value == volume.Type).Key;
        var text = $"{{'descr': '{(code[1] == '1' ? '|' : '<')}{code}', 'fortran_order': False, 'shape': ({string.Join(", ", shape)}), }}";
        text = text.PadRight((10 + text.Length + 1 + 63) / 64 * 64 - 11) + "\n";
        stream.Write(Magic);
        stream.Write([1, 0, (byte)text.Length, (byte)(text.Length >> 8)]);
        stream.Write(Encoding.ASCII.GetBytes(text));
        var turned = volume.Apply(new Turn(volume));
        foreach (var part in VoxelBytes.Of(turned))
            stream.Write(part.Span);
    });

    private static (VolumeInfo Info, long Offset, bool Fortran) ReadHeader(string path)
    {
        using var file = VolumeFile.Open(path);
        Span<byte> start = stackalloc byte[12];
        if (file.ReadAtLeast(start, 12, throwOnEndOfStream: false) < 12 || !start[..6].SequenceEqual(Magic) || start[6] is 0 or > 3)
            throw new VolumeFormatException("this is not a NumPy .npy file", path);
        var wide = start[6] > 1;
        var length = wide ? BinaryPrimitives.ReadInt32LittleEndian(start[8..]) : BinaryPrimitives.ReadUInt16LittleEndian(start[8..]);
        var offset = (wide ? 12 : 10) + (long)length;
        if (length is < 0 or > 65536)
            throw new VolumeFormatException($"the .npy header says that it has {length} bytes", path);
        file.Position = wide ? 12 : 10;
        var header = new byte[length];
        if (file.ReadAtLeast(header, length, throwOnEndOfStream: false) < length)
            throw new VolumeFormatException("the .npy header is cut short", path);
        var text = Encoding.Latin1.GetString(header);
        var (type, order, shape) = (TypePattern().Match(text), OrderPattern().Match(text), ShapePattern().Match(text));
        if (!type.Success || !order.Success || !shape.Success || !_types.TryGetValue(type.Groups[2].Value, out var voxel))
            throw new VolumeFormatException("the .npy header does not describe an array of numbers", path, "save it with numpy.save, as integers or floats");
        var sizes = shape.Groups[1].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(n => int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out var v) ? v : -1).ToArray();
        if (sizes.Length is not (3 or 4) || sizes.Any(n => n < 1) || sizes.Aggregate(1L, (p, n) => Math.Min(p * n, 1L << 40)) > int.MaxValue)
            throw new VolumeFormatException($"the array has the shape ({shape.Groups[1].Value})", path, "a volume has three axes [X,Y,Z], or four [C,X,Y,Z]");
        var fortran = order.Groups[1].Value == "True";
        if (fortran && sizes.Length == 4)
            throw new VolumeFormatException("an array of four axes in Fortran order is not supported", path, "save numpy.ascontiguousarray(array)");
        var grid = new VolumeGrid(sizes[^3], sizes[^2], sizes[^1], Affine.Identity);
        return (new("NumPy", voxel, voxel, grid, sizes.Length == 4 ? sizes[0] : 1, 1, 0, type.Groups[1].Value == ">", "none", ""), offset, fortran);
    }

    [GeneratedRegex("'descr':\\s*'([<>|=])([a-z][0-9]+)'", RegexOptions.NonBacktracking)]
    private static partial Regex TypePattern();

    [GeneratedRegex("'fortran_order':\\s*(True|False)", RegexOptions.NonBacktracking)]
    private static partial Regex OrderPattern();

    [GeneratedRegex("'shape':\\s*\\(([0-9, ]*)\\)", RegexOptions.NonBacktracking)]
    private static partial Regex ShapePattern();

    // Reverses the three axes of each channel.
    private readonly struct Turn(Volume volume) : IVoxelFunction<Volume>
    {
        public Volume Invoke<T>(Memory<T> voxels) where T : unmanaged, System.Numerics.INumber<T>, System.Numerics.IMinMaxValue<T>
        {
            var turned = GC.AllocateUninitializedArray<T>(voxels.Length);
            var plane = (int)volume.Grid.Count;
            for (var c = 0; c < volume.Channels; c++)
                VoxelOrder.Transpose<T>(voxels.Span.Slice(c * plane, plane), turned.AsSpan(c * plane, plane), volume.SizeX, volume.SizeY, volume.SizeZ);
            return Volume.Wrap<T>(turned, new(volume.SizeZ, volume.SizeY, volume.SizeX, Affine.Identity), volume.Channels);
        }
    }
}
