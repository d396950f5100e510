using System.Runtime.CompilerServices;

namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>Equality and hash of Python values: numbers by value over all their types, lists and dicts by content.</summary>
public sealed class ValueComparer : IEqualityComparer<object>
{
    private const int MaxComparisons = 200_000;
    private const int HashedDepth = 3;
    private const int CharactersPerComparison = 64;
    private const int WorkPerComparison = 8;
    private const int HashedCharacters = 256;

    private ValueComparer()
    {
    }

    /// <summary>The only one.</summary>
    public static ValueComparer Instance { get; } = new();

    /// <inheritdoc/>
    public new bool Equals(object? x, object? y) => AreEqual(x, y);

    /// <inheritdoc/>
    public int GetHashCode(object obj) => Hash(obj, 0);

    // Tuples can share their items, so that a full walk could take exponential time: deep levels hash by their length.
    private static int Hash(object obj, int depth) => obj switch
    {
        bool b => Hash(b ? 1L : 0L),
        long l => Hash(l),
        int i => Hash(i),
        double d => d == Math.Floor(d) && Math.Abs(d) < long.MaxValue ? Hash((long)d) : Hash(BitConverter.DoubleToInt64Bits(d)),
        string s when depth > 0 && s.Length > HashedCharacters => HashCode.Combine(s.Length, string.GetHashCode(s.AsSpan(0, HashedCharacters), StringComparison.Ordinal)),
        TupleValue tuple => depth >= HashedDepth ? tuple.Count : tuple.Aggregate(17, (h, v) => HashCode.Combine(h, Hash(NoneKey.Wrap(v), depth + 1))),
        ListValue or DictValue or SetValue =>
            throw new BundleException(BundleErrorKind.TypeError, $"unhashable type: '{PythonTypes.NameOf(obj)}'", hint: "use a tuple or a string as the key"),
        _ => obj.GetHashCode(),
    };

    // Keyed anew in each process: a hash that can be computed from outside makes dicts of colliding numbers, which take quadratic time.
    private static int Hash(long value) => HashCode.Combine((int)value, (int)(value >> 32));

    /// <summary>Python's <c>==</c>.</summary>
    /// <param name="x">A value.</param>
    /// <param name="y">Another one.</param>
    /// <param name="budget">Counts what is compared; null: a comparison of keys.</param>
    public static bool AreEqual(object? x, object? y, EvaluationBudget? budget = null)
    {
        var left = MaxComparisons;
        var same = AreEqual(x, y, ref left);
        budget?.Work(WorkPerComparison * (MaxComparisons - left));
        return same;
    }

    private static bool AreEqual(object? x, object? y, ref int left)
    {
        if (--left < 0 || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new BundleException(BundleErrorKind.RecursionError, $"a comparison looks at more than {MaxComparisons:N0} values or nests too deep");
        if (ReferenceEquals(x, y))
            return x is not double.NaN;
        if (Numbers.IsNumber(x) && Numbers.IsNumber(y))
            return Numbers.Compare(x, y) == 0;
        switch (x, y)
        {
            case (string a, string b):
                left -= Math.Min(a.Length, b.Length) / CharactersPerComparison;
                return string.Equals(a, b, StringComparison.Ordinal);
            case (ListValue a, ListValue b):
                return SameItems(a, b, ref left);
            case (TupleValue a, TupleValue b):
                return SameItems(a, b, ref left);
            case (DictValue a, DictValue b):
                if (a.Count != b.Count)
                    return false;
                foreach (var (key, value) in a)
                {
                    if (!b.TryGetValue(key, out var other) || !AreEqual(value, other, ref left))
                        return false;
                }
                return true;
            case (SetValue a, SetValue b):
                return a.Count == b.Count && a.All(b.Contains);
            case (null, _) or (_, null):
                return false;
            default:
                return x!.Equals(y);
        }
    }

    private static bool SameItems(IReadOnlyList<object?> a, IReadOnlyList<object?> b, ref int left)
    {
        if (a.Count != b.Count)
            return false;
        for (var i = 0; i < a.Count; i++)
        {
            if (!AreEqual(a[i], b[i], ref left))
                return false;
        }
        return true;
    }
}
