namespace Maisi.Bridge.Volumes;

/// <summary>
/// The nearest matrix without shear to a 3×3 matrix, U·Vᵀ of its singular value decomposition over the non-zero singular values:
/// what nibabel takes for axis codes and for the qform.
/// </summary>
internal static class PolarDecomposition
{
    /// <summary>Nearest orthogonal matrix (a partial isometry when <paramref name="matrix"/> is singular).</summary>
    public static double[,] Nearest(double[,] matrix)
    {
        // One-sided Jacobi: rotate pairs of columns of A·V until they are orthogonal; their norms are the singular values.
        var a = (double[,])matrix.Clone();
        var v = new double[,] { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } };
        for (var sweep = 0; sweep < 60; sweep++)
        {
            var rotated = false;
            for (var p = 0; p < 2; p++)
                for (var q = p + 1; q < 3; q++)
                    rotated |= Rotate(a, v, p, q);
            if (!rotated)
                break;
        }
        var singular = Enumerable.Range(0, 3).Select(c => Math.Sqrt(Dot(a, c, c))).ToArray();
        var tolerance = singular.Max() * 3 * double.BitIncrement(1) - singular.Max() * 3;
        var nearest = new double[3, 3];
        for (var k = 0; k < 3; k++)
            if (singular[k] > tolerance)
                for (var r = 0; r < 3; r++)
                    for (var c = 0; c < 3; c++)
                        nearest[r, c] += a[r, k] / singular[k] * v[c, k];
        return nearest;
    }

    private static bool Rotate(double[,] a, double[,] v, int p, int q)
    {
        var (alpha, beta, gamma) = (Dot(a, p, p), Dot(a, q, q), Dot(a, p, q));
        if (Math.Abs(gamma) <= 1e-16 * Math.Sqrt(alpha * beta) || gamma == 0)
            return false;
        var zeta = (beta - alpha) / (2 * gamma);
        var t = (zeta >= 0 ? 1 : -1) / (Math.Abs(zeta) + Math.Sqrt(1 + zeta * zeta));
        var c = 1 / Math.Sqrt(1 + t * t);
        foreach (var m in new[] { a, v })
            for (var r = 0; r < 3; r++)
                (m[r, p], m[r, q]) = (c * m[r, p] - c * t * m[r, q], c * t * m[r, p] + c * m[r, q]);
        return true;
    }

    private static double Dot(double[,] a, int p, int q) => a[0, p] * a[0, q] + a[1, p] * a[1, q] + a[2, p] * a[2, q];
}
