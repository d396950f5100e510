// Format: PKWARE APPNOTE 6.3; the padding follows caffe2/serialize/inline_container.cc (PyTorch 2.6).
using System.Buffers.Binary;
using System.Text;

namespace Maisi.Bridge.Checkpoints;

/// <summary>Writes a zip archive of stored entries whose contents begin at multiples of 64 bytes, as PyTorch does. Large files are zip64.</summary>
internal sealed class ZipWriter(Stream stream)
{
    private const int Alignment = 64, LocalBytes = 30, Extra64Bytes = 20, PaddingHeader = 4;
    private const ushort Version45 = 45, Utf8Names = 0x800, Zip64Id = 1, PaddingId = 0x4246;
    private readonly List<(byte[] Name, long Offset, long Size, uint Crc)> _entries = [];

    /// <summary>Adds an entry whose bytes <paramref name="write"/> produces; it is called twice and must do the same each time.</summary>
    public void Add(string name, long size, Action<TensorBytes.Sink> write)
    {
        var crc = Crc32.Start;
        write(bytes => crc = Crc32.Update(crc, bytes));
        var entry = (Name: Encoding.UTF8.GetBytes(name), Offset: stream.Position, Size: size, Crc: Crc32.Finish(crc));
        var beforePadding = stream.Position + LocalBytes + entry.Name.Length + Extra64Bytes + PaddingHeader;
        var padding = (int)((Alignment - (beforePadding % Alignment)) % Alignment);
        var header = new byte[LocalBytes + entry.Name.Length + Extra64Bytes + PaddingHeader + padding];
        Write32(header, 0, 0x04034b50);
        Write16(header, 4, Version45);
        Write16(header, 6, Utf8Names);
        Write32(header, 14, entry.Crc);
        Write32(header, 18, uint.MaxValue);
        Write32(header, 22, uint.MaxValue);
        Write16(header, 26, (ushort)entry.Name.Length);
        Write16(header, 28, (ushort)(Extra64Bytes + PaddingHeader + padding));
        entry.Name.CopyTo(header, LocalBytes);
        var extra = LocalBytes + entry.Name.Length;
        Write16(header, extra, Zip64Id);
        Write16(header, extra + 2, 16);
        Write64(header, extra + 4, size);
        Write64(header, extra + 12, size);
        Write16(header, extra + Extra64Bytes, PaddingId);
        Write16(header, extra + Extra64Bytes + 2, (ushort)padding);
        stream.Write(header);
        write(stream.Write);
        _entries.Add(entry);
    }

    /// <summary>Adds an entry that is in memory.</summary>
    public void Add(string name, byte[] content) => Add(name, content.Length, sink => sink(content));

    /// <summary>Writes the central directory.</summary>
    public void Finish()
    {
        var start = stream.Position;
        foreach (var (name, offset, size, crc) in _entries)
        {
            var central = new byte[46 + name.Length + 28];
            Write32(central, 0, 0x02014b50);
            Write16(central, 4, Version45);
            Write16(central, 6, Version45);
            Write16(central, 8, Utf8Names);
            Write32(central, 16, crc);
            Write32(central, 20, uint.MaxValue);
            Write32(central, 24, uint.MaxValue);
            Write16(central, 28, (ushort)name.Length);
            Write16(central, 30, 28);
            Write32(central, 42, uint.MaxValue);
            name.CopyTo(central, 46);
            Write16(central, 46 + name.Length, Zip64Id);
            Write16(central, 48 + name.Length, 24);
            Write64(central, 50 + name.Length, size);
            Write64(central, 58 + name.Length, size);
            Write64(central, 66 + name.Length, offset);
            stream.Write(central);
        }
        WriteEnd(start, stream.Position - start);
    }

    private void WriteEnd(long directory, long size)
    {
        var end = new byte[56 + 20 + 22];
        Write32(end, 0, 0x06064b50);
        Write64(end, 4, 44);
        Write16(end, 12, Version45);
        Write16(end, 14, Version45);
        Write64(end, 24, _entries.Count);
        Write64(end, 32, _entries.Count);
        Write64(end, 40, size);
        Write64(end, 48, directory);
        Write32(end, 56, 0x07064b50);
        Write64(end, 64, directory + size);
        Write32(end, 72, 1);
        Write32(end, 76, 0x06054b50);
        Write16(end, 84, ushort.MaxValue);
        Write16(end, 86, ushort.MaxValue);
        Write32(end, 88, uint.MaxValue);
        Write32(end, 92, uint.MaxValue);
        stream.Write(end);
    }

    private static void Write16(byte[] bytes, int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at), value);

    private static void Write32(byte[] bytes, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), value);

    private static void Write64(byte[] bytes, int at, long value) => BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), value);
}
