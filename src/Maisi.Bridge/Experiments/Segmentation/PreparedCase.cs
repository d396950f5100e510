using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Experiments;

/// <summary>A case on the grid that the network sees, cropped to where the image is not empty.</summary>
/// <param name="Id">The case's id.</param>
/// <param name="Original">The grid of the image file, which predictions are written on.</param>
/// <param name="Grid">The network's grid: RAS.</param>
/// <param name="Image">Intensities, rounded, [X, Y, Z] with Z fastest.</param>
/// <param name="Classes">0 for background, then 1 to the number of classes, in the same order; empty without a label map.</param>
/// <param name="Centres">For each class, background first, up to some thousand of its voxels: where patches are centred.</param>
internal sealed record PreparedCase(string Id, VolumeGrid Original, VolumeGrid Grid, short[] Image, byte[] Classes, int[][] Centres)
{
    private const int MostCentres = 4000;
    private const int Margin = 2;

    /// <summary>Reads a case.</summary>
    /// <param name="id">The case's id.</param>
    /// <param name="imageFile">The image.</param>
    /// <param name="labelFile">The label map; null for a case that is only predicted.</param>
    /// <param name="classes">What is segmented.</param>
    /// <param name="options">Spacing and intensities.</param>
    /// <exception cref="MaisiException">A file is broken, or image and label map do not lie on the same grid.</exception>
    public static PreparedCase Read(string id, string imageFile, string? labelFile, IReadOnlyList<ExperimentClass> classes, SegResNetOptions options)
    {
        var image = VolumeFile.Read(imageFile);
        var (low, high) = (options.Intensity[0], options.Intensity[1]);
        var ras = image.Grid.Reorient(AxisCodes.RAS);
        var grid = ras.WithSpacing(options.Spacing[0], options.Spacing[1], options.Spacing[2]);
        var values = image.Resample(grid, Interpolation.Trilinear, low).ConvertTo<float>();
        var box = Occupied(values.Voxels<float>(), grid, low);
        values = values.Resample(box, Interpolation.Nearest);
        var voxels = values.ToFloats();
        var rounded = new short[voxels.Length];
        for (var i = 0; i < voxels.Length; i++)
            rounded[i] = (short)Math.Round(Math.Clamp(voxels[i], Math.Max(low, short.MinValue), Math.Min(high, short.MaxValue)));
        if (labelFile is null)
            return new PreparedCase(id, image.Grid, box, rounded, [], []);
        var labels = ClassMap.Read(labelFile, classes);
        if (!image.Grid.Matches(labels.Grid, CaseContract.GridTolerance))
            throw new MaisiException($"Image ({image.Grid}) and label map ({labels.Grid}) do not lie on the same grid.", labelFile, "Resample the label map to the image.");
        var codes = labels.Resample(box, Interpolation.Nearest, 0).ToArray<byte>();
        return new PreparedCase(id, image.Grid, box, rounded, codes, FindCentres(codes, classes.Count));
    }

    // The box of all voxels above the lowest value, a little wider: outside there is nothing to see.
    private static VolumeGrid Occupied(ReadOnlySpan<float> voxels, VolumeGrid grid, double low)
    {
        int[] first = [grid.SizeX, grid.SizeY, grid.SizeZ], last = [-1, -1, -1];
        for (var i = 0; i < voxels.Length; i++)
        {
            if (voxels[i] <= low)
                continue;
            var (x, y, z) = (i % grid.SizeX, i / grid.SizeX % grid.SizeY, i / grid.SizeX / grid.SizeY);
            (first[0], first[1], first[2]) = (Math.Min(first[0], x), Math.Min(first[1], y), Math.Min(first[2], z));
            (last[0], last[1], last[2]) = (Math.Max(last[0], x), Math.Max(last[1], y), Math.Max(last[2], z));
        }
        if (last[0] < 0)
            return grid;
        for (var axis = 0; axis < 3; axis++)
            (first[axis], last[axis]) = (Math.Max(0, first[axis] - Margin), Math.Min(grid.Size(axis) - 1, last[axis] + Margin));
        return grid.Box(first[0], first[1], first[2], last[0] - first[0] + 1, last[1] - first[1] + 1, last[2] - first[2] + 1);
    }

    private static int[][] FindCentres(byte[] codes, int classes)
    {
        var counts = new int[classes + 1];
        foreach (var code in codes)
            counts[code]++;
        var centres = counts.Select(n => new List<int>(Math.Min(n, MostCentres))).ToArray();
        var seen = new int[classes + 1];
        for (var i = 0; i < codes.Length; i++)
        {
            // Evenly spread over the voxels of the class.
            var (code, n) = (codes[i], seen[codes[i]]++);
            var step = Math.Max(1, counts[code] / MostCentres);
            if (n % step == 0 && centres[code].Count < MostCentres)
                centres[code].Add(i);
        }
        return [.. centres.Select(c => c.ToArray())];
    }
}
