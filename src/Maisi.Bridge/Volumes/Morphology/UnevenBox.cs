namespace Maisi.Bridge.Volumes;

/// <summary>
/// MAISI's <c>erode3d</c> and <c>dilate3d</c> with three different box sizes. The original pads the last axis by the first size and the first
/// axis by the last, with ones, and keeps what the box fits into: with unequal sizes the result has another shape than the input. Nothing
/// here uses that; it is what such calls of the original give. Source: NV-Generate-CTMR scripts/augmentation.py.
/// </summary>
public static class UnevenBox
{
    /// <summary>In when any voxel of the box is in; [X,Y,Z] becomes [X+z-x, Y, Z+x-z] for a box of x, y and z voxels (odd).</summary>
    public static BinaryMask Dilate3d(this BinaryMask mask, int x, int y, int z) => Fit(Pad(mask, x, y, z).Dilate(x / 2, y / 2, z / 2, outside: false), x, y, z);

    /// <summary>In when all voxels of the box are in; shapes as in <see cref="Dilate3d"/>.</summary>
    public static BinaryMask Erode3d(this BinaryMask mask, int x, int y, int z) => Fit(Pad(mask, x, y, z).Not().Dilate(x / 2, y / 2, z / 2, outside: false).Not(), x, y, z);

    private static BinaryMask Pad(BinaryMask mask, int x, int y, int z) =>
        BinaryMask.Empty(mask.SizeX + z / 2 * 2, mask.SizeY + y / 2 * 2, mask.SizeZ + x / 2 * 2).Not().Paste(mask, z / 2, y / 2, x / 2);

    private static BinaryMask Fit(BinaryMask mask, int x, int y, int z) =>
        mask.Crop(x / 2, y / 2, z / 2, mask.SizeX - x / 2 * 2, mask.SizeY - y / 2 * 2, mask.SizeZ - z / 2 * 2);
}
