using System.Buffers.Binary;
using System.IO.Compression;

namespace Maisi.Bridge.Volumes;

/// <summary>
/// Gzip for large volumes. Writing makes one member per block on all cores (RFC 1952 allows members one after another; every reader
/// that uses zlib's gzread or Python's gzip reads them); each member's extra field gives its length, so that reading is parallel too.
/// </summary>
internal static class GzipFile
{
    /// <summary>Deflate cannot expand further than this (zlib's technical notes); a claimed size above it is false.</summary>
    public const int MaxRatio = 1032;

    private const int Block = 4 << 20;
    private static ReadOnlySpan<byte> FieldId => "MB"u8; // subfield: 4-byte length of the whole member

    /// <summary>True when the file starts as gzip does.</summary>
    public static bool IsGzip(ReadOnlySpan<byte> start) => start.Length >= 2 && start[0] == 0x1f && start[1] == 0x8b;

    /// <summary>Compresses <paramref name="parts"/>, one after another, into <paramref name="target"/>.</summary>
    public static void Compress(Stream target, IReadOnlyList<ReadOnlyMemory<byte>> parts, CompressionLevel level)
    {
        var blocks = parts.SelectMany(Split).ToArray();
        var workers = Environment.ProcessorCount;
        for (var first = 0; first < blocks.Length; first += workers)
        {
            var members = new MemoryStream[Math.Min(workers, blocks.Length - first)];
            Parallel.For(0, members.Length, i => members[i] = Member(blocks[first + i], level));
            foreach (var member in members)
                member.WriteTo(target);
        }
    }

    /// <summary>Length of the member at the start of <paramref name="header"/> when it was written here, else 0.</summary>
    public static int MemberLength(ReadOnlySpan<byte> header) =>
        header.Length >= HeaderLength && IsGzip(header) && header[3] == 4 && header[10] == 8 && header[11] == 0 && header[12..14].SequenceEqual(FieldId)
            ? BinaryPrimitives.ReadInt32LittleEndian(header[16..]) : 0;

    /// <summary>Bytes of the header of a member that was written here.</summary>
    public const int HeaderLength = 20;

    private static IEnumerable<ReadOnlyMemory<byte>> Split(ReadOnlyMemory<byte> part)
    {
        for (var at = 0; at < part.Length; at += Block)
            yield return part.Slice(at, Math.Min(Block, part.Length - at));
    }

    private static MemoryStream Member(ReadOnlyMemory<byte> block, CompressionLevel level)
    {
        var output = new MemoryStream(block.Length / 4 + 1024);
        // GZipStream writes a ten-byte header; ten bytes are left before it for the extra field.
        output.Position = HeaderLength - 10;
        using (var gzip = new GZipStream(output, level, leaveOpen: true))
            gzip.Write(block.Span);
        var bytes = output.GetBuffer().AsSpan(0, (int)output.Length);
        bytes.Slice(HeaderLength - 10, 10).CopyTo(bytes);
        bytes[3] = 4; // FEXTRA
        BinaryPrimitives.WriteInt16LittleEndian(bytes[10..], 8);
        FieldId.CopyTo(bytes[12..]);
        BinaryPrimitives.WriteInt16LittleEndian(bytes[14..], 4);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[16..], bytes.Length);
        return output;
    }
}
