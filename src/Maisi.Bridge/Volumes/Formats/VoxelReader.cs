using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Maisi.Bridge.Volumes;

/// <summary>Reads the voxels of a file whose header is known: raw or gzip, either byte order, with scaling.</summary>
internal static class VoxelReader
{
    /// <summary>Reads the voxels that <paramref name="info"/> describes from byte <paramref name="offset"/> of the (unpacked) file.</summary>
    /// <exception cref="VolumeFormatException">The file is too short or broken, holds more than it says, or could never hold as much.</exception>
    /// <param name="path">The file.</param>
    /// <param name="info">What its header says.</param>
    /// <param name="offset">First voxel, in the unpacked data.</param>
    /// <param name="packed">The data are gzip or zlib.</param>
    /// <param name="start">First byte of the data in the file.</param>
    public static Volume Read(string path, VolumeInfo info, long offset, bool packed, long start = 0)
    {
        var length = VolumeFile.LengthOf(path) - start;
        var bytes = info.Grid.Count * info.Channels * info.StoredType.Size();
        var most = packed ? length * GzipFile.MaxRatio : length;
        if (offset + bytes > most)
            throw new VolumeFormatException($"the header says {info.Grid} voxels ({offset + bytes} bytes); a file of {length} bytes cannot hold them", path, "the file was cut short, or its header is damaged");
        return info.StoredType switch
        {
            VoxelType.UInt8 => Read<byte>(path, info, offset, packed, start),
            VoxelType.Int8 => Read<sbyte>(path, info, offset, packed, start),
            VoxelType.Int16 => Read<short>(path, info, offset, packed, start),
            VoxelType.UInt16 => Read<ushort>(path, info, offset, packed, start),
            VoxelType.Int32 => Read<int>(path, info, offset, packed, start),
            VoxelType.UInt32 => Read<uint>(path, info, offset, packed, start),
            VoxelType.Int64 => Read<long>(path, info, offset, packed, start),
            VoxelType.UInt64 => Read<ulong>(path, info, offset, packed, start),
            VoxelType.Float32 => Read<float>(path, info, offset, packed, start),
            _ => Read<double>(path, info, offset, packed, start),
        };
    }

    private static Volume Read<T>(string path, VolumeInfo info, long offset, bool packed, long start) where T : unmanaged, INumber<T>
    {
        var voxels = GC.AllocateUninitializedArray<T>(checked((int)(info.Grid.Count * info.Channels)));
        try
        {
            if (!packed || !GzipBlocks.TryRead(path, start, offset, (long)voxels.Length * Unsafe.SizeOf<T>(), (at, count) => VoxelBytes.Part(voxels, at, count)))
                ReadInOrder(path, offset, packed, start, voxels);
        }
        catch (Exception e) when (e is IOException or InvalidDataException) // zlib's own errors are IOExceptions
        {
            throw new VolumeFormatException("the voxels end too early or are damaged", path, "copy or download the file again", e);
        }
        if (info.BigEndian == BitConverter.IsLittleEndian && info.StoredType.Size() > 1)
            Swap(voxels.AsSpan());
        if (!info.IsScaled)
            return Volume.Wrap<T>(voxels, info.Grid, info.Channels);
        return info.Type == VoxelType.Float32
            ? Volume.Wrap<float>(Scale<T, float>(voxels, info), info.Grid, info.Channels)
            : Volume.Wrap<double>(Scale<T, double>(voxels, info), info.Grid, info.Channels);
    }

    private static void ReadInOrder<T>(string path, long offset, bool packed, long start, T[] voxels) where T : unmanaged
    {
        using var file = VolumeFile.Open(path);
        file.Position = start;
        using var stream = packed ? Unpack(file) : file;
        var pages = packed ? FreshPages.Provide(voxels) : Task.CompletedTask;
        try
        {
            Skip(stream, offset);
            Fill(stream, voxels.AsSpan());
            RefuseRest(stream, path);
        }
        finally
        {
            pages.Wait();
        }
    }

    // zlib (MetaImage) starts with 0x78, gzip with 0x1f.
    private static Stream Unpack(FileStream file)
    {
        var first = file.ReadByte();
        file.Position = Math.Max(0, file.Position - 1);
        return first == 0x78 ? new ZLibStream(file, CompressionMode.Decompress) : new GZipStream(file, CompressionMode.Decompress);
    }

    private static void Fill<T>(Stream stream, Span<T> voxels) where T : unmanaged
    {
        // Pieces keep the byte count of one read below 2 GiB.
        const int piece = 1 << 24;
        for (var at = 0; at < voxels.Length; at += piece)
            stream.ReadExactly(MemoryMarshal.AsBytes(voxels.Slice(at, Math.Min(piece, voxels.Length - at))));
    }

    private static void Skip(Stream stream, long count)
    {
        var scratch = new byte[Math.Min(count, 1 << 16)];
        while (count > 0)
        {
            var part = (int)Math.Min(count, scratch.Length);
            stream.ReadExactly(scratch, 0, part);
            count -= part;
        }
    }

    // Zero padding to a disk block is harmless; anything else means that the header describes another image.
    private static void RefuseRest(Stream stream, string path)
    {
        const int padding = 4096;
        Span<byte> rest = stackalloc byte[padding + 1];
        var count = stream.ReadAtLeast(rest, rest.Length, throwOnEndOfStream: false);
        if (count > padding || rest[..count].ContainsAnyExcept((byte)0))
            throw new VolumeFormatException("the file holds more data after its last voxel", path, "its header describes a smaller image than the file holds; check the size");
    }

    private static TTo[] Scale<T, TTo>(T[] voxels, VolumeInfo info) where T : unmanaged, INumber<T> where TTo : unmanaged, INumber<TTo>
    {
        var scaled = GC.AllocateUninitializedArray<TTo>(voxels.Length);
        for (var i = 0; i < scaled.Length; i++)
            scaled[i] = TTo.CreateTruncating(double.CreateTruncating(voxels[i]) * info.Slope + info.Intercept);
        return scaled;
    }

    private static void Swap<T>(Span<T> voxels) where T : unmanaged
    {
        switch (voxels.Length == 0 ? 1 : MemoryMarshal.AsBytes(voxels[..1]).Length)
        {
            case 2:
                var shorts = MemoryMarshal.Cast<T, short>(voxels);
                BinaryPrimitives.ReverseEndianness(shorts, shorts);
                break;
            case 4:
                var ints = MemoryMarshal.Cast<T, int>(voxels);
                BinaryPrimitives.ReverseEndianness(ints, ints);
                break;
            case 8:
                var longs = MemoryMarshal.Cast<T, long>(voxels);
                BinaryPrimitives.ReverseEndianness(longs, longs);
                break;
        }
    }
}
