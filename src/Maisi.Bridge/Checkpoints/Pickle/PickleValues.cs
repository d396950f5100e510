namespace Maisi.Bridge.Checkpoints;

/// <summary>A Python dictionary, in insertion order. Keys may be anything that a pickle holds, mostly text and integers.</summary>
public sealed class PythonDict
{
    private readonly Dictionary<object, int> _index = [];
    private readonly List<KeyValuePair<object, object?>> _items = [];

    /// <summary>Keys and values in order.</summary>
    public IReadOnlyList<KeyValuePair<object, object?>> Items => _items;

    /// <summary>The value under a text key; null when there is none.</summary>
    public object? this[string key] => _index.TryGetValue(key, out var i) ? _items[i].Value : null;

    /// <summary>Whether there is a value under a text key.</summary>
    public bool ContainsKey(string key) => _index.ContainsKey(key);

    /// <summary>Sets a value; an existing key keeps its place.</summary>
    public void Set(object key, object? value)
    {
        if (_index.TryGetValue(key, out var i))
        {
            _items[i] = new(key, value);
            return;
        }
        _index[key] = _items.Count;
        _items.Add(new(key, value));
    }
}

/// <summary>A Python tuple (also torch.Size).</summary>
public sealed record PythonTuple(IReadOnlyList<object?> Items);

/// <summary>A Python set or frozenset.</summary>
public sealed record PythonSet(List<object?> Items);

/// <summary>An allowed name that stands for itself, like a dtype.</summary>
/// <param name="Module">For example <c>torch</c>.</param>
/// <param name="Name">For example <c>float16</c>.</param>
public sealed record PythonName(string Module, string Name)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Module}.{Name}";
}

/// <summary>A torch.device.</summary>
public sealed record PythonDevice(string Type);

/// <summary>A numpy array with its raw elements.</summary>
/// <param name="DType">numpy's type code, for example <c>f4</c>.</param>
/// <param name="Shape">Extents.</param>
/// <param name="Data">Elements in row-major order.</param>
public sealed record NumpyArray(string DType, IReadOnlyList<long> Shape, byte[] Data);
