namespace Maisi.Bridge.Volumes;

/// <summary>
/// Which way each voxel axis points: three letters out of L/R, P/A, I/S, "RAS" when the indices grow to the right, the front and the
/// head. Found from an affine as nibabel's <c>io_orientation</c> finds it.
/// </summary>
public readonly struct AxisCodes : IEquatable<AxisCodes>
{
    private const string Negative = "LPI", Positive = "RAS";

    // World axis (0..2) and direction of each voxel axis, packed as axis * 2 + (positive ? 1 : 0).
    private readonly byte _x, _y, _z;

    private AxisCodes(ReadOnlySpan<int> packed) => (_x, _y, _z) = ((byte)packed[0], (byte)packed[1], (byte)packed[2]);

    /// <summary>The order that MAISI works in.</summary>
    public static AxisCodes RAS { get; } = Parse("RAS");

    /// <summary>The order of DICOM, NRRD and MetaImage.</summary>
    public static AxisCodes LPS { get; } = Parse("LPS");

    /// <summary>World axis (0 left-right, 1 back-front, 2 foot-head) along which a voxel axis runs.</summary>
    public int WorldAxis(int voxelAxis) => Packed(voxelAxis) / 2;

    /// <summary>True when a voxel axis runs to the right, the front or the head.</summary>
    public bool IsPositive(int voxelAxis) => Packed(voxelAxis) % 2 == 1;

    /// <summary>Reads three letters, upper or lower case.</summary>
    /// <exception cref="MaisiException">Not one letter of each pair L/R, P/A and I/S.</exception>
    public static AxisCodes Parse(string text)
    {
        Span<int> packed = stackalloc int[3];
        var seen = 0;
        for (var i = 0; i < text.Length && text.Length == 3; i++)
        {
            var letter = char.ToUpperInvariant(text[i]);
            var axis = Math.Max(Negative.IndexOf(letter, StringComparison.Ordinal), Positive.IndexOf(letter, StringComparison.Ordinal));
            if (axis < 0)
                break;
            packed[i] = axis * 2 + (Positive[axis] == letter ? 1 : 0);
            seen |= 1 << axis;
        }
        return seen == 7 ? new(packed)
            : throw new MaisiException($"'{text}' is not an orientation", hint: "give one letter of each pair L/R, P/A and I/S, for example RAS or LPS");
    }

    /// <summary>The codes of an affine; a matrix of lower rank gives its missing axes the world axes that are left.</summary>
    /// <exception cref="MaisiException">The affine is not finite.</exception>
    public static AxisCodes Of(Affine affine)
    {
        if (!affine.IsFinite)
            throw new MaisiException($"the affine {affine} is not finite", hint: "the file has no usable orientation; give it a valid affine first");
        var scaled = new double[3, 3];
        for (var c = 0; c < 3; c++)
        {
            var norm = affine.Spacing[c] == 0 ? 1 : affine.Spacing[c];
            for (var r = 0; r < 3; r++)
                scaled[r, c] = affine[r, c] / norm;
        }
        var nearest = PolarDecomposition.Nearest(scaled);
        Span<int> packed = [-1, -1, -1];
        var free = new List<int> { 0, 1, 2 };
        for (var c = 0; c < 3; c++)
        {
            var best = free.MaxBy(r => Math.Abs(nearest[r, c]));
            if (Math.Abs(nearest[best, c]) <= 1e-8)
                continue;
            packed[c] = best * 2 + (nearest[best, c] > 0 ? 1 : 0);
            free.Remove(best);
        }
        for (var c = 0; c < 3; c++)
        {
            if (packed[c] >= 0)
                continue;
            packed[c] = free[0] * 2 + 1;
            free.RemoveAt(0);
        }
        return new(packed);
    }

    /// <summary>
    /// For each voxel axis of <paramref name="target"/>: the axis of this orientation that it comes from, and whether it runs backwards.
    /// </summary>
    public (int Axis, bool Flip)[] To(AxisCodes target)
    {
        var moves = new (int, bool)[3];
        for (var t = 0; t < 3; t++)
            for (var s = 0; s < 3; s++)
                if (WorldAxis(s) == target.WorldAxis(t))
                    moves[t] = (s, IsPositive(s) != target.IsPositive(t));
        return moves;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Concat(Enumerable.Range(0, 3).Select(Letter));

    /// <inheritdoc/>
    public bool Equals(AxisCodes other) => (_x, _y, _z) == (other._x, other._y, other._z);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is AxisCodes other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_x, _y, _z);

    public static bool operator ==(AxisCodes a, AxisCodes b) => a.Equals(b);

    public static bool operator !=(AxisCodes a, AxisCodes b) => !a.Equals(b);

    private char Letter(int axis) => (IsPositive(axis) ? Positive : Negative)[WorldAxis(axis)];

    private byte Packed(int axis) => axis switch { 0 => _x, 1 => _y, _ => _z };
}
