using System.Globalization;

namespace Maisi.Bridge.Volumes;

/// <summary>
/// A 4×4 matrix from voxel indices to millimetres in RAS+ world coordinates (x to the patient's right, y to the front, z to the
/// head), as nibabel and MONAI keep it. Immutable; the last row is always 0 0 0 1.
/// </summary>
public sealed class Affine : IEquatable<Affine>
{
    private readonly double[] _m;

    private Affine(double[] rows) => _m = rows;

    /// <summary>One millimetre voxels in RAS order at the origin.</summary>
    public static Affine Identity { get; } = Diagonal(1, 1, 1);

    /// <summary>Element at row (world axis) and column (voxel axis, or 3 for the origin).</summary>
    public double this[int row, int column] => row == 3 ? (column == 3 ? 1 : 0) : _m[row * 4 + column];

    /// <summary>Voxel spacing in mm: the norms of the first three columns.</summary>
    public IReadOnlyList<double> Spacing => [Norm(0), Norm(1), Norm(2)];

    /// <summary>Determinant of the 3×3 part; 0 when the matrix cannot be inverted.</summary>
    public double Determinant =>
        this[0, 0] * (this[1, 1] * this[2, 2] - this[1, 2] * this[2, 1])
        - this[0, 1] * (this[1, 0] * this[2, 2] - this[1, 2] * this[2, 0])
        + this[0, 2] * (this[1, 0] * this[2, 1] - this[1, 1] * this[2, 0]);

    /// <summary>True when every element is finite.</summary>
    public bool IsFinite => _m.All(double.IsFinite);

    /// <summary>Axis-aligned voxels of these spacings (mm, negative to flip), first voxel at (x, y, z) mm.</summary>
    public static Affine Diagonal(double sx, double sy, double sz, double x = 0, double y = 0, double z = 0) =>
        new([sx, 0, 0, x, 0, sy, 0, y, 0, 0, sz, z]);

    /// <summary>From twelve (3×4) or sixteen (4×4) numbers, row by row.</summary>
    /// <exception cref="MaisiException">Another count, or a last row that is not 0 0 0 1.</exception>
    public static Affine FromRows(ReadOnlySpan<double> rows)
    {
        if (rows.Length is not (12 or 16))
            throw new MaisiException($"an affine has 12 or 16 numbers, not {rows.Length}");
        if (rows.Length == 16 && !rows[12..].SequenceEqual([0, 0, 0, 1]))
            throw new MaisiException("the last row of an affine must be 0 0 0 1");
        return new(rows[..12].ToArray());
    }

    /// <summary>From three column vectors (direction times spacing) and the position of the first voxel.</summary>
    public static Affine FromColumns(ReadOnlySpan<double> x, ReadOnlySpan<double> y, ReadOnlySpan<double> z, ReadOnlySpan<double> origin) =>
        new([x[0], y[0], z[0], origin[0], x[1], y[1], z[1], origin[1], x[2], y[2], z[2], origin[2]]);

    /// <summary>World position of a (fractional) voxel index.</summary>
    public (double X, double Y, double Z) Apply(double i, double j, double k) =>
        (_m[0] * i + _m[1] * j + _m[2] * k + _m[3], _m[4] * i + _m[5] * j + _m[6] * k + _m[7], _m[8] * i + _m[9] * j + _m[10] * k + _m[11]);

    /// <summary>One column: a voxel axis (0..2) in world coordinates, or the origin (3).</summary>
    public double[] Column(int column) => [this[0, column], this[1, column], this[2, column]];

    /// <summary>The product <c>this · other</c>: first <paramref name="other"/>, then this.</summary>
    public Affine Multiply(Affine other)
    {
        var rows = new double[12];
        for (var r = 0; r < 3; r++)
            for (var c = 0; c < 4; c++)
                rows[r * 4 + c] = this[r, 0] * other[0, c] + this[r, 1] * other[1, c] + this[r, 2] * other[2, c] + this[r, 3] * other[3, c];
        return new(rows);
    }

    /// <summary>The matrix from world to voxels.</summary>
    /// <exception cref="MaisiException">The matrix is singular or not finite.</exception>
    public Affine Inverse()
    {
        var det = Determinant;
        if (!IsFinite || Math.Abs(det) < 1e-18)
            throw new MaisiException($"the affine {this} cannot be inverted", hint: "the file has no usable orientation; give it a valid affine first");
        var rows = new double[12];
        for (var r = 0; r < 3; r++)
        {
            for (var c = 0; c < 3; c++)
            {
                var (r1, r2, c1, c2) = ((c + 1) % 3, (c + 2) % 3, (r + 1) % 3, (r + 2) % 3);
                rows[r * 4 + c] = (this[r1, c1] * this[r2, c2] - this[r1, c2] * this[r2, c1]) / det;
            }
        }
        for (var r = 0; r < 3; r++)
            rows[r * 4 + 3] = -(rows[r * 4] * _m[3] + rows[r * 4 + 1] * _m[7] + rows[r * 4 + 2] * _m[11]);
        return new(rows);
    }

