namespace Maisi.Bridge.Volumes;

/// <summary>What the header of an image file says; nothing of its voxels was read.</summary>
/// <param name="Format">"NIfTI-1", "NIfTI-2", "NRRD", "MetaImage" or "NumPy".</param>
/// <param name="StoredType">Voxel type in the file.</param>
/// <param name="Type">Voxel type after reading; differs from <paramref name="StoredType"/> when the file scales its values.</param>
/// <param name="Grid">Size and place.</param>
/// <param name="Channels">Values per voxel.</param>
/// <param name="Slope">Factor on stored values; 1 when the file does not scale.</param>
/// <param name="Intercept">Added after the factor.</param>
/// <param name="BigEndian">True when the most significant byte comes first.</param>
/// <param name="AffineSource">Where the affine came from: "sform", "qform", "pixdim", ...</param>
/// <param name="Description">Free text of the header.</param>
public sealed record VolumeInfo(
    string Format, VoxelType StoredType, VoxelType Type, VolumeGrid Grid, int Channels, double Slope, double Intercept, bool BigEndian,
    string AffineSource, string Description)
{
    /// <summary>True when values of the file are multiplied or shifted.</summary>
    public bool IsScaled => Slope != 1 || Intercept != 0;

    /// <summary>Type of scaled values: float32, or float64 when the stored type has more than 24 significant bits.</summary>
    internal static VoxelType ScaledType(VoxelType stored, bool scaled) =>
        !scaled ? stored : stored.Size() <= 2 || stored == VoxelType.Float32 ? VoxelType.Float32 : VoxelType.Float64;
}
