using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Generation;

/// <summary>Brings label maps to a wanted size and spacing. NV-Generate's `ensure_output_size_and_spacing` (scripts/sample.py).</summary>
internal static class RequestedGrid
{
    /// <summary>The map with this size and spacing: nearest neighbour, then cropped or padded in the middle; the same object when it has both.</summary>
    public static Volume ToRequestedGrid(this Volume labels, IReadOnlyList<int> size, IReadOnlyList<double> spacing) =>
        HasGrid(labels, size, spacing) ? labels
            : labels.ResampleToSpacing(spacing[0], spacing[1], spacing[2], Interpolation.Nearest).CropOrPad(size[0], size[1], size[2]);

    /// <summary>The wanted codes that the map does not show.</summary>
    public static int[] Missing(this Volume labels, IEnumerable<int> anatomy)
    {
        var present = labels.CountLabels();
        return [.. anatomy.Where(code => !present.ContainsKey(code))];
    }

    private static bool HasGrid(Volume labels, IReadOnlyList<int> size, IReadOnlyList<double> spacing) =>
        labels.Spacing.SequenceEqual(spacing) && labels.SizeX == size[0] && labels.SizeY == size[1] && labels.SizeZ == size[2];
}
