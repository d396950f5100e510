using System.Numerics;

namespace Maisi.Bridge.Volumes;

/// <summary>How values between voxels are found.</summary>
public enum Interpolation
{
    /// <summary>The closest voxel (half-way coordinates go to the even index, as in PyTorch): for labels. Keeps the voxel type.</summary>
    Nearest,

    /// <summary>Linear along each axis: for images. Gives float32, or float64 from 64-bit types.</summary>
    Trilinear,
}

/// <summary>
/// Samples a volume on another grid, each new voxel at its world position. Positions outside take the value at the border (MONAI's
/// default for <c>Spacing</c>) or a constant.
/// </summary>
public static class VolumeResampler
{
    /// <summary>Samples on <paramref name="grid"/>.</summary>
    /// <param name="volume">Image or label volume, any orientation.</param>
    /// <param name="grid">Where to sample.</param>
    /// <param name="interpolation">Nearest for labels, trilinear for images.</param>
    /// <param name="outside">Value where the grid reaches more than half a voxel beyond the volume; null repeats the border.</param>
    /// <exception cref="MaisiException">The affine of the volume cannot be inverted.</exception>
    public static Volume Resample(this Volume volume, VolumeGrid grid, Interpolation interpolation, double? outside = null)
    {
        if (volume.Grid.Matches(grid, 1e-9))
            return volume;
        var aligned = volume.Reorient(AxisCodes.Of(grid.Affine));
        var map = new SamplingMap(aligned.Grid, grid);
        if (interpolation == Interpolation.Nearest)
            return aligned.Apply(new Nearest(aligned, grid, map, outside));
        return aligned.Type.Size() == 8
            ? new TrilinearSampler<double>(aligned.ConvertTo<double>(), grid, map, outside).Run()
            : new TrilinearSampler<float>(aligned.ConvertTo<float>(), grid, map, outside).Run();
    }

    /// <summary>Resamples to a spacing in mm, as MONAI's <c>Spacing</c> does: the first voxel stays where it is.</summary>
    public static Volume ResampleToSpacing(this Volume volume, double sx, double sy, double sz, Interpolation interpolation) =>
        volume.Resample(volume.Grid.WithSpacing(sx, sy, sz), interpolation);

    /// <summary>Centre crop or pad to a size without resampling, as MONAI's <c>ResizeWithPadOrCrop</c>.</summary>
    public static Volume CropOrPad(this Volume volume, int x, int y, int z, double padding = 0) =>
        volume.Resample(volume.Grid.Centered(x, y, z), Interpolation.Nearest, padding);

    private readonly struct Nearest(Volume volume, VolumeGrid grid, SamplingMap map, double? outside) : IVoxelFunction<Volume>
    {
        public Volume Invoke<T>(Memory<T> voxels) where T : unmanaged, INumber<T>, IMinMaxValue<T> =>
            new NearestSampler<T>(volume, grid, map, outside is { } o ? T.CreateSaturating(o) : null).Run();
    }
}
