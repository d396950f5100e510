using System.Buffers.Binary;
using System.IO.Compression;

namespace Maisi.Bridge.Volumes;

/// <summary>Writes pictures as PNG (8-bit RGB). Source: W3C "Portable Network Graphics", second edition.</summary>
public static class PngFile
{
    private static readonly uint[] _crc = [.. Enumerable.Range(0, 256).Select(i =>
    {
        var c = (uint)i;
        for (var k = 0; k < 8; k++)
            c = (c & 1) != 0 ? 0xedb88320 ^ (c >> 1) : c >> 1;
        return c;
    })];

    /// <summary>Writes a file.</summary>
    /// <exception cref="MaisiException">The disk refused.</exception>
    public static void Write(Raster picture, string path) => AtomicFile.Write(path, stream => Write(picture, stream));

    /// <summary>Writes to a stream.</summary>
    public static void Write(Raster picture, Stream stream)
    {
        stream.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, picture.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), picture.Height);
        (header[8], header[9]) = (8, 2);
        Chunk(stream, "IHDR"u8, header);
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            var line = new byte[1 + picture.Width * 3];
            for (var y = 0; y < picture.Height; y++)
            {
                // Filter 1: each byte minus the one of the pixel to its left.
                line[0] = 1;
                var left = default(Rgb);
                var row = picture.Row(y);
                for (var x = 0; x < row.Length; x++)
                {
                    (line[1 + 3 * x], line[2 + 3 * x], line[3 + 3 * x]) = ((byte)(row[x].R - left.R), (byte)(row[x].G - left.G), (byte)(row[x].B - left.B));
                    left = row[x];
                }
                zlib.Write(line);
            }
        }
        Chunk(stream, "IDAT"u8, packed.GetBuffer().AsSpan(0, (int)packed.Length));
        Chunk(stream, "IEND"u8, []);
    }

    private static void Chunk(Stream stream, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        stream.Write(number);
        stream.Write(type);
        stream.Write(data);
        var crc = Crc(Crc(uint.MaxValue, type), data) ^ uint.MaxValue;
        BinaryPrimitives.WriteUInt32BigEndian(number, crc);
        stream.Write(number);
    }

    private static uint Crc(uint crc, ReadOnlySpan<byte> data)
    {
        foreach (var b in data)
            crc = _crc[(crc ^ b) & 0xff] ^ (crc >> 8);
        return crc;
    }
}
