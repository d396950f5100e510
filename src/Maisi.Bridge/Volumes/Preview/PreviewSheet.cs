using System.Globalization;

namespace Maisi.Bridge.Volumes;

/// <summary>Which pictures a preview has.</summary>
public enum PreviewKind
{
    /// <summary>One axial, one coronal and one sagittal plane.</summary>
    Planes,

    /// <summary>Axial planes from the feet to the head.</summary>
    Mosaic,

    /// <summary>The highest value along each line of sight, in the three directions.</summary>
    Projection,
}

/// <summary>What a preview sheet shows.</summary>
public sealed record PreviewOptions
{
    /// <summary>Planes, mosaic or projection.</summary>
    public PreviewKind Kind { get; init; }

    /// <summary>Grey window; null chooses one by <see cref="IntensityWindow.For"/>.</summary>
    public IntensityWindow? Window { get; init; }

    /// <summary>Labels on the grid of the image, drawn over it; null shows the image alone.</summary>
    public Volume? Labels { get; init; }

    /// <summary>Name and colour of a label for overlay and legend.</summary>
    public Func<int, (string Name, Rgb Color)> Naming { get; init; } = label => ($"label {label}", LabelColors.For(label));

    /// <summary>Labels that are not drawn (0 never is): MAISI's body, for one.</summary>
    public IReadOnlySet<int> Hidden { get; init; } = new HashSet<int>();

    /// <summary>Opacity of the overlay, 0 to 1.</summary>
    public double Opacity { get; init; } = 0.45;

    /// <summary>Height and width of the largest panel in pixels.</summary>
    public int PanelSize { get; init; } = 384;

    /// <summary>Position (mm, RAS+) through which the three planes go; null takes the middle of the labels, or of the image.</summary>
    public (double X, double Y, double Z)? Center { get; init; }

    /// <summary>A line under the pictures.</summary>
    public string Caption { get; init; } = "";
}

/// <summary>
/// Three planes of a volume on one picture, in radiological convention: the patient's right is on the left of the axial and coronal
/// panels, the front is up in axial and left in sagittal panels, the head is up. Pixels are square in millimetres.
/// </summary>
public static class PreviewSheet
{
    private const int Gap = 8;

    /// <summary>Draws the sheet.</summary>
    /// <exception cref="MaisiException">The labels lie on another grid than the image.</exception>
    public static Raster Draw(Volume image, PreviewOptions options)
    {
        if (options.Labels is { } labels && !labels.Grid.Matches(image.Grid, 1e-2))
            throw new MaisiException($"the labels ({labels.Grid}) do not lie on the grid of the image ({image.Grid})", hint: "resample the labels to the image first (nearest)");
        var ras = image.Reorient(AxisCodes.RAS);
        var overlay = options.Labels?.ConvertTo<int>().Reorient(AxisCodes.RAS);
        var window = options.Window ?? IntensityWindow.For(ras, options.Kind);
        var extent = Enumerable.Range(0, 3).Select(a => ras.Grid.Size(a) * ras.Spacing[a]).ToArray();
        var planes = Planes(ras, overlay, options);
        var size = options.Kind == PreviewKind.Mosaic ? options.PanelSize / 2 : options.PanelSize;
        var millimetres = extent.Max() / size; // per pixel, the same in all panels
        var panels = planes.Select(p => p.Draw(ras, overlay, window, millimetres, options)).ToArray();
        return Assemble(panels, Legend(overlay, options), $"{options.Caption}  {Describe(ras, window)}".Trim());
    }

    private static PlaneView[] Planes(Volume ras, Volume? overlay, PreviewOptions options)
    {
        const int shown = 16;
        static PlaneView Axial(int index, string name) => new(name, 0, 1, 2, index, "R", "L", "A", "P");
        if (options.Kind == PreviewKind.Mosaic)
            return [.. Enumerable.Range(0, Math.Min(shown, ras.SizeZ)).Select(i => (int)((i + 0.5) * ras.SizeZ / Math.Min(shown, ras.SizeZ))).Select(z => Axial(z, $"{z}"))];
        var at = Center(ras, overlay, options);
        return [Axial(at[2], "axial"), new("coronal", 0, 2, 1, at[1], "R", "L", "S", "I"), new("sagittal", 1, 2, 0, at[0], "A", "P", "S", "I")];
    }

