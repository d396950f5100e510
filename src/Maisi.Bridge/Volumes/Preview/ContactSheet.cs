namespace Maisi.Bridge.Volumes;

/// <summary>Many previews in one picture, a caption under each.</summary>
public static class ContactSheet
{
    private const int Gap = 8, MostColumns = 24;

    /// <summary>Draws the sheet, rows filled from the left.</summary>
    /// <param name="pictures">The previews with their captions, at least one.</param>
    /// <param name="width">How wide the sheet may be, in pixels; a picture that is wider than a column is made smaller.</param>
    /// <param name="columns">Pictures side by side; 0 for two columns for a few pictures, about as many columns as rows for many.</param>
    public static Raster Draw(IReadOnlyList<(string Caption, Raster Picture)> pictures, int width = 2000, int columns = 0)
    {
        if (columns == 0)
            columns = Math.Min(pictures.Count, Math.Clamp((int)Math.Sqrt(pictures.Count), 2, MostColumns));
        var cell = (width - Gap * (columns + 1)) / columns;
        var rows = pictures.Select(p => (p.Caption, Picture: Shrink(p.Picture, cell))).Chunk(columns).ToArray();
        var sheet = new Raster(width, rows.Sum(RowHeight) + Gap);
        var y = Gap;
        foreach (var row in rows)
        {
            for (var i = 0; i < row.Length; i++)
            {
                var x = Gap + i * (cell + Gap);
                sheet.Draw(row[i].Picture, x + (cell - row[i].Picture.Width) / 2, y);
                var caption = row[i].Caption;
                PixelFont.Draw(sheet, caption[..Math.Min(caption.Length, cell / PixelFont.Advance)], x, y + RowHeight(row) - Gap - PixelFont.LineHeight, Rgb.Caption);
            }
            y += RowHeight(row);
        }
        return sheet;

        static int RowHeight((string Caption, Raster Picture)[] row) => row.Max(p => p.Picture.Height) + PixelFont.LineHeight + 2 * Gap;
    }

    // Each pixel of the smaller picture is the mean of those that it covers.
    private static Raster Shrink(Raster picture, int width)
    {
        if (picture.Width <= width)
            return picture;
        var scale = picture.Width / (double)width;
        var small = new Raster(width, Math.Max(1, (int)(picture.Height / scale)));
        for (var y = 0; y < small.Height; y++)
            for (var x = 0; x < width; x++)
                small[x, y] = Mean(picture, (int)(x * scale), (int)(y * scale), (int)Math.Ceiling((x + 1) * scale), (int)Math.Ceiling((y + 1) * scale));
        return small;
    }

    private static Rgb Mean(Raster picture, int left, int top, int right, int bottom)
    {
        var (r, g, b, n) = (0, 0, 0, 0);
        for (var y = top; y < Math.Min(bottom, picture.Height); y++)
            foreach (var pixel in picture.Row(y)[left..Math.Min(right, picture.Width)])
                (r, g, b, n) = (r + pixel.R, g + pixel.G, b + pixel.B, n + 1);
        return new((byte)(r / n), (byte)(g / n), (byte)(b / n));
    }
}
