namespace Maisi.Bridge.Volumes;

/// <summary>The fields of a NIfTI header that place its voxels.</summary>
/// <param name="QformCode">0 when the quaternion is not set.</param>
/// <param name="SformCode">0 when the matrix is not set.</param>
/// <param name="Pixdim">qfac and three spacings.</param>
/// <param name="Quaternion">b, c, d of a unit quaternion.</param>
/// <param name="Offset">Position of the first voxel for the qform.</param>
/// <param name="Sform">Twelve numbers, row by row.</param>
/// <param name="IsSingle">True when the quaternion was stored in single precision.</param>
internal sealed record NiftiGeometry(int QformCode, int SformCode, double[] Pixdim, double[] Quaternion, double[] Offset, double[] Sform, bool IsSingle);

/// <summary>Affines from NIfTI's sform, qform and pixdim, and back, with nibabel's rules.</summary>
internal static class NiftiAffine
{
    /// <summary>The affine of a header and where it came from.</summary>
    /// <exception cref="VolumeFormatException">The matrix is not finite or squashes an axis, or the quaternion is not a rotation.</exception>
    public static (Affine Affine, string Source) Read(NiftiGeometry geometry, int[] size, string path)
    {
        var (affine, source) = geometry switch
        {
            { SformCode: not 0 } => (Affine.FromRows(geometry.Sform), "sform"),
            { QformCode: not 0 } => (FromQuaternion(geometry, path), "qform"),
            _ => (FromPixdim(geometry.Pixdim, size), "pixdim"),
        };
        return affine.IsFinite && Math.Abs(affine.Determinant) > 1e-12
            ? (affine, source)
            : throw new VolumeFormatException($"the {source} affine {affine} is {(affine.IsFinite ? "singular" : "not finite")}, so the image has no place in the patient",
                path, "repair the header with the tool that wrote the file");
    }

    /// <summary>The fields to write: sform and qform with code 1, as MONAI writes them.</summary>
    public static NiftiGeometry Write(Affine affine)
    {
        var spacing = affine.Spacing;
        var rotation = new double[3, 3];
        var qfac = affine.Determinant > 0 ? 1 : -1;
        for (var c = 0; c < 3; c++)
            for (var r = 0; r < 3; r++)
                rotation[r, c] = affine[r, c] / (spacing[c] == 0 ? 1 : spacing[c]) * (c == 2 ? qfac : 1);
        var quaternion = ToQuaternion(PolarDecomposition.Nearest(rotation));
        return new(1, 1, [qfac, spacing[0], spacing[1], spacing[2]], quaternion, affine.Column(3), affine.ToRows()[..12], true);
    }

    private static Affine FromQuaternion(NiftiGeometry geometry, string path)
    {
        var (b, c, d) = (geometry.Quaternion[0], geometry.Quaternion[1], geometry.Quaternion[2]);
        var rest = 1 - (b * b + c * c + d * d);
        if (!(rest >= (geometry.IsSingle ? -3 * 1.1920929e-07 : -3 * 2.220446049250313e-16)))
            throw new VolumeFormatException($"the qform quaternion ({b}, {c}, {d}) is longer than 1", path);
        var a = Math.Sqrt(Math.Max(rest, 0));
        // A quaternion whose w was lost to rounding is scaled back to length 1.
        var norm = 2 / (a * a + b * b + c * c + d * d);
        var (sx, sy, sz) = (Math.Abs(geometry.Pixdim[1]), Math.Abs(geometry.Pixdim[2]), Math.Abs(geometry.Pixdim[3]));
        sz *= geometry.Pixdim[0] == -1 ? -1 : 1;
        return Affine.FromColumns(
            [sx * (1 - norm * (c * c + d * d)), sx * norm * (b * c + a * d), sx * norm * (b * d - a * c)],
            [sy * norm * (b * c - a * d), sy * (1 - norm * (b * b + d * d)), sy * norm * (c * d + a * b)],
            [sz * norm * (b * d + a * c), sz * norm * (c * d - a * b), sz * (1 - norm * (b * b + c * c))],
            geometry.Offset);
    }

    private static Affine FromPixdim(double[] pixdim, int[] size)
    {
        double[] s = [-Math.Abs(pixdim[1]), Math.Abs(pixdim[2]), Math.Abs(pixdim[3])];
        return Affine.Diagonal(s[0], s[1], s[2], -s[0] * (size[0] - 1) / 2, -s[1] * (size[1] - 1) / 2, -s[2] * (size[2] - 1) / 2);
    }

    // Shepperd's method: take the largest of the four squared components first, which never divides by a small number.
    private static double[] ToQuaternion(double[,] r)
    {
        double[] squares = [1 + r[0, 0] + r[1, 1] + r[2, 2], 1 + r[0, 0] - r[1, 1] - r[2, 2], 1 - r[0, 0] + r[1, 1] - r[2, 2], 1 - r[0, 0] - r[1, 1] + r[2, 2]];
        var largest = Array.IndexOf(squares, squares.Max());
        var twice = Math.Sqrt(squares[largest]); // twice the largest component
        double[] q = largest switch
        {
            0 => [twice * twice, r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]],
            1 => [r[2, 1] - r[1, 2], twice * twice, r[0, 1] + r[1, 0], r[0, 2] + r[2, 0]],
            2 => [r[0, 2] - r[2, 0], r[0, 1] + r[1, 0], twice * twice, r[1, 2] + r[2, 1]],
            _ => [r[1, 0] - r[0, 1], r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], twice * twice],
        };
        var sign = q[0] < 0 ? -1 : 1; // the header keeps b, c, d only and takes a as positive
        return [.. q[1..].Select(v => sign * v / (2 * twice))];
    }
}
