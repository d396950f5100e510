namespace Maisi.Bridge.Volumes;

/// <summary>A colour of 8 bits per channel.</summary>
public readonly record struct Rgb(byte R, byte G, byte B)
{
    /// <summary>White, black and the grey of captions.</summary>
    public static readonly Rgb White = new(255, 255, 255), Black = new(0, 0, 0), Caption = new(200, 200, 200);

    /// <summary>"#rrggbb".</summary>
    public override string ToString() => $"#{R:x2}{G:x2}{B:x2}";

    /// <summary>Reads "#rrggbb".</summary>
    /// <exception cref="MaisiException">Another form.</exception>
    public static Rgb Parse(string text) =>
        text.Length == 7 && text[0] == '#' && int.TryParse(text.AsSpan(1), System.Globalization.NumberStyles.HexNumber, null, out var v)
            ? new((byte)(v >> 16), (byte)(v >> 8), (byte)v)
            : throw new MaisiException($"'{text}' is not a colour", hint: "write it as #rrggbb");

    /// <summary>This colour over another with opacity 0 to 1.</summary>
    public Rgb Over(Rgb below, double opacity)
    {
        static byte Mix(byte a, byte b, double t) => (byte)Math.Round(a * t + b * (1 - t));
        return new(Mix(R, below.R, opacity), Mix(G, below.G, opacity), Mix(B, below.B, opacity));
    }
}

/// <summary>A colour picture in memory, rows from the top.</summary>
public sealed class Raster(int width, int height)
{
    private readonly Rgb[] _pixels = new Rgb[checked(width * height)];

    /// <summary>Pixels per row.</summary>
    public int Width => width;

    /// <summary>Rows.</summary>
    public int Height => height;

    /// <summary>One pixel.</summary>
    public Rgb this[int x, int y]
    {
        get => _pixels[y * width + x];
        set => _pixels[y * width + x] = value;
    }

    /// <summary>One row.</summary>
    public Span<Rgb> Row(int y) => _pixels.AsSpan(y * width, width);

    /// <summary>Copies another picture with its top left corner at (x, y); what does not fit is cut off.</summary>
    public void Draw(Raster picture, int x, int y)
    {
        for (var r = Math.Max(0, -y); r < picture.Height && y + r < height; r++)
            for (var c = Math.Max(0, -x); c < picture.Width && x + c < width; c++)
                this[x + c, y + r] = picture[c, r];
    }

    /// <summary>A filled rectangle.</summary>
    public void Fill(int x, int y, int w, int h, Rgb color)
    {
        for (var r = Math.Max(0, y); r < Math.Min(height, y + h); r++)
            for (var c = Math.Max(0, x); c < Math.Min(width, x + w); c++)
                this[c, r] = color;
    }
}
