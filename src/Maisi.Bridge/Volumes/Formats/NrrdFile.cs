using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Maisi.Bridge.Volumes;

/// <summary>
/// NRRD (.nrrd, .nhdr with a data file, 3D Slicer's .seg.nrrd): raw and gzip, either byte order, any of the three world spaces.
/// Source: teem.sourceforge.net/nrrd/format.html.
/// </summary>
internal static class NrrdFile
{
    private static readonly Dictionary<string, VoxelType> _types = new(StringComparer.OrdinalIgnoreCase)
    {
        ["uchar"] = VoxelType.UInt8,
        ["unsigned char"] = VoxelType.UInt8,
        ["uint8"] = VoxelType.UInt8,
        ["uint8_t"] = VoxelType.UInt8,
        ["signed char"] = VoxelType.Int8,
        ["int8"] = VoxelType.Int8,
        ["int8_t"] = VoxelType.Int8,
        ["short"] = VoxelType.Int16,
        ["signed short"] = VoxelType.Int16,
        ["int16"] = VoxelType.Int16,
        ["int16_t"] = VoxelType.Int16,
        ["ushort"] = VoxelType.UInt16,
        ["unsigned short"] = VoxelType.UInt16,
        ["uint16"] = VoxelType.UInt16,
        ["uint16_t"] = VoxelType.UInt16,
        ["int"] = VoxelType.Int32,
        ["signed int"] = VoxelType.Int32,
        ["int32"] = VoxelType.Int32,
        ["int32_t"] = VoxelType.Int32,
        ["uint"] = VoxelType.UInt32,
        ["unsigned int"] = VoxelType.UInt32,
        ["uint32"] = VoxelType.UInt32,
        ["uint32_t"] = VoxelType.UInt32,
        ["longlong"] = VoxelType.Int64,
        ["long long"] = VoxelType.Int64,
        ["int64"] = VoxelType.Int64,
        ["int64_t"] = VoxelType.Int64,
        ["uint64"] = VoxelType.UInt64,
        ["uint64_t"] = VoxelType.UInt64,
        ["float"] = VoxelType.Float32,
        ["double"] = VoxelType.Float64,
    };

    /// <summary>Reads the header only.</summary>
    public static VolumeInfo ReadInfo(string path) => Parse(path).Info;

    /// <summary>Reads an image.</summary>
    public static Volume Read(string path)
    {
        var (info, header) = Parse(path);
        var file = header.Find("data file") ?? header.Find("datafile");
        var gzip = header.Get("encoding") is "gzip" or "gz";
        return file is null
            ? VoxelReader.Read(path, info, 0, gzip, header.End)
            : VoxelReader.Read(header.Beside(file), info, 0, gzip);
    }

    /// <summary>Writes one file with gzip voxels; with a vocabulary (.seg.nrrd) also names and colours of the labels that occur.</summary>
    public static void Write(Volume volume, string path, LabelVocabulary? vocabulary = null) => AtomicFile.Write(path, stream =>
    {
        if (volume.Channels > 1)
            throw new MaisiException("an image of several channels cannot be written as NRRD", path, "use .nii.gz");
        var text = new StringBuilder("NRRD0004\n");
        text.Append("type: ").Append(volume.Type == VoxelType.Float32 ? "float" : volume.Type == VoxelType.Float64 ? "double" : volume.Type.Name()).Append('\n');
        text.Append("dimension: 3\nspace: left-posterior-superior\n");
        text.Append(CultureInfo.InvariantCulture, $"sizes: {volume.SizeX} {volume.SizeY} {volume.SizeZ}\n");
        text.Append(CultureInfo.InvariantCulture, $"space directions: {Lps(volume.Affine.Column(0))} {Lps(volume.Affine.Column(1))} {Lps(volume.Affine.Column(2))}\n");
        text.Append("kinds: domain domain domain\nendian: little\nencoding: gzip\n");
        text.Append(CultureInfo.InvariantCulture, $"space origin: {Lps(volume.Affine.Column(3))}\n");
        if (vocabulary is not null)
            Segments(text, volume, vocabulary);
        text.Append('\n');
        stream.Write(Encoding.UTF8.GetBytes(text.ToString()));
        GzipFile.Compress(stream, [.. VoxelBytes.Of(volume)], CompressionLevel.Fastest);
    });

