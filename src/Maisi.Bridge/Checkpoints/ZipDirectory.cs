// Format: PKWARE APPNOTE 6.3.
using System.Buffers.Binary;
using System.Text;

namespace Maisi.Bridge.Checkpoints;

/// <summary>The entries of a zip file and where their bytes lie. Only stored (uncompressed) entries can be read in place.</summary>
internal sealed class ZipDirectory
{
    private const int EndRecordBytes = 22, CentralBytes = 46, LocalBytes = 30, MaxComment = 0xffff;
    private const uint EndSignature = 0x06054b50, CentralSignature = 0x02014b50, LocalSignature = 0x04034b50, End64Signature = 0x06064b50, Locator64Signature = 0x07064b50;
    private readonly FileRegion _file;
    private readonly Dictionary<string, (long LocalHeader, long Size, bool Stored)> _entries = new(StringComparer.Ordinal);

    /// <summary>Reads the central directory.</summary>
    /// <exception cref="CheckpointException">There is none, or it is damaged.</exception>
    public ZipDirectory(FileRegion file)
    {
        _file = file;
        var (offset, size, count) = FindCentralDirectory();
        var directory = file.Slice(offset, size).ReadAll();
        var at = 0;
        for (long i = 0; i < count; i++)
            at = ReadEntry(directory, at);
    }

    /// <summary>Names of the entries.</summary>
    public IEnumerable<string> Names => _entries.Keys;

    /// <summary>Whether there is an entry of this name.</summary>
    public bool Contains(string name) => _entries.ContainsKey(name);

    /// <summary>The bytes of an entry.</summary>
    /// <exception cref="CheckpointException">It is missing, compressed or damaged.</exception>
    public FileRegion Open(string name)
    {
        if (!_entries.TryGetValue(name, out var entry))
            throw new CheckpointException($"the archive has no entry '{name}'", _file.Path, "the file is damaged, or was not written by torch.save");
        if (!entry.Stored)
            throw new CheckpointException($"entry '{name}' is compressed, which torch.save never does", _file.Path, "load and save it again with torch.save");
        var header = _file.Slice(entry.LocalHeader, LocalBytes).ReadAll();
        if (Read32(header, 0) != LocalSignature)
            throw Damaged($"entry '{name}' does not begin where the directory says");
        return _file.Slice(entry.LocalHeader + LocalBytes + Read16(header, 26) + Read16(header, 28), entry.Size);
    }

    private (long Offset, long Size, long Count) FindCentralDirectory()
    {
        var tailLength = Math.Min(_file.Length, EndRecordBytes + MaxComment);
        var tail = _file.Slice(_file.Length - tailLength, tailLength).ReadAll();
        for (var at = tail.Length - EndRecordBytes; at >= 0; at--)
        {
            if (Read32(tail, at) != EndSignature)
                continue;
            long count = Read16(tail, at + 10), size = Read32(tail, at + 12), offset = Read32(tail, at + 16);
            var needs64 = count == 0xffff || size == uint.MaxValue || offset == uint.MaxValue;
            return needs64 ? FindZip64(_file.Length - tailLength + at) : (offset, size, count);
        }
        throw Damaged("there is no central directory: the file is cut off");
    }

    private (long Offset, long Size, long Count) FindZip64(long endRecord)
    {
        var locator = _file.Slice(endRecord - 20, 20).ReadAll();
        if (Read32(locator, 0) != Locator64Signature)
            throw Damaged("the zip64 locator is missing");
        var record = _file.Slice(Read64(locator, 8), 56).ReadAll();
        if (Read32(record, 0) != End64Signature)
            throw Damaged("the zip64 record is missing");
        return (Read64(record, 48), Read64(record, 40), Read64(record, 32));
    }

    private int ReadEntry(byte[] directory, int at)
    {
        if (at > directory.Length - CentralBytes || Read32(directory, at) != CentralSignature)
            throw Damaged("the central directory ends too early");
        int nameLength = Read16(directory, at + 28), extraLength = Read16(directory, at + 30), commentLength = Read16(directory, at + 32);
        if (CentralBytes + nameLength + extraLength + commentLength > directory.Length - at)
            throw Damaged("the central directory ends too early");
        long compressed = Read32(directory, at + 20), size = Read32(directory, at + 24), offset = Read32(directory, at + 42);
        ReadExtra64(directory.AsSpan(at + CentralBytes + nameLength, extraLength), ref size, ref compressed, ref offset);
        var name = Encoding.UTF8.GetString(directory, at + CentralBytes, nameLength);
        _entries[name] = (offset, size, Read16(directory, at + 10) == 0 && size == compressed);
        return at + CentralBytes + nameLength + extraLength + commentLength;
    }

    /// <summary>64-bit sizes and offset, present in this order for every field that is all ones.</summary>
    private void ReadExtra64(ReadOnlySpan<byte> extra, ref long size, ref long compressed, ref long offset)
    {
        while (extra.Length >= 4)
        {
            int id = BinaryPrimitives.ReadUInt16LittleEndian(extra), length = BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]);
            if (length > extra.Length - 4)
                throw Damaged("an extra field is too long");
            var body = extra.Slice(4, length);
            if (id == 1)
            {
                Take64(ref body, ref size);
                Take64(ref body, ref compressed);
                Take64(ref body, ref offset);
            }
            extra = extra[(4 + length)..];
        }
    }

    private static void Take64(ref ReadOnlySpan<byte> body, ref long field)
    {
        if (field != uint.MaxValue || body.Length < 8)
            return;
        field = BinaryPrimitives.ReadInt64LittleEndian(body);
        body = body[8..];
    }

    private static int Read16(byte[] bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));

    private static uint Read32(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));

    private static long Read64(byte[] bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at));

    private CheckpointException Damaged(string what) => new($"not a valid archive: {what}", _file.Path, "the file is cut off or damaged: get it again");
}
