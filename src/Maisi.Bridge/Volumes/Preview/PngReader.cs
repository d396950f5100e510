using System.Buffers.Binary;
using System.IO.Compression;

namespace Maisi.Bridge.Volumes;

/// <summary>Reads PNG pictures of 8-bit RGB without interlacing, as <see cref="PngFile"/> writes them. Source: W3C "Portable Network Graphics", second edition.</summary>
public static class PngReader
{
    private const int Pixel = 3, MaxSide = 1 << 15;

    private static readonly byte[] _signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10];

    /// <summary>Reads a file.</summary>
    /// <exception cref="MaisiException">It cannot be read, is no PNG, or is one of another kind.</exception>
    public static Raster Read(string path)
    {
        try
        {
            return Parse(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentOutOfRangeException)
        {
            throw new MaisiException("the picture cannot be read", path, e.Message, e);
        }
    }

    private static Raster Parse(ReadOnlySpan<byte> file)
    {
        if (!file.StartsWith(_signature))
            throw new InvalidDataException("this is no PNG file");
        var (width, height) = (0, 0);
        using var packed = new MemoryStream();
        for (var at = _signature.Length; at + 12 <= file.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(file[at..]);
            var type = file.Slice(at + 4, 4);
            var data = file.Slice(at + 8, length);
            if (type.SequenceEqual("IHDR"u8))
                (width, height) = Header(data);
            else if (type.SequenceEqual("IDAT"u8))
                packed.Write(data);
            at += 12 + length;
        }
        if (width == 0)
            throw new InvalidDataException("the PNG file has no header");
        packed.Position = 0;
        using var zlib = new ZLibStream(packed, CompressionMode.Decompress);
        return Rows(zlib, width, height);
    }

    private static (int Width, int Height) Header(ReadOnlySpan<byte> data)
    {
        var (width, height) = (BinaryPrimitives.ReadInt32BigEndian(data), BinaryPrimitives.ReadInt32BigEndian(data[4..]));
        // 8 bits, RGB, deflate, adaptive filters, not interlaced.
        return data[8..].SequenceEqual(new byte[] { 8, 2, 0, 0, 0 }) && width is > 0 and <= MaxSide && height is > 0 and <= MaxSide
            ? (width, height) : throw new InvalidDataException("only pictures of 8-bit RGB without interlacing are read");
    }

    private static Raster Rows(Stream pixels, int width, int height)
    {
        var picture = new Raster(width, height);
        var (line, above) = (new byte[width * Pixel], new byte[width * Pixel]);
        for (var y = 0; y < height; y++)
        {
            var filter = pixels.ReadByte();
            pixels.ReadExactly(line);
            Unfilter(filter, line, above);
            var row = picture.Row(y);
            for (var x = 0; x < width; x++)
                row[x] = new(line[x * Pixel], line[x * Pixel + 1], line[x * Pixel + 2]);
            (line, above) = (above, line);
        }
        return picture;
    }

    private static void Unfilter(int filter, byte[] line, byte[] above)
    {
        for (var i = 0; i < line.Length; i++)
        {
            var (left, up, corner) = (i < Pixel ? 0 : line[i - Pixel], above[i], i < Pixel ? 0 : above[i - Pixel]);
            line[i] += (byte)(filter switch
            {
                0 => 0,
                1 => left,
                2 => up,
                3 => (left + up) / 2,
                4 => Paeth(left, up, corner),
                _ => throw new InvalidDataException($"the PNG file uses filter {filter}"),
            });
        }
    }

    private static int Paeth(int left, int up, int corner)
    {
        var (a, b, c) = (Math.Abs(up - corner), Math.Abs(left - corner), Math.Abs(left + up - 2 * corner));
        return a <= b && a <= c ? left : b <= c ? up : corner;
    }
}
