using System.Buffers.Binary;
using System.Text;

namespace Maisi.Bridge.Volumes;

/// <summary>
/// The fixed header of NIfTI-1 (348 bytes) and NIfTI-2 (540 bytes). The affine is chosen as nibabel chooses it: sform when its code is
/// not 0, then qform, then pixdim with x to the left and the origin in the middle.
/// Source: nifti1.h and nifti2.h of the NIfTI Data Format Working Group.
/// </summary>
internal sealed record NiftiHeader(VolumeInfo Info, long VoxelOffset, bool IsPair)
{
    public const int Size1 = 348, Size2 = 540;

    private static readonly (short Code, VoxelType Type)[] _types =
    [
        (2, VoxelType.UInt8), (256, VoxelType.Int8), (4, VoxelType.Int16), (512, VoxelType.UInt16), (8, VoxelType.Int32),
        (768, VoxelType.UInt32), (1024, VoxelType.Int64), (1280, VoxelType.UInt64), (16, VoxelType.Float32), (64, VoxelType.Float64),
    ];

    /// <summary>The NIfTI code of a voxel type.</summary>
    public static short Code(VoxelType type) => _types.First(t => t.Type == type).Code;

    /// <summary>The size of the header that starts with these four bytes: 348 or 540, and the byte order; 0 when it is not NIfTI.</summary>
    public static int Probe(ReadOnlySpan<byte> start, out bool bigEndian)
    {
        var size = BinaryPrimitives.ReadInt32LittleEndian(start);
        bigEndian = size is not (Size1 or Size2);
        if (bigEndian)
            size = BinaryPrimitives.ReadInt32BigEndian(start);
        return size is Size1 or Size2 ? size : 0;
    }

    /// <summary>Reads a header.</summary>
    /// <exception cref="VolumeFormatException">A field has a value that no image can have.</exception>
    public static NiftiHeader Parse(ReadOnlySpan<byte> bytes, string path)
    {
        var size = Probe(bytes, out var big);
        var two = size == Size2;
        var read = new Fields(bytes, big, two);
        var magic = Encoding.ASCII.GetString(bytes.Slice(two ? 4 : 344, 4));
        if (magic is not ("n+1\0" or "ni1\0" or "n+2\0" or "ni2\0"))
            throw new VolumeFormatException("the header has NIfTI's size but not its magic (Analyze 7.5 files have no orientation)", path,
                "convert the file with a tool that knows where it came from");
        var dims = new long[8];
        for (var i = 0; i < 8; i++)
            dims[i] = two ? read.Int64(16 + 8 * i) : read.Int16(40 + 2 * i);
        if (dims[0] is < 1 or > 7)
            throw new VolumeFormatException($"dim[0] is {dims[0]}, not 1 to 7", path);
        var shape = Enumerable.Range(1, 7).Select(i => i <= dims[0] ? dims[i] : 1).ToArray();
        if (shape.Any(n => n is < 1 or > int.MaxValue))
            throw new VolumeFormatException($"the size is {string.Join('×', shape.Take((int)dims[0]))}", path);
        // Several axes beyond the third (time, vector components) become channels; in the file the last one is slowest, as here.
        var channels = Product(shape.AsSpan(3), path);
        Product([shape[0], shape[1], shape[2], channels], path);

        var code = read.Int16(two ? 12 : 70);
        if (!_types.Any(t => t.Code == code))
            throw new VolumeFormatException($"datatype {code} is not supported ({Unsupported(code)})", path, "convert the file to an integer or float type");
        var stored = _types.First(t => t.Code == code).Type;
        var (slope, intercept) = (read.Real(two ? 176 : 112, two), read.Real(two ? 184 : 116, two));
        if (slope == 0 || !double.IsFinite(slope))
            (slope, intercept) = (1, 0);
        if (!double.IsFinite(intercept))
            throw new VolumeFormatException($"scl_slope is {slope} but scl_inter is {intercept}", path);
        var offset = two ? read.Int64(168) : (double.IsFinite(read.Single(108)) ? (long)read.Single(108) : -1);
        var pair = magic.StartsWith("ni", StringComparison.Ordinal);
        if (offset < (pair ? 0 : size))
            throw new VolumeFormatException($"vox_offset is {offset}; voxels cannot start before byte {(pair ? 0 : size)}", path);

        var (affine, source) = NiftiAffine.Read(read.Geometry(), [(int)shape[0], (int)shape[1], (int)shape[2]], path);
        var grid = new VolumeGrid((int)shape[0], (int)shape[1], (int)shape[2], affine);
        var description = Encoding.UTF8.GetString(bytes.Slice(two ? 240 : 148, 80)).Split('\0')[0];
        var scaled = slope != 1 || intercept != 0;
        var info = new VolumeInfo(two ? "NIfTI-2" : "NIfTI-1", stored, VolumeInfo.ScaledType(stored, scaled), grid, (int)channels, slope, intercept, big, source, description);
        return new(info, offset, pair);
    }

