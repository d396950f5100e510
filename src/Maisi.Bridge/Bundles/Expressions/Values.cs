using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>A Python list.</summary>
public sealed class ListValue : List<object?>
{
    /// <summary>An empty list.</summary>
    public ListValue()
    {
    }

    /// <summary>A list of the given items.</summary>
    public ListValue(IEnumerable<object?> items)
        : base(items)
    {
    }
}

/// <summary>A Python tuple.</summary>
/// <param name="items">The items.</param>
public sealed class TupleValue(params object?[] items) : IReadOnlyList<object?>
{
    /// <inheritdoc/>
    public int Count => items.Length;

    /// <inheritdoc/>
    public object? this[int index] => items[index];

    /// <inheritdoc/>
    public IEnumerator<object?> GetEnumerator() => ((IEnumerable<object?>)items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>A Python dict: keeps the order of insertion; 1, 1.0 and True are the same key.</summary>
public sealed class DictValue : IReadOnlyCollection<KeyValuePair<object?, object?>>
{
    private readonly OrderedDictionary<object, object?> _entries = new(ValueComparer.Instance);

    /// <summary>An empty dict.</summary>
    public DictValue()
    {
    }

    /// <summary>A dict of the given entries; the last one of equal keys wins.</summary>
    public DictValue(IEnumerable<KeyValuePair<object?, object?>> entries)
    {
        foreach (var (key, value) in entries)
            this[key] = value;
    }

    /// <inheritdoc/>
    public int Count => _entries.Count;

    /// <summary>The value of a key; sets or replaces.</summary>
    public object? this[object? key]
    {
        get => _entries[NoneKey.Wrap(key)];
        set => _entries[NoneKey.Wrap(key)] = value;
    }

    /// <summary>The keys in order.</summary>
    public IEnumerable<object?> Keys => _entries.Keys.Select(NoneKey.Unwrap);

    /// <summary>The values in order.</summary>
    public IEnumerable<object?> Values => _entries.Values;

    /// <summary>Looks a key up.</summary>
    public bool TryGetValue(object? key, out object? value) => _entries.TryGetValue(NoneKey.Wrap(key), out value);

    /// <summary>True when the key is there.</summary>
    public bool ContainsKey(object? key) => _entries.ContainsKey(NoneKey.Wrap(key));

    /// <summary>Removes a key; false when it is not there.</summary>
    public bool Remove(object? key) => _entries.Remove(NoneKey.Wrap(key));

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<object?, object?>> GetEnumerator()
    {
        foreach (var (key, value) in _entries)
            yield return KeyValuePair.Create(NoneKey.Unwrap(key), value);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>A Python set; its order is the order of insertion.</summary>
public sealed class SetValue : IReadOnlyCollection<object?>
{
    private readonly OrderedDictionary<object, object?> _items = new(ValueComparer.Instance);

    /// <summary>A set of the given items.</summary>
    public SetValue(IEnumerable<object?> items)
    {
        foreach (var item in items)
            _items[NoneKey.Wrap(item)] = null;
    }

    /// <inheritdoc/>
    public int Count => _items.Count;

    /// <summary>True when the item is in the set.</summary>
    public bool Contains(object? item) => _items.ContainsKey(NoneKey.Wrap(item));

    /// <inheritdoc/>
    public IEnumerator<object?> GetEnumerator() => _items.Keys.Select(NoneKey.Unwrap).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>A Python range; its numbers are made when asked for.</summary>
/// <param name="Start">The first number.</param>
/// <param name="Stop">The end, not included.</param>
/// <param name="Step">The step, not 0.</param>
public sealed record RangeValue(long Start, long Stop, long Step) : IEnumerable<object?>
{
    /// <summary>How many numbers it has.</summary>
    public long Count
    {
        get
        {
            var (distance, step) = Step > 0 ? ((Int128)Stop - Start, (Int128)Step) : ((Int128)Start - Stop, -(Int128)Step);
            return distance > 0 ? (long)Int128.Min((distance - 1) / step + 1, long.MaxValue) : 0;
        }
    }

    /// <inheritdoc/>
    public IEnumerator<object?> GetEnumerator()
    {
        for (long i = 0, n = Count; i < n; i++)
            yield return Start + i * Step;
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>A Python slice <c>start:stop:step</c>; null parts are left out.</summary>
public sealed record SliceValue(object? Start, object? Stop, object? Step);

/// <summary>A Python iterator: <c>map</c>, <c>zip</c>, a generator expression; it can be read once.</summary>
/// <param name="kind">The Python name of its type.</param>
/// <param name="items">What it yields.</param>
public sealed class IteratorValue(string kind, IEnumerable<object?> items) : IEnumerable<object?>
{
    private readonly IEnumerator<object?> _items = items.GetEnumerator();

    /// <summary>The Python name of its type.</summary>
    public string Kind => kind;

    /// <summary>The next item; false at the end.</summary>
    public bool TryNext(out object? item)
    {
        var more = _items.MoveNext();
        item = more ? _items.Current : null;
        return more;
    }

    /// <inheritdoc/>
    public IEnumerator<object?> GetEnumerator()
    {
        while (TryNext(out var item))
            yield return item;
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>The value of <c>...</c>, used to index tensors.</summary>
public sealed class EllipsisValue
{
    private EllipsisValue()
    {
    }

    /// <summary>The only one.</summary>
    public static EllipsisValue Instance { get; } = new();
}

/// <summary>None as a key of a .NET dictionary, which cannot hold null.</summary>
public sealed class NoneKey
{
    private NoneKey()
    {
    }

    /// <summary>The only one.</summary>
    public static NoneKey Instance { get; } = new();

    /// <inheritdoc/>
    public override string ToString() => "None";

    /// <summary>The key for a value.</summary>
    public static object Wrap(object? key) => key ?? Instance;

    /// <summary>The value of a key.</summary>
    public static object? Unwrap([NotNull] object key) => key is NoneKey ? null : key;
}
