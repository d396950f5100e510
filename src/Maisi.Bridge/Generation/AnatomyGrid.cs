using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Generation;

/// <summary>Places a voxel grid round labelled structures, the same way in training and in generation.</summary>
public static class AnatomyGrid
{
    /// <summary>
    /// A RAS grid of a size and spacing, centred on the bounding box of the anchor labels; where none is present, on that of all labels.
    /// </summary>
    /// <param name="labels">Label map of any orientation and type.</param>
    /// <param name="anchors">Labels to centre on.</param>
    /// <param name="size">Voxels along x, y, z.</param>
    /// <param name="spacing">Millimetres along x, y, z.</param>
    /// <exception cref="MaisiException">The map has no label.</exception>
    public static VolumeGrid Around(Volume labels, IReadOnlyCollection<int> anchors, int[] size, double[] spacing)
    {
        var ras = labels.ConvertTo<int>().Reorient(AxisCodes.RAS);
        var box = Bounds(ras, anchors.Contains) ?? Bounds(ras, code => code != 0)
            ?? throw new MaisiException("The label map is empty: every voxel is 0.", hint: "Give a map in which organs are labelled.");
        var (x, y, z) = ras.Affine.Apply((box.Low[0] + box.High[0]) / 2.0, (box.Low[1] + box.High[1]) / 2.0, (box.Low[2] + box.High[2]) / 2.0);
        return new VolumeGrid(size[0], size[1], size[2], Affine.Diagonal(
            spacing[0], spacing[1], spacing[2],
            x - ((size[0] - 1) / 2.0 * spacing[0]), y - ((size[1] - 1) / 2.0 * spacing[1]), z - ((size[2] - 1) / 2.0 * spacing[2])));
    }

    private static (int[] Low, int[] High)? Bounds(Volume labels, Func<int, bool> wanted)
    {
        int[] low = [int.MaxValue, int.MaxValue, int.MaxValue], high = [-1, -1, -1];
        var voxels = labels.Voxels<int>();
        for (var i = 0; i < voxels.Length; i++)
        {
            if (voxels[i] == 0 || !wanted(voxels[i]))
                continue;
            ReadOnlySpan<int> at = [i % labels.SizeX, i / labels.SizeX % labels.SizeY, i / labels.SizeX / labels.SizeY];
            for (var axis = 0; axis < 3; axis++)
            {
                low[axis] = Math.Min(low[axis], at[axis]);
                high[axis] = Math.Max(high[axis], at[axis]);
            }
        }
        return high[0] < 0 ? null : (low, high);
    }
}
