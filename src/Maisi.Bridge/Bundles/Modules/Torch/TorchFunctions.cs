using System.Runtime.CompilerServices;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Checkpoints;
using static TorchSharp.torch;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>What the names of <c>torch</c> do. The first call of one of these loads libtorch.</summary>
internal static class TorchFunctions
{
    /// <summary><c>torch.cuda.is_available()</c>.</summary>
    public static bool IsCudaAvailable() => cuda.is_available();

    /// <summary><c>torch.cuda.device_count()</c>.</summary>
    public static long CudaDeviceCount() => cuda.device_count();

    /// <summary><c>torch.manual_seed</c>.</summary>
    public static object? Seed(long seed)
    {
        manual_seed(seed);
        return null;
    }

    /// <summary>
    /// <c>torch.load</c>: tensors and plain containers only, whatever <c>weights_only</c> says. Tensors stay in the file until used; the
    /// file stays open as long as something refers to them.
    /// </summary>
    public static object? Load(string path) => FromCheckpoint(CheckpointFile.Open(path).Root, 0, new Dictionary<object, object?>(ReferenceEqualityComparer.Instance));

    /// <summary>A tensor of nested lists of numbers: int64 when all are whole, else float32.</summary>
    public static Tensor Tensor(EvaluationContext context, object? data, object? dtype, object? device)
    {
        if (data is Tensor same)
            return Convert(same, dtype, device);
        var shape = new List<long>();
        for (var at = data; at is ListValue or TupleValue; at = ((IReadOnlyList<object?>)at).Count > 0 ? ((IReadOnlyList<object?>)at)[0] : null)
        {
            shape.Add(((IReadOnlyList<object?>)at).Count);
            if (shape.Count > 8)
                throw new BundleException(BundleErrorKind.ValueError, "a tensor of more than 8 dimensions");
        }
        var values = new List<object?>();
        Flatten(context, data, shape, 0, values);
        var isWhole = values.All(Numbers.IsInteger) && values.Count > 0;
        var made = isWhole
            ? tensor(values.Select(Numbers.ToLong).ToArray(), [.. shape])
            : tensor(values.Select(v => (float)Numbers.ToDouble(v)).ToArray(), [.. shape]);
        return Convert(made, dtype, device);
    }

    /// <summary><c>torch.zeros</c> and <c>torch.ones</c>.</summary>
    public static Tensor Fill(EvaluationContext context, CallArguments arguments, int value)
    {
        var sizes = arguments.Positional is [ListValue or TupleValue] ? (IReadOnlyList<object?>)arguments.Positional[0]! : arguments.Positional;
        var shape = sizes.Select(Numbers.ToLong).ToArray();
        context.Budget.Take(shape.Aggregate(1L, (n, s) => checked(n * Math.Max(s, 0))));
        var made = value == 0 ? zeros(shape) : ones(shape);
        return Convert(made, arguments.Named.GetValueOrDefault("dtype"), arguments.Named.GetValueOrDefault("device"));
    }

    /// <summary>A tensor on another device or of another type.</summary>
    public static Tensor Convert(Tensor source, params object?[] targets)
    {
        foreach (var target in targets)
        {
            source = target switch
            {
                DTypeValue type => source.to(TypeOf(type)),
                DeviceValue or string => source.to(device(DeviceValue.Of(target).Text)),
                Tensor like => source.to(like.dtype).to(like.device),
                _ => source,
            };
        }
        return source;
    }

    /// <summary>The element type of a dtype.</summary>
    public static ScalarType TypeOf(DTypeValue type) => type.Name switch
    {
        "float16" or "half" => ScalarType.Float16,
        "float32" or "float" => ScalarType.Float32,
        "float64" or "double" => ScalarType.Float64,
        "bfloat16" => ScalarType.BFloat16,
        "uint8" => ScalarType.Byte,
        "int8" => ScalarType.Int8,
        "int16" or "short" => ScalarType.Int16,
        "int32" or "int" => ScalarType.Int32,
        "bool" => ScalarType.Bool,
        _ => ScalarType.Int64,
    };

    private static void Flatten(EvaluationContext context, object? data, List<long> shape, int depth, List<object?> values)
    {
        if (depth == shape.Count)
        {
            context.Budget.Take(1);
            values.Add(data is NumpyScalar scalar ? scalar.Value : Numbers.IsNumber(data) ? data : throw new BundleException(BundleErrorKind.TypeError, $"a tensor holds numbers, not {PythonTypes.NameOf(data)}"));
            return;
        }
        if (data is not (ListValue or TupleValue) || ((IReadOnlyList<object?>)data).Count != shape[depth])
            throw new BundleException(BundleErrorKind.ValueError, $"expected sequence of length {shape[depth]} at dim {depth}");
        foreach (var item in (IReadOnlyList<object?>)data)
            Flatten(context, item, shape, depth + 1, values);
    }

    // What the file shares stays shared: lists of lists of lists would otherwise double with every level.
    private static object? FromCheckpoint(object? value, int depth, Dictionary<object, object?> done)
    {
        if (depth > 64 || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new BundleException(BundleErrorKind.RecursionError, "the checkpoint nests too deep");
        if (value is not (PythonDict or List<object?> or PythonTuple))
            return value is PythonDevice named ? new DeviceValue(named.Type) : value;
        if (done.TryGetValue(value, out var made))
            return made;
        return done[value] = value switch
        {
            PythonDict dict => new DictValue(dict.Items.Select(i => KeyValuePair.Create((object?)i.Key, FromCheckpoint(i.Value, depth + 1, done)))),
            List<object?> list => new ListValue(list.Select(v => FromCheckpoint(v, depth + 1, done))),
            _ => new TupleValue([.. ((PythonTuple)value).Items.Select(v => FromCheckpoint(v, depth + 1, done))]),
        };
    }
}