    private static Raster Assemble(Raster[] panels, List<(string Name, Rgb Color)> legend, string caption)
    {
        var perRow = panels.Length <= 3 ? panels.Length : (panels.Length + 3) / 4;
        var rows = panels.Chunk(perRow).ToArray();
        var rowHeight = panels.Max(p => p.Height);
        var height = rows.Length * (rowHeight + Gap) - Gap;
        var width = rows.Max(r => r.Sum(p => p.Width) + Gap * (r.Length + 1));
        width = Math.Max(width, PixelFont.Width(caption) + 2 * Gap);
        var column = legend.Count == 0 ? width : legend.Max(l => PixelFont.Width(l.Name)) + 30;
        var columns = Math.Max(1, (width - Gap) / column);
        var lines = (legend.Count + columns - 1) / columns;
        var sheet = new Raster(width, height + Gap * 3 + PixelFont.LineHeight * (1 + lines));
        for (var row = 0; row < rows.Length; row++)
        {
            var x = Gap;
            foreach (var panel in rows[row])
            {
                sheet.Draw(panel, x, Gap + row * (rowHeight + Gap) + (rowHeight - panel.Height) / 2);
                x += panel.Width + Gap;
            }
        }
        var y = height + 2 * Gap;
        PixelFont.Draw(sheet, caption, Gap, y, Rgb.Caption);
        for (var i = 0; i < legend.Count; i++)
        {
            var (row, col) = (i / columns, i % columns);
            var top = y + PixelFont.LineHeight * (1 + row) + 2;
            sheet.Fill(Gap + col * column, top, 10, 7, legend[i].Color);
            PixelFont.Draw(sheet, legend[i].Name, Gap + col * column + 14, top, Rgb.Caption);
        }
        return sheet;
    }

    private static List<(string Name, Rgb Color)> Legend(Volume? overlay, PreviewOptions options)
    {
        if (overlay is null)
            return [];
        var present = new SortedSet<int>();
        foreach (var label in overlay.Voxels<int>())
            if (label != 0 && !options.Hidden.Contains(label))
                present.Add(label);
        return [.. present.Select(options.Naming)];
    }

    private static string Describe(Volume ras, IntensityWindow window) => string.Create(CultureInfo.InvariantCulture,
        $"{ras.Grid}  {ras.Spacing[0]:0.##}×{ras.Spacing[1]:0.##}×{ras.Spacing[2]:0.##} mm  window {window.Low:0.##} to {window.High:0.##}  radiological: patient right is left");

    private static int[] Center(Volume ras, Volume? overlay, PreviewOptions options)
    {
        double[] at = [(ras.SizeX - 1) / 2.0, (ras.SizeY - 1) / 2.0, (ras.SizeZ - 1) / 2.0];
        if (options.Center is { } mm)
        {
            var (x, y, z) = ras.Affine.Inverse().Apply(mm.X, mm.Y, mm.Z);
            at = [x, y, z];
        }
        else if (overlay is not null)
        {
            at = Centroid(overlay, options.Hidden) ?? at;
        }
        return [.. at.Select((v, a) => (int)Math.Clamp(Math.Round(v), 0, ras.Grid.Size(a) - 1))];
    }

    private static double[]? Centroid(Volume labels, IReadOnlySet<int> hidden)
    {
        var voxels = labels.Voxels<int>();
        long count = 0, sx = 0, sy = 0, sz = 0;
        for (var i = 0; i < voxels.Length; i++)
        {
            if (voxels[i] == 0 || hidden.Contains(voxels[i]))
                continue;
            count++;
            sx += i % labels.SizeX;
            sy += i / labels.SizeX % labels.SizeY;
            sz += i / labels.SizeX / labels.SizeY;
        }
        return count == 0 ? null : [sx / (double)count, sy / (double)count, sz / (double)count];
    }
}