    /// <summary>
    /// The matrix X with <c>this · X = target</c>, by elimination with row exchange as LAPACK does it, which rounds less than a product with
    /// the inverse: the map between the voxels of two grids.
    /// </summary>
    /// <exception cref="MaisiException">The matrix is singular or not finite.</exception>
    public Affine Solve(Affine target)
    {
        Inverse(); // the same refusal of singular matrices
        var (a, x) = (new double[3, 3], new double[3, 4]);
        for (var r = 0; r < 3; r++)
        {
            for (var c = 0; c < 3; c++)
                (a[r, c], x[r, c]) = (this[r, c], target[r, c]);
            x[r, 3] = target[r, 3] - this[r, 3];
        }
        for (var k = 0; k < 3; k++)
        {
            var pivot = Enumerable.Range(k, 3 - k).MaxBy(r => Math.Abs(a[r, k]));
            for (var c = 0; c < 4; c++)
            {
                if (c < 3)
                    (a[k, c], a[pivot, c]) = (a[pivot, c], a[k, c]);
                (x[k, c], x[pivot, c]) = (x[pivot, c], x[k, c]);
            }
            for (var r = k + 1; r < 3; r++)
            {
                var factor = a[r, k] / a[k, k];
                for (var c = 0; c < 4; c++)
                {
                    if (c < 3)
                        a[r, c] -= factor * a[k, c];
                    x[r, c] -= factor * x[k, c];
                }
            }
        }
        for (var k = 2; k >= 0; k--)
            for (var c = 0; c < 4; c++)
            {
                for (var r = k + 1; r < 3; r++)
                    x[k, c] -= a[k, r] * x[r, c];
                x[k, c] *= 1 / a[k, k]; // OpenBLAS multiplies by the reciprocal of the pivot
            }
        return new([.. x.Cast<double>()]);
    }

    /// <summary>The same directions and origin with other spacings.</summary>
    public Affine WithSpacing(double sx, double sy, double sz)
    {
        var (now, wanted) = (Spacing, new[] { sx, sy, sz });
        return new([.. Enumerable.Range(0, 12).Select(i => i % 4 == 3 ? _m[i] : now[i % 4] == 0 ? 0 : _m[i] / now[i % 4] * wanted[i % 4])]);
    }

    /// <summary>
    /// Axes without shear, at the origin, with these spacings: the columns made orthogonal one after another (MONAI's <c>zoom_affine</c>).
    /// </summary>
    public Affine Orthogonal(IReadOnlyList<double> spacing)
    {
        var columns = new double[3][];
        for (var c = 0; c < 3; c++)
        {
            var v = Column(c);
            foreach (var done in columns.Take(c))
            {
                var dot = v.Zip(done, (a, b) => a * b).Sum();
                v = [.. v.Zip(done, (a, b) => a - dot * b)];
            }
            var norm = Math.Sqrt(v.Sum(a => a * a));
            columns[c] = [.. v.Select(a => a / norm)];
        }
        return FromColumns([.. columns[0].Select(v => v * spacing[0])], [.. columns[1].Select(v => v * spacing[1])], [.. columns[2].Select(v => v * spacing[2])], [0, 0, 0]);
    }

    /// <summary>The same axes with the first voxel at the place of voxel (i, j, k): what a crop or a pad does.</summary>
    public Affine ShiftedTo(double i, double j, double k)
    {
        var (x, y, z) = Apply(i, j, k);
        return FromColumns(Column(0), Column(1), Column(2), [x, y, z]);
    }

    /// <summary>Largest absolute difference to another matrix.</summary>
    public double MaxDifference(Affine other) => _m.Zip(other._m, (a, b) => Math.Abs(a - b)).Max();

    /// <summary>Sixteen numbers, row by row.</summary>
    public double[] ToRows() => [.. _m, 0, 0, 0, 1];

    /// <inheritdoc/>
    public bool Equals(Affine? other) => other is not null && _m.AsSpan().SequenceEqual(other._m);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Affine);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_m[0], _m[5], _m[10], _m[3], _m[7], _m[11]);

    /// <inheritdoc/>
    public override string ToString() => "[" + string.Join("; ", Enumerable.Range(0, 3).Select(r =>
        string.Join(' ', Enumerable.Range(0, 4).Select(c => this[r, c].ToString("G6", CultureInfo.InvariantCulture))))) + "]";

    private double Norm(int column) => Math.Sqrt(this[0, column] * this[0, column] + this[1, column] * this[1, column] + this[2, column] * this[2, column]);
}
