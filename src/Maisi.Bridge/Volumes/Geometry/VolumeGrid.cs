namespace Maisi.Bridge.Volumes;

/// <summary>Size and place of a volume without its voxels.</summary>
/// <param name="SizeX">Voxels along the first axis.</param>
/// <param name="SizeY">Voxels along the second axis.</param>
/// <param name="SizeZ">Voxels along the third axis.</param>
/// <param name="Affine">Voxel index to RAS+ millimetres.</param>
public sealed record VolumeGrid(int SizeX, int SizeY, int SizeZ, Affine Affine)
{
    /// <summary>Voxels of one channel.</summary>
    public long Count => (long)SizeX * SizeY * SizeZ;

    /// <summary>Voxels along an axis.</summary>
    public int Size(int axis) => axis switch { 0 => SizeX, 1 => SizeY, 2 => SizeZ, _ => throw new ArgumentOutOfRangeException(nameof(axis)) };

    /// <summary>
    /// The grid of MONAI's <c>Spacing</c>: same axes and same first voxel, <c>round((n-1)·old/new) + 1</c> voxels along each axis.
    /// </summary>
    /// <exception cref="MaisiException">A spacing is not a positive number.</exception>
    public VolumeGrid WithSpacing(double sx, double sy, double sz)
    {
        double[] wanted = [sx, sy, sz];
        if (wanted.Any(s => !double.IsFinite(s) || s <= 0))
            throw new MaisiException($"spacing ({sx}, {sy}, {sz}) must be positive millimetres");
        var now = Affine.Spacing;
        int Resized(int axis) => (int)Math.Round((Size(axis) - 1) * now[axis] / wanted[axis]) + 1;
        return new(Resized(0), Resized(1), Resized(2), Affine.WithSpacing(sx, sy, sz));
    }

    /// <summary>The grid of the same extent (outer faces of the outer voxels stay) with this many voxels along each axis.</summary>
    public VolumeGrid WithSize(int x, int y, int z)
    {
        double[] ratio = [SizeX / (double)x, SizeY / (double)y, SizeZ / (double)z];
        var now = Affine.Spacing;
        var scaled = Affine.WithSpacing(now[0] * ratio[0], now[1] * ratio[1], now[2] * ratio[2]);
        var origin = Affine.Apply((ratio[0] - 1) / 2, (ratio[1] - 1) / 2, (ratio[2] - 1) / 2);
        return new(x, y, z, Affine.FromColumns(scaled.Column(0), scaled.Column(1), scaled.Column(2), [origin.X, origin.Y, origin.Z]));
    }

    /// <summary>A box of this grid: its first voxel (may lie outside) and its size.</summary>
    public VolumeGrid Box(int x, int y, int z, int sizeX, int sizeY, int sizeZ) => new(sizeX, sizeY, sizeZ, Affine.ShiftedTo(x, y, z));

    /// <summary>The box of this size in the middle, as MONAI's <c>ResizeWithPadOrCrop</c> places it; it may be larger than this grid.</summary>
    public VolumeGrid Centered(int x, int y, int z)
    {
        // A centre crop starts at n/2 - size/2; a centre pad puts (size - n)/2 voxels before: both floored.
        static int Start(int n, int size) => size <= n ? n / 2 - size / 2 : -((size - n) / 2);
        return Box(Start(SizeX, x), Start(SizeY, y), Start(SizeZ, z), x, y, z);
    }

    /// <summary>True when both have the same size and affines within <paramref name="tolerance"/> mm.</summary>
    public bool Matches(VolumeGrid other, double tolerance = 1e-3) =>
        (SizeX, SizeY, SizeZ) == (other.SizeX, other.SizeY, other.SizeZ) && Affine.MaxDifference(other.Affine) <= tolerance;

    /// <inheritdoc/>
    public override string ToString() => $"{SizeX}×{SizeY}×{SizeZ}";
}
