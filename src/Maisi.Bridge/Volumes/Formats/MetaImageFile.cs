using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Maisi.Bridge.Volumes;

/// <summary>
/// MetaImage of ITK (.mha, and .mhd with a .raw or .zraw file): raw and zlib, either byte order.
/// Source: itk.org/Wiki/ITK/MetaIO/Documentation.
/// </summary>
internal static class MetaImageFile
{
    private static readonly Dictionary<string, VoxelType> _types = new(StringComparer.OrdinalIgnoreCase)
    {
        ["MET_UCHAR"] = VoxelType.UInt8,
        ["MET_CHAR"] = VoxelType.Int8,
        ["MET_SHORT"] = VoxelType.Int16,
        ["MET_USHORT"] = VoxelType.UInt16,
        ["MET_INT"] = VoxelType.Int32,
        ["MET_UINT"] = VoxelType.UInt32,
        ["MET_LONG_LONG"] = VoxelType.Int64,
        ["MET_ULONG_LONG"] = VoxelType.UInt64,
        ["MET_FLOAT"] = VoxelType.Float32,
        ["MET_DOUBLE"] = VoxelType.Float64,
    };

    /// <summary>Reads the header only.</summary>
    public static VolumeInfo ReadInfo(string path) => Parse(path).Info;

    /// <summary>Reads an image.</summary>
    public static Volume Read(string path)
    {
        var (info, header) = Parse(path);
        var zlib = Flag(header, "CompressedData");
        var file = header.Get("ElementDataFile");
        return file == "LOCAL"
            ? VoxelReader.Read(path, info, 0, zlib, header.End)
            : VoxelReader.Read(header.Beside(file), info, 0, zlib);
    }

    /// <summary>Writes .mha with zlib voxels.</summary>
    public static void Write(Volume volume, string path) => AtomicFile.Write(path, stream =>
    {
        if (volume.Channels > 1)
            throw new MaisiException("an image of several channels cannot be written as MetaImage", path, "use .nii.gz");
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            foreach (var part in VoxelBytes.Of(volume))
                zlib.Write(part.Span);
        var spacing = volume.Spacing;
        string Direction(int c) => Join(volume.Affine.Column(c).Select((v, i) => (i < 2 ? -v : v) / spacing[c]));
        var text = $"""
            ObjectType = Image
            NDims = 3
            BinaryData = True
            BinaryDataByteOrderMSB = False
            CompressedData = True
            CompressedDataSize = {packed.Length}
            TransformMatrix = {Direction(0)} {Direction(1)} {Direction(2)}
            Offset = {Join(volume.Affine.Column(3).Select((v, i) => i < 2 ? -v : v))}
            CenterOfRotation = 0 0 0
            AnatomicalOrientation = RAI
            ElementSpacing = {Join(spacing)}
            DimSize = {volume.SizeX} {volume.SizeY} {volume.SizeZ}
            ElementType = {_types.First(t => t.Value == volume.Type).Key}
            ElementDataFile = LOCAL

            """;
        stream.Write(Encoding.ASCII.GetBytes(text.ReplaceLineEndings("\n")));
        packed.WriteTo(stream);
    });

    private static (VolumeInfo Info, TextHeader Header) Parse(string path)
    {
        var header = TextHeader.Read(path, '=', line => line.StartsWith("ElementDataFile", StringComparison.OrdinalIgnoreCase));
        if (header.Find("NDims") is null || header.Find("ElementDataFile") is null)
            throw new VolumeFormatException("this is not a MetaImage file", path);
        if (header.Get("NDims") != "3" || header.Find("ElementNumberOfChannels") is not (null or "1"))
            throw new VolumeFormatException("only images of three axes and one channel are supported", path);
        if (!_types.TryGetValue(header.Get("ElementType"), out var type))
            throw new VolumeFormatException($"the type '{header.Get("ElementType")}' is not supported", path);
        var size = header.Sizes("DimSize", 3);
        var spacing = header.Find("ElementSpacing") is { } s ? header.Numbers(s, 3) : header.Find("ElementSize") is { } e ? header.Numbers(e, 3) : [1, 1, 1];
        var m = (header.Find("TransformMatrix") ?? header.Find("Orientation") ?? header.Find("Rotation")) is { } t ? header.Numbers(t, 9) : [1, 0, 0, 0, 1, 0, 0, 0, 1];
        var origin = (header.Find("Offset") ?? header.Find("Position") ?? header.Find("Origin")) is { } o ? header.Numbers(o, 3) : [0, 0, 0];
        double[] Axis(int c) => [m[3 * c] * spacing[c], m[3 * c + 1] * spacing[c], m[3 * c + 2] * spacing[c]];
        var grid = new VolumeGrid(size[0], size[1], size[2], header.FromLps(Axis(0), Axis(1), Axis(2), origin));
        var big = Flag(header, "BinaryDataByteOrderMSB") || Flag(header, "ElementByteOrderMSB");
        return (new("MetaImage", type, type, grid, 1, 1, 0, big, "TransformMatrix", header.Find("Comment") ?? ""), header);
    }

    private static bool Flag(TextHeader header, string key) => string.Equals(header.Find(key), "True", StringComparison.OrdinalIgnoreCase);

    private static string Join(IEnumerable<double> values) => string.Join(' ', values.Select(v => v.ToString("R", CultureInfo.InvariantCulture)));
}
