using Microsoft.Win32.SafeHandles;

namespace Maisi.Bridge.Checkpoints;

/// <summary>A range of bytes of an open file.</summary>
/// <param name="Handle">The open file.</param>
/// <param name="Path">Its name, for errors.</param>
/// <param name="FileLength">Length of the whole file in bytes.</param>
/// <param name="Start">First byte of the range.</param>
/// <param name="Length">Bytes of the range.</param>
internal sealed record FileRegion(SafeFileHandle Handle, string Path, long FileLength, long Start, long Length)
{
    /// <summary>The whole of a file.</summary>
    public static FileRegion Whole(SafeFileHandle handle, string path)
    {
        var length = RandomAccess.GetLength(handle);
        return new FileRegion(handle, path, length, 0, length);
    }

    /// <summary>A range within this one.</summary>
    /// <exception cref="CheckpointException">It reaches outside.</exception>
    public FileRegion Slice(long start, long length)
    {
        if (start < 0 || length < 0 || start > Length || length > Length - start)
            throw new CheckpointException($"the file says that {length} bytes lie at {start}, but there are only {Length}", Path, "the file is cut off or damaged: get it again");
        return this with { Start = Start + start, Length = length };
    }

    /// <summary>Fills <paramref name="destination"/> from <paramref name="offset"/> within the range.</summary>
    /// <exception cref="CheckpointException">The range or the file ends before.</exception>
    public void Read(long offset, Span<byte> destination)
    {
        if (offset < 0 || offset > Length || destination.Length > Length - offset)
            throw new CheckpointException($"{destination.Length} bytes were expected at {offset}, but there are only {Length}", Path, "the file is cut off or damaged: get it again");
        while (destination.Length > 0)
        {
            var read = RandomAccess.Read(Handle, destination, Start + offset);
            if (read == 0)
                throw new CheckpointException("the file became shorter while it was read", Path);
            destination = destination[read..];
            offset += read;
        }
    }

    /// <summary>The whole range in memory; meant for headers.</summary>
    public byte[] ReadAll()
    {
        if (Length > int.MaxValue / 2)
            throw new CheckpointException($"a header of {Length} bytes is too large", Path);
        var bytes = new byte[Length];
        Read(0, bytes);
        return bytes;
    }
}
