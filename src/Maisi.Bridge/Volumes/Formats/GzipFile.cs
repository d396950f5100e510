using System.Buffers.Binary;
using System.IO.Compression;

namespace Maisi.Bridge.Volumes;

/// <summary>
/// Gzip for large volumes. Blocks are deflated on all cores, each without a look at the one before, end on a whole byte (a sync flush), and
/// are joined into one member: browsers unpack no more than one. Its extra field lists the blocks, so that reading is parallel too. The
/// bytes do not depend on the number of cores.
/// </summary>
internal static class GzipFile
{
    /// <summary>Deflate cannot expand further than this (zlib's technical notes); a claimed size above it is false.</summary>
    public const int MaxRatio = 1032;

    /// <summary>Bytes of a member's header before an extra field, of one here without its blocks, and of a block in it: packed bytes, bytes, CRC.</summary>
    public const int PlainHeader = 10, Header = 16, Entry = 12;

    /// <summary>Bytes after the last block: <see cref="LastBlock"/>, the CRC, and the size modulo 2^32.</summary>
    public const int Trailer = 10;

    private const int Block = 4 << 20;

    /// <summary>The start of every member here: deflate with an extra field, no time, no system.</summary>
    public static ReadOnlySpan<byte> Start => [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255];

    /// <summary>Name of the subfield with the blocks.</summary>
    public static ReadOnlySpan<byte> FieldId => "MI"u8;

    /// <summary>An empty deflate block that is the last one.</summary>
    public static ReadOnlySpan<byte> LastBlock => [3, 0];

    /// <summary>True when the file starts as gzip does.</summary>
    public static bool IsGzip(ReadOnlySpan<byte> start) => start.Length >= 2 && start[0] == 0x1f && start[1] == 0x8b;

    /// <summary>Compresses <paramref name="parts"/>, one after another, into <paramref name="target"/>, which can seek.</summary>
    public static void Compress(Stream target, IReadOnlyList<ReadOnlyMemory<byte>> parts, CompressionLevel level)
    {
        var blocks = parts.SelectMany(Split).ToArray();
        var (start, crc, size) = (target.Position, 0u, 0L);
        var header = new byte[Header + blocks.Length * Entry];
        Start.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(PlainHeader), checked((ushort)(header.Length - PlainHeader - 2)));
        FieldId.CopyTo(header.AsSpan(PlainHeader + 2));
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(PlainHeader + 4), (ushort)(header.Length - Header));
        target.Write(header);
        var workers = Environment.ProcessorCount;
        for (var first = 0; first < blocks.Length; first += workers)
        {
            var packed = new (ReadOnlyMemory<byte> Bytes, uint Crc)[Math.Min(workers, blocks.Length - first)];
            Parallel.For(0, packed.Length, i => packed[i] = Pack(blocks[first + i], level));
            for (var i = 0; i < packed.Length; i++)
            {
                target.Write(packed[i].Bytes.Span);
                var entry = header.AsSpan(Header + (first + i) * Entry);
                var length = blocks[first + i].Length;
                BinaryPrimitives.WriteInt32LittleEndian(entry, packed[i].Bytes.Length);
                BinaryPrimitives.WriteInt32LittleEndian(entry[4..], length);
                BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], packed[i].Crc);
                (crc, size) = (Join(crc, packed[i].Crc, length), size + length);
            }
        }
        target.Write(LastBlock);
        Span<byte> end = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(end, crc);
        BinaryPrimitives.WriteUInt32LittleEndian(end[4..], (uint)size);
        target.Write(end);
        var after = target.Position;
        target.Position = start;
        target.Write(header);
        target.Position = after;
    }

    /// <summary>
    /// The CRC of two pieces, one after the other, of theirs: CRCs are remainders of polynomials over GF(2), lowest bit first, so that the
    /// first one is multiplied by x to the power of the second piece's bits.
    /// </summary>
    public static uint Join(uint first, uint second, int bytesOfSecond)
    {
        const uint one = 1u << 31, x8 = 1u << 23;
        var power = one;
        for (var (square, n) = (x8, bytesOfSecond); n > 0; (square, n) = (Multiply(square, square), n >> 1))
            power = (n & 1) == 1 ? Multiply(power, square) : power;
        return Multiply(first, power) ^ second;
    }

    private static uint Multiply(uint a, uint b)
    {
        const uint polynomial = 0xedb88320;
        var product = 0u;
        for (; a != 0; a <<= 1, b = (b >> 1) ^ ((b & 1) == 1 ? polynomial : 0))
            product ^= (int)a < 0 ? b : 0;
        return product;
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Split(ReadOnlyMemory<byte> part)
    {
        for (var at = 0; at < part.Length; at += Block)
            yield return part.Slice(at, Math.Min(Block, part.Length - at));
    }

    // zlib makes a member of the block: what follows its header up to the flush is wanted, and the CRC of its end.
    private static (ReadOnlyMemory<byte> Bytes, uint Crc) Pack(ReadOnlyMemory<byte> block, CompressionLevel level)
    {
        var output = new MemoryStream(block.Length / 4 + 1024);
        int end;
        using (var gzip = new GZipStream(output, level, leaveOpen: true))
        {
            gzip.Write(block.Span);
            gzip.Flush();
            end = (int)output.Length;
        }
        var bytes = output.GetBuffer().AsMemory(0, (int)output.Length);
        return (bytes[PlainHeader..end], BinaryPrimitives.ReadUInt32LittleEndian(bytes.Span[^8..]));
    }
}