    private static (VolumeInfo Info, TextHeader Header) Parse(string path)
    {
        var header = TextHeader.Read(path, ':', line => line.Length == 0);
        if (!header.First.StartsWith("NRRD000", StringComparison.Ordinal))
            throw new VolumeFormatException("this is not a NRRD file", path);
        if (header.Get("encoding") is not ("raw" or "gzip" or "gz"))
            throw new VolumeFormatException($"the encoding '{header.Get("encoding")}' is not supported", path, "write the file with raw or gzip encoding");
        if (!_types.TryGetValue(header.Get("type"), out var type))
            throw new VolumeFormatException($"the type '{header.Get("type")}' is not supported", path);
        if (header.Get("dimension") != "3")
            throw new VolumeFormatException($"the image has {header.Get("dimension")} axes; three are supported", path);
        foreach (var skip in new[] { "line skip", "lineskip", "byte skip", "byteskip" })
            if (header.Find(skip) is not (null or "0"))
                throw new VolumeFormatException($"'{skip}: {header.Find(skip)}' is not supported", path);
        var size = header.Sizes("sizes", 3);
        var grid = new VolumeGrid(size[0], size[1], size[2], Place(header, path));
        return (new("NRRD", type, type, grid, 1, 1, 0, header.Find("endian") == "big", header.Find("space") ?? "spacings", header.Find("content") ?? ""), header);
    }

    private static Affine Place(TextHeader header, string path)
    {
        if (header.Find("space directions") is not { } directions)
        {
            var spacing = header.Find("spacings") is { } text ? header.Numbers(text, 3) : [1, 1, 1];
            return header.FromLps([-spacing[0], 0, 0], [0, -spacing[1], 0], [0, 0, spacing[2]], [0, 0, 0]);
        }
        var d = header.Numbers(directions, 9);
        var o = header.Find("space origin") is { } origin ? header.Numbers(origin, 3) : [0, 0, 0];
        // Signs that turn the space of the file into LPS.
        double[] sign = header.Find("space")?.ToLowerInvariant() switch
        {
            "left-posterior-superior" or "lps" or null => [1, 1, 1],
            "right-anterior-superior" or "ras" => [-1, -1, 1],
            "left-anterior-superior" or "las" => [1, -1, 1],
            var other => throw new VolumeFormatException($"the space '{other}' is not supported", path, "use left-posterior-superior"),
        };
        double[] Turn(ReadOnlySpan<double> v) => [v[0] * sign[0], v[1] * sign[1], v[2] * sign[2]];
        return header.FromLps(Turn(d.AsSpan(0, 3)), Turn(d.AsSpan(3, 3)), Turn(d.AsSpan(6, 3)), Turn(o));
    }

    private static void Segments(StringBuilder text, Volume volume, LabelVocabulary vocabulary)
    {
        var index = 0;
        text.Append("Segmentation_MasterRepresentation:=Binary labelmap\nSegmentation_ContainedRepresentationNames:=Binary labelmap|\n");
        text.Append("Segmentation_ReferenceImageExtentOffset:=0 0 0\n");
        foreach (var label in volume.CountLabels().Keys.Where(k => k != 0))
        {
            var (name, color) = vocabulary.Describe(label);
            var segment = $"Segment{index++}";
            text.Append(CultureInfo.InvariantCulture, $"{segment}_ID:=Segment_{label}\n{segment}_Name:={name}\n{segment}_LabelValue:={label}\n{segment}_Layer:=0\n");
            text.Append(CultureInfo.InvariantCulture, $"{segment}_Color:={color.R / 255.0:0.######} {color.G / 255.0:0.######} {color.B / 255.0:0.######}\n");
            text.Append(CultureInfo.InvariantCulture, $"{segment}_Extent:=0 {volume.SizeX - 1} 0 {volume.SizeY - 1} 0 {volume.SizeZ - 1}\n");
        }
    }

    private static string Lps(double[] v) => string.Create(CultureInfo.InvariantCulture, $"({-v[0]:R},{-v[1]:R},{v[2]:R})");
}