    /// <summary>A little-endian header for a single file; NIfTI-1 unless an axis has more than 32,767 voxels.</summary>
    public static byte[] Build(Volume volume, string description)
    {
        var two = volume.Shape.Any(n => n > short.MaxValue);
        var bytes = new byte[(two ? Size2 : Size1) + 4]; // four zero bytes: no extensions
        var write = new FieldWriter(bytes, two);
        write.Start();
        write.Dims(volume);
        write.Type(Code(volume.Type), (short)(volume.Type.Size() * 8));
        write.Offset(bytes.Length);
        write.Scale(1, 0);
        write.Text(description);
        write.Geometry(NiftiAffine.Write(volume.Affine));
        return bytes;
    }

    private static long Product(ReadOnlySpan<long> sizes, string path)
    {
        var product = 1L;
        foreach (var size in sizes)
        {
            product *= size;
            if (product > int.MaxValue)
                throw new VolumeFormatException($"the image has more than {int.MaxValue} voxels", path);
        }
        return product;
    }

    private static string Unsupported(short code) => code switch
    {
        32 or 1792 or 2048 => "complex",
        128 or 2304 => "colour",
        1536 => "float128",
        1 => "bits",
        _ => "unknown",
    };

    /// <summary>Numbers at the offsets of the header, in its byte order.</summary>
    private readonly ref struct Fields(ReadOnlySpan<byte> bytes, bool big, bool two)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;

        public short Int16(int at) => big ? BinaryPrimitives.ReadInt16BigEndian(_bytes[at..]) : BinaryPrimitives.ReadInt16LittleEndian(_bytes[at..]);

        public int Int32(int at) => big ? BinaryPrimitives.ReadInt32BigEndian(_bytes[at..]) : BinaryPrimitives.ReadInt32LittleEndian(_bytes[at..]);

        public long Int64(int at) => big ? BinaryPrimitives.ReadInt64BigEndian(_bytes[at..]) : BinaryPrimitives.ReadInt64LittleEndian(_bytes[at..]);

        public float Single(int at) => BitConverter.Int32BitsToSingle(Int32(at));

        public double Real(int at, bool wide) => wide ? BitConverter.Int64BitsToDouble(Int64(at)) : Single(at);

        public NiftiGeometry Geometry()
        {
            var wide = two;
            var step = wide ? 8 : 4;
            var (pixdim, quatern, srow) = wide ? (104, 352, 400) : (76, 256, 280);
            var numbers = new double[4 + 6 + 12];
            for (var i = 0; i < 4; i++)
                numbers[i] = Real(pixdim + step * i, wide);
            for (var i = 0; i < 6; i++)
                numbers[4 + i] = Real(quatern + step * i, wide);
            for (var i = 0; i < 12; i++)
                numbers[10 + i] = Real(srow + step * i, wide);
            return new(wide ? Int32(344) : Int16(252), wide ? Int32(348) : Int16(254), numbers[..4], numbers[4..7], numbers[7..10], numbers[10..], !wide);
        }
    }

    /// <summary>Writes numbers at the offsets of the header, little-endian.</summary>
    private readonly struct FieldWriter(byte[] bytes, bool two)
    {
        public void Start()
        {
            Int32(0, two ? Size2 : Size1);
            (two ? "n+2\0\r\n\u001a\n"u8 : "n+1\0"u8).CopyTo(bytes.AsSpan(two ? 4 : 344));
            if (two)
                Int32(500, 10);
            else
                bytes[123] = 10; // millimetres and seconds
        }

        public void Dims(Volume volume)
        {
            Dim(0, volume.Shape.Count);
            for (var i = 1; i < 8; i++)
                Dim(i, i <= volume.Shape.Count ? volume.Shape[i - 1] : 1);
        }

        public void Type(short code, short bits)
        {
            BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(two ? 12 : 70), code);
            BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(two ? 14 : 72), bits);
        }

        public void Offset(int offset)
        {
            if (two)
                BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(168), offset);
            else
                Real(108, offset);
        }

        public void Scale(double slope, double intercept)
        {
            Real(two ? 176 : 112, slope);
            Real(two ? 184 : 116, intercept);
        }

        public void Text(string text)
        {
            var utf8 = Encoding.UTF8.GetBytes(text);
            utf8.AsSpan(0, Math.Min(79, utf8.Length)).CopyTo(bytes.AsSpan(two ? 240 : 148));
        }

        public void Geometry(NiftiGeometry geometry)
        {
            var step = two ? 8 : 4;
            for (var i = 0; i < 8; i++)
                Real((two ? 104 : 76) + step * i, i < 4 ? geometry.Pixdim[i] : 1);
            double[] rest = [.. geometry.Quaternion, .. geometry.Offset, .. geometry.Sform];
            for (var i = 0; i < 6; i++)
                Real((two ? 352 : 256) + step * i, rest[i]);
            for (var i = 0; i < 12; i++)
                Real((two ? 400 : 280) + step * i, rest[6 + i]);
            if (two)
            {
                Int32(344, geometry.QformCode);
                Int32(348, geometry.SformCode);
                return;
            }
            BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(252), (short)geometry.QformCode);
            BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(254), (short)geometry.SformCode);
        }

        private void Dim(int index, long value)
        {
            if (two)
                BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16 + 8 * index), value);
            else
                BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(40 + 2 * index), (short)value);
        }

        private void Int32(int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), value);

        private void Real(int at, double value)
        {
            if (two)
                BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(at), value);
            else
                BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(at), (float)value);
        }
    }
}
