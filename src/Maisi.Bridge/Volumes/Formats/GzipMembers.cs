using System.Buffers.Binary;
using System.IO.Compression;

namespace Maisi.Bridge.Volumes;

/// <summary>Reads gzip files that were written here, member by member on all cores.</summary>
internal static class GzipMembers
{
    private readonly record struct Member(long Start, int Length, long Position, int Size);

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
        if (List(file, start) is not { } members || members[^1].Position + members[^1].Size != offset + length || members.Any(m => m.Position < offset && m.Position + m.Size > offset))
            return false;
        var wanted = members.Where(m => m.Position >= offset).ToArray();
        try
        {
            Parallel.ForEach(wanted, member => Unpack(file, member, target(member.Position - offset, member.Size).Span));
        }
        catch (AggregateException e) when (e.InnerException is InvalidDataException or EndOfStreamException)
        {
            throw new InvalidDataException("a member is damaged", e.InnerException);
        }
        return true;
    }

    private static List<Member>? List(Microsoft.Win32.SafeHandles.SafeFileHandle file, long start)
    {
        var (members, end) = (new List<Member>(), RandomAccess.GetLength(file));
        Span<byte> header = stackalloc byte[GzipFile.HeaderLength];
        Span<byte> size = stackalloc byte[4];
        var position = 0L;
        for (var at = start; at < end;)
        {
            var length = RandomAccess.Read(file, header, at) < header.Length ? 0 : GzipFile.MemberLength(header);
            if (length <= header.Length + 8 || at + length > end)
                return null;
            RandomAccess.Read(file, size, at + length - 4);
            var unpacked = BinaryPrimitives.ReadInt32LittleEndian(size);
            if (unpacked < 0 || unpacked > (long)length * GzipFile.MaxRatio)
                return null;
            members.Add(new(at, length, position, unpacked));
            (at, position) = (at + length, position + unpacked);
        }
        return members.Count > 0 ? members : null;
    }

    private static void Unpack(Microsoft.Win32.SafeHandles.SafeFileHandle file, Member member, Span<byte> target)
    {
        var packed = new byte[member.Length];
        RandomAccess.Read(file, packed, member.Start);
        using var gzip = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
        gzip.ReadExactly(target);
        if (gzip.ReadByte() >= 0)
            throw new InvalidDataException("a member is longer than it says");
    }
}
