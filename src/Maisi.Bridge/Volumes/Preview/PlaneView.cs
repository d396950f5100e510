namespace Maisi.Bridge.Volumes;

/// <summary>One plane through a RAS volume: the world axes across and down, the axis that it cuts, and the letters at its edges.</summary>
internal sealed record PlaneView(string Name, int Across, int Up, int Through, int Index, string Left, string Right, string Top, string Bottom)
{
    /// <summary>Draws the plane with square pixels of <paramref name="millimetres"/> mm; both axes run against the voxel indices.</summary>
    public Raster Draw(Volume ras, Volume? labels, IntensityWindow window, double millimetres, PreviewOptions options)
    {
        int[] strides = [1, ras.SizeX, ras.SizeX * ras.SizeY];
        var (image, first) = (ras.ConvertTo<float>(), Index * strides[Through]);
        if (options.Kind == PreviewKind.Projection)
            (image, labels, first) = (Project(image, strides), null, 0);
        var (across, up) = (ras.Grid.Size(Across), ras.Grid.Size(Up));
        var picture = new Raster(Pixels(ras, Across, millimetres), Pixels(ras, Up, millimetres));
        for (var py = 0; py < picture.Height; py++)
        {
            var v = Position(picture.Height - 1 - py, picture.Height, up);
            for (var px = 0; px < picture.Width; px++)
            {
                var u = Position(picture.Width - 1 - px, picture.Width, across);
                var grey = window.Grey(Linear(image.Voxels<float>(), first, u, v, strides[Across], strides[Up], across, up));
                var color = new Rgb(grey, grey, grey);
                if (labels is not null)
                {
                    var label = labels.Voxels<int>()[first + (int)Math.Round(u) * strides[Across] + (int)Math.Round(v) * strides[Up]];
                    if (label != 0 && !options.Hidden.Contains(label))
                        color = options.Naming(label).Color.Over(color, options.Opacity);
                }
                picture[px, py] = color;
            }
        }
        Letters(picture);
        return picture;
    }

    // The highest value along the line of sight, kept in the first plane.
    private Volume Project(Volume image, int[] strides)
    {
        var highest = image.Clone();
        var voxels = highest.Voxels<float>();
        for (var v = 0; v < image.Grid.Size(Up); v++)
            for (var u = 0; u < image.Grid.Size(Across); u++)
            {
                var at = u * strides[Across] + v * strides[Up];
                for (var t = 1; t < image.Grid.Size(Through); t++)
                    voxels[at] = Math.Max(voxels[at], voxels[at + t * strides[Through]]);
            }
        return highest;
    }

    private void Letters(Raster picture)
    {
        var (middle, centre) = (picture.Height / 2 - 4, picture.Width / 2 - 3);
        PixelFont.Label(picture, Left, 3, middle);
        PixelFont.Label(picture, Right, picture.Width - 8, middle);
        PixelFont.Label(picture, Top, centre, 3);
        PixelFont.Label(picture, Bottom, centre, picture.Height - 10);
        PixelFont.Label(picture, Name, 3, 3);
    }

    private static int Pixels(Volume ras, int axis, double millimetres) => Math.Max(1, (int)Math.Round(ras.Grid.Size(axis) * ras.Spacing[axis] / millimetres));

    // Pixel centres to voxel coordinates: the outer faces of the outer voxels are the edges of the picture.
    private static double Position(int pixel, int pixels, int size) => Math.Clamp((pixel + 0.5) * size / pixels - 0.5, 0, size - 1);

    private static double Linear(ReadOnlySpan<float> voxels, int first, double u, double v, int du, int dv, int across, int up)
    {
        var (i, j) = ((int)u, (int)v);
        var (a, b) = (u - i, v - j);
        var (right, below) = (i + 1 < across ? du : 0, j + 1 < up ? dv : 0);
        var at = first + i * du + j * dv;
        var top = voxels[at] * (1 - a) + voxels[at + right] * a;
        return top * (1 - b) + (voxels[at + below] * (1 - a) + voxels[at + right + below] * a) * b;
    }
}
