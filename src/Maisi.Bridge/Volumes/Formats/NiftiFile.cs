using System.IO.Compression;

namespace Maisi.Bridge.Volumes;

/// <summary>NIfTI-1 and NIfTI-2: .nii, .nii.gz and .hdr/.img pairs.</summary>
internal static class NiftiFile
{
    /// <summary>Reads the header only.</summary>
    /// <exception cref="VolumeFormatException">Not NIfTI, or a damaged header.</exception>
    public static VolumeInfo ReadInfo(string path) => ReadHeader(path, out _).Info;

    /// <summary>Reads an image; values that the file scales come out scaled.</summary>
    /// <exception cref="VolumeFormatException">Not NIfTI, damaged, or cut short.</exception>
    public static Volume Read(string path)
    {
        var header = ReadHeader(path, out var gzip);
        if (!header.IsPair)
            return VoxelReader.Read(path, header.Info, header.VoxelOffset, gzip);
        var stem = path[..^Path.GetExtension(path).Length];
        var image = new[] { stem + ".img", stem + ".img.gz" }.FirstOrDefault(File.Exists)
            ?? throw new VolumeFormatException("the voxels of this header are missing", path, $"put {Path.GetFileName(stem)}.img beside it");
        return VoxelReader.Read(image, header.Info, header.VoxelOffset, packed: image.EndsWith(".gz", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Maps the voxels of an uncompressed little-endian file without scaling; reads any other.</summary>
    /// <exception cref="VolumeFormatException">Not NIfTI, damaged, or cut short.</exception>
    public static Volume Map(string path)
    {
        var header = ReadHeader(path, out var gzip);
        var (info, bytes) = (header.Info, header.Info.Grid.Count * header.Info.Channels * header.Info.StoredType.Size());
        if (gzip || header.IsPair || info.IsScaled || info.BigEndian || VolumeFile.LengthOf(path) != header.VoxelOffset + bytes)
            return Read(path);
        return info.StoredType switch
        {
            VoxelType.UInt8 => Map<byte>(path, header),
            VoxelType.Int16 => Map<short>(path, header),
            VoxelType.Int32 => Map<int>(path, header),
            VoxelType.Float32 => Map<float>(path, header),
            _ => Read(path),
        };
    }

    private static Volume Map<T>(string path, NiftiHeader header) where T : unmanaged =>
        Volume.Wrap(new MappedVoxels<T>(path, header.VoxelOffset, (int)(header.Info.Grid.Count * header.Info.Channels)).Memory, header.Info.Grid, header.Info.Channels);

    /// <summary>Writes a single file, compressed when the name ends in .gz; sform and qform have code 1.</summary>
    public static void Write(Volume volume, string path, string description = "Maisi.Bridge", CompressionLevel level = CompressionLevel.Fastest) =>
        AtomicFile.Write(path, stream => Write(volume, stream, path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? level : CompressionLevel.NoCompression, description));

    private static void Write(Volume volume, Stream stream, CompressionLevel level, string description)
    {
        ReadOnlyMemory<byte>[] parts = [NiftiHeader.Build(volume, description), .. VoxelBytes.Of(volume)];
        if (level != CompressionLevel.NoCompression)
        {
            GzipFile.Compress(stream, parts, level);
            return;
        }
        foreach (var part in parts)
            stream.Write(part.Span);
    }

    private static NiftiHeader ReadHeader(string path, out bool gzip)
    {
        if (path.EndsWith(".img", StringComparison.OrdinalIgnoreCase))
            path = path[..^4] + ".hdr";
        try
        {
            using var file = VolumeFile.Open(path);
            Span<byte> start = stackalloc byte[2];
            var count = file.ReadAtLeast(start, 2, throwOnEndOfStream: false);
            file.Position = 0;
            gzip = GzipFile.IsGzip(start[..count]);
            using var stream = gzip ? new GZipStream(file, CompressionMode.Decompress) : (Stream)file;
            Span<byte> header = stackalloc byte[NiftiHeader.Size2];
            var read = stream.ReadAtLeast(header, NiftiHeader.Size2, throwOnEndOfStream: false);
            if (read < 4 || NiftiHeader.Probe(header, out _) is not (> 0 and var size) || read < size)
                throw new VolumeFormatException("this is not a NIfTI file", path, "check that the file is an image and was copied whole");
            return NiftiHeader.Parse(header[..size], path);
        }
        catch (InvalidDataException e)
        {
            throw new VolumeFormatException("the gzip data are damaged", path, "copy or download the file again", e);
        }
    }
}
