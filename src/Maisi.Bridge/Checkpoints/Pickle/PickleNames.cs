using System.Numerics;

namespace Maisi.Bridge.Checkpoints;

/// <summary>Something that a pickle may call: our own constructor for one allowed name.</summary>
internal sealed record PickleConstructor(string Name, Func<IReadOnlyList<object?>, object?> Make)
{
    /// <summary>Calls it; arguments that do not fit are damage of the file.</summary>
    public object? Call(IReadOnlyList<object?> arguments, string path)
    {
        try
        {
            return Make(arguments);
        }
        catch (Exception e) when (e is InvalidCastException or ArgumentException or FormatException or NullReferenceException or OverflowException)
        {
            throw new CheckpointException($"the pickle calls {Name} with arguments that do not fit", path, "the file is damaged, or was written by an unknown version of PyTorch", e);
        }
    }
}

/// <summary>The element type of a storage, as a pickle names it.</summary>
internal sealed record PickleStorageType(string Name);

/// <summary>The names that a checkpoint may mention. Anything else is refused by name: a pickle can otherwise run any code.</summary>
internal static class PickleNames
{
    private static readonly Dictionary<string, object> Allowed = Build();

    /// <exception cref="CheckpointException">The name is not on the list.</exception>
    public static object Resolve(string module, string name, string path)
    {
        if (module is "torch" or "torch.storage" && (ElementTypes.FromStorage(name) is not null || name is "UntypedStorage" or "ComplexFloatStorage" or "ComplexDoubleStorage"))
            return new PickleStorageType(name);
        // numpy 2 moved its private modules
        var key = $"{module.Replace("numpy._core.", "numpy.core.", StringComparison.Ordinal)}.{name}";
        if (Allowed.TryGetValue(key, out var value))
            return value;
        throw new CheckpointException(
            $"the checkpoint holds a {module}.{name}, which is refused: only tensors, numbers, text and plain containers are read", path,
            "save its state_dict() alone: torch.save(model.state_dict(), path)");
    }

    private static Dictionary<string, object> Build()
    {
        PickleConstructor[] constructors =
        [
            new("collections.OrderedDict", a => a.Count == 0 ? new PythonDict() : PairsToDict(a[0])),
            new("torch._utils._rebuild_tensor_v2", a => RebuildTensor(a)),
            new("torch._utils._rebuild_tensor", a => RebuildTensor(a)),
            new("torch._utils._rebuild_parameter", a => a[0] ?? throw new FormatException("no data")),
            new("torch._utils._rebuild_parameter_with_state", a => a[0] ?? throw new FormatException("no data")),
            new("torch.Size", a => a[0] is List<object?> list ? new PythonTuple(list) : (PythonTuple)a[0]!),
            new("torch.device", a => new PythonDevice(a.Count > 1 ? $"{a[0]}:{a[1]}" : (string)a[0]!)),
            new("builtins.set", a => ToSet(a)),
            new("builtins.frozenset", a => ToSet(a)),
            new("__builtin__.set", a => ToSet(a)),
            new("builtins.bytearray", a => a.Count == 0 ? [] : (byte[])a[0]!),
            new("builtins.complex", a => new Complex((double)a[0]!, (double)a[1]!)),
            new("_codecs.encode", a => System.Text.Encoding.Latin1.GetBytes((string)a[0]!)),
            new("numpy.dtype", a => new NumpyType((string)a[0]!)),
            new("numpy.core.multiarray.scalar", a => ((NumpyType)a[0]!).Scalar((byte[])a[1]!)),
            new("numpy.core.multiarray._reconstruct", _ => new NumpyArrayBuilder()),
        ];
        var all = constructors.ToDictionary(c => c.Name, c => (object)c, StringComparer.Ordinal);
        all["numpy.ndarray"] = new PythonName("numpy", "ndarray");
        foreach (var dtype in ElementTypes.DTypeNames.Append("complex64").Append("complex128"))
            all[$"torch.{dtype}"] = new PythonName("torch", dtype);
        return all;
    }

    private static StoredTensor RebuildTensor(IReadOnlyList<object?> a)
    {
        var storage = (PickleStorage)a[0]!;
        return storage.View((long)a[1]!, Extents(a[2]), Extents(a[3]));
    }

    private static long[] Extents(object? tuple) => [.. ((PythonTuple)tuple!).Items.Select(e => (long)e!)];

    private static PythonSet ToSet(IReadOnlyList<object?> a) => new(a.Count == 0 ? [] : (List<object?>)a[0]!);

    private static PythonDict PairsToDict(object? pairs)
    {
        var dict = new PythonDict();
        foreach (var pair in (List<object?>)pairs!)
        {
            var items = pair is PythonTuple tuple ? tuple.Items : (List<object?>)pair!;
            if (items.Count != 2 || items[0] is not (string or long))
                throw new FormatException("not a pair");
            dict.Set(items[0]!, items[1]);
        }
        return dict;
    }
}
