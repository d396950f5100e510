namespace Maisi.Bridge.Volumes;

/// <summary>Which sizes and spacings MAISI's ControlNet takes, and the nearest to those of a mask.</summary>
public static class MaskGrid
{
    private static readonly int[] _xy = [256, 384, 512], _z = [128, 256, 384, 512, 640, 768];

    /// <summary>True when an image of this size (voxels) and spacing (mm) can be generated as it is.</summary>
    public static bool IsValid(IReadOnlyList<int> size, IReadOnlyList<double> spacing) =>
        size[0] == size[1] && _xy.Contains(size[0]) && _z.Contains(size[2]) && Math.Abs(spacing[0] - spacing[1]) < 1e-6
        && spacing[0] is >= 0.5 and <= 3 && spacing[2] is >= 0.5 and <= 5;

    /// <summary>
    /// The nearest valid size over the same field of view: x and y closest to their mean, ties to the smaller; spacings are cut to what the
    /// model was trained on. Source: NV-Generate-CTMR scripts/infer_image_from_mask.py.
    /// </summary>
    public static (int[] Size, double[] Spacing) Suggest(IReadOnlyList<int> size, IReadOnlyList<double> spacing)
    {
        if (IsValid(size, spacing))
            return ([.. size], [.. spacing]);
        var (xy, z) = (Closest(_xy, (size[0] + size[1]) / 2.0), Closest(_z, size[2]));
        var inPlane = Math.Clamp((size[0] * spacing[0] + size[1] * spacing[1]) / 2 / xy, 0.5, 3);
        return ([xy, xy, z], [inPlane, inPlane, Math.Clamp(size[2] * spacing[2] / z, 0.5, 5)]);
    }

    /// <summary>The multiple of 128 (at least one) to which training images are resized: n/128 rounded half to even.</summary>
    public static int RoundTo128(int n) => Math.Max((int)Math.Round(n / 128.0), 1) * 128;

    private static int Closest(int[] choices, double wanted) => choices.MinBy(c => Math.Abs(c - wanted));
}
