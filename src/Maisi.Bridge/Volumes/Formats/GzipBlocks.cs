using System.Buffers.Binary;
using System.IO.Compression;
using Microsoft.Win32.SafeHandles;

namespace Maisi.Bridge.Volumes;

/// <summary>Reads gzip files that were written here, block by block on all cores.</summary>
internal static class GzipBlocks
{
    private readonly record struct Block(long Start, int Packed, long Position, int Size, uint Crc);

    /// <summary>
    /// Fills <paramref name="target"/> with the unpacked bytes from <paramref name="offset"/> on; false when the file is gzip of another
    /// kind, and nothing was read.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="start">First byte of the gzip data.</param>
    /// <param name="offset">Unpacked bytes to leave out.</param>
    /// <param name="length">Bytes wanted; the data must end there.</param>
    /// <param name="target">Gives the place of a piece of the result: first byte and count.</param>
    /// <exception cref="InvalidDataException">The data are damaged.</exception>
    public static bool TryRead(string path, long start, long offset, long length, Func<long, int, Memory<byte>> target)
    {
        using var file = File.OpenHandle(path);
        if (List(file, start) is not { } blocks || blocks[^1].Position + blocks[^1].Size != offset + length || blocks.Any(b => b.Position < offset && b.Position + b.Size > offset))
            return false;
        var wanted = blocks.Where(b => b.Position >= offset).ToArray();
        try
        {
            Parallel.ForEach(wanted, block => Unpack(file, block, target(block.Position - offset, block.Size).Span));
        }
        catch (AggregateException e) when (e.InnerException is InvalidDataException or EndOfStreamException)
        {
            throw new InvalidDataException("a block is damaged", e.InnerException);
        }
        return true;
    }

    // Null unless the list of blocks agrees with the file's length and with the CRC and size at its end.
    private static List<Block>? List(SafeFileHandle file, long start)
    {
        var header = new byte[GzipFile.Header];
        if (RandomAccess.Read(file, header, start) < header.Length || !header.AsSpan().StartsWith(GzipFile.Start) || !header.AsSpan(GzipFile.PlainHeader + 2, 2).SequenceEqual(GzipFile.FieldId))
            return null;
        var (extra, bytes) = (BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(GzipFile.PlainHeader)), BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(GzipFile.PlainHeader + 4)));
        var entries = new byte[bytes];
        if (extra != bytes + 4 || bytes % GzipFile.Entry != 0 || RandomAccess.Read(file, entries, start + header.Length) < bytes)
            return null;
        var (blocks, at, position, crc) = (new List<Block>(), start + header.Length + bytes, 0L, 0u);
        for (var entry = entries.AsSpan(); entry.Length > 0; entry = entry[GzipFile.Entry..])
        {
            var block = new Block(at, BinaryPrimitives.ReadInt32LittleEndian(entry), position, BinaryPrimitives.ReadInt32LittleEndian(entry[4..]), BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]));
            if (block.Packed <= 0 || block.Size <= 0 || block.Size > (long)block.Packed * GzipFile.MaxRatio)
                return null;
            blocks.Add(block);
            (at, position, crc) = (at + block.Packed, position + block.Size, GzipFile.Join(crc, block.Crc, block.Size));
        }
        Span<byte> end = stackalloc byte[GzipFile.Trailer];
        // zlib would not miss an end that holds no voxels.
        if (RandomAccess.GetLength(file) < at + end.Length)
            throw new InvalidDataException("the file was cut short");
        return blocks.Count > 0 && RandomAccess.GetLength(file) == at + end.Length && RandomAccess.Read(file, end, at) == end.Length && end.StartsWith(GzipFile.LastBlock)
            && BinaryPrimitives.ReadUInt32LittleEndian(end[2..]) == crc && BinaryPrimitives.ReadUInt32LittleEndian(end[6..]) == (uint)position ? blocks : null;
    }

    // A member is made of the block again, so that zlib checks its CRC.
    private static void Unpack(SafeFileHandle file, Block block, Span<byte> target)
    {
        var member = new byte[GzipFile.PlainHeader + block.Packed + GzipFile.Trailer];
        GzipFile.Start.CopyTo(member);
        member[3] = 0; // no extra field
        RandomAccess.Read(file, member.AsSpan(GzipFile.PlainHeader, block.Packed), block.Start);
        var end = member.AsSpan(GzipFile.PlainHeader + block.Packed);
        GzipFile.LastBlock.CopyTo(end);
        BinaryPrimitives.WriteUInt32LittleEndian(end[2..], block.Crc);
        BinaryPrimitives.WriteInt32LittleEndian(end[6..], block.Size);
        using var gzip = new GZipStream(new MemoryStream(member), CompressionMode.Decompress);
        gzip.ReadExactly(target);
        if (gzip.ReadByte() >= 0)
            throw new InvalidDataException("a block is longer than it says");
    }
}
