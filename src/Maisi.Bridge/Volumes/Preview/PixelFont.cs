namespace Maisi.Bridge.Volumes;

/// <summary>A 5×7 pixel font for captions: capitals, digits and a few signs.</summary>
internal static class PixelFont
{
    /// <summary>Pixels from one character to the next, and from one line to the next.</summary>
    public const int Advance = 6, LineHeight = 10;

    // A character and its seven rows of five pixels, each row one base-32 digit, most significant bit left.
    private const string Table =
        "AEHHVHHHBUHHUHHUCEHGGGHEDUHHHHHUEVGGUGGVFVGGUGGGGEHGNHHFHHHHVHHHIE44444EJ72222IC" +
        "KHIKOKIHLGGGGGGVMHRLLHHHNHPLJHHHOEHHHHHEPUHHUGGGQEHHHLIDRUHHUKIHSFGGE11UTV444444" +
        "UHHHHHHEVHHHHHA4WHHHLLLAXHHA4AHHYHHHA444ZV1248GV0EHJLPHE14C4444E2EH1248V3V2421HE" +
        "426AIV225VGU11HE668GUHHE7V1248888EHHEHHE9EHHF12C-000E000.00000CC,0000448:0CC0CC0" +
        "/01248G0(2488842)8422248+044V440%OP248J3=00V0V00_000000V[E88888E]E22222E×00HA4AH";

    private static readonly Dictionary<char, string> _glyphs = Table.Chunk(8).ToDictionary(g => g[0], g => new string(g, 1, 7));

    /// <summary>Width of a text in pixels.</summary>
    public static int Width(string text, int scale = 1) => Math.Max(0, text.Length * Advance - 1) * scale;

    /// <summary>Draws text with its top left corner at (x, y); characters that the font lacks stay blank.</summary>
    public static void Draw(Raster picture, string text, int x, int y, Rgb color, int scale = 1)
    {
        foreach (var character in text.ToUpperInvariant())
        {
            if (_glyphs.TryGetValue(character, out var rows))
            {
                for (var r = 0; r < 7; r++)
                    for (var c = 0; c < 5; c++)
                        if ((Digit(rows[r]) >> (4 - c) & 1) == 1)
                            picture.Fill(x + c * scale, y + r * scale, scale, scale, color);
            }
            x += Advance * scale;
        }
    }

    /// <summary>Draws text on a black ground, so that it is read over bright pictures too.</summary>
    public static void Label(Raster picture, string text, int x, int y)
    {
        picture.Fill(x - 1, y - 1, Width(text) + 2, 9, Rgb.Black);
        Draw(picture, text, x, y, Rgb.White);
    }

    private static int Digit(char c) => char.IsAsciiDigit(c) ? c - '0' : c - 'A' + 10;
}
