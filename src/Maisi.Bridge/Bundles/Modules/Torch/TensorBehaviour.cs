using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>What expressions may do with tensors: look at them, move them, reduce them, compute with them.</summary>
internal sealed class TensorBehaviour : TypeBehaviour
{
    private const int MaxOuter = 1 << 20;

    private static readonly Dictionary<string, Func<Tensor, CallArguments, object?>> Methods = new(StringComparer.Ordinal)
    {
        ["item"] = (t, _) => Item(t),
        ["tolist"] = (t, _) => ToList(t),
        ["sum"] = (t, _) => t.sum(),
        ["mean"] = (t, _) => t.mean(),
        ["max"] = (t, _) => t.max(),
        ["min"] = (t, _) => t.min(),
        ["abs"] = (t, _) => t.abs(),
        ["sqrt"] = (t, _) => t.sqrt(),
        ["std"] = (t, _) => t.std(),
        ["to"] = (t, a) => TorchFunctions.Convert(t, [.. a.Positional, .. a.Named.Values]),
        ["type"] = (t, a) => TorchFunctions.Convert(t, [.. a.Positional, .. a.Named.Values]),
        ["cpu"] = (t, _) => t.cpu(),
        ["cuda"] = (t, _) => t.cuda(),
        ["float"] = (t, _) => t.to(ScalarType.Float32),
        ["half"] = (t, _) => t.to(ScalarType.Float16),
        ["double"] = (t, _) => t.to(ScalarType.Float64),
        ["long"] = (t, _) => t.to(ScalarType.Int64),
        ["int"] = (t, _) => t.to(ScalarType.Int32),
        ["bool"] = (t, _) => t.to(ScalarType.Bool),
        ["numel"] = (t, _) => t.numel(),
        ["dim"] = (t, _) => t.dim(),
        ["size"] = (t, a) => a.Positional.Count == 0 ? Shape(t) : t.shape[Numbers.ToLong(a.Positional[0]) is var d && d < 0 ? d + t.dim() : d],
        ["detach"] = (t, _) => t.detach(),
        ["clone"] = (t, _) => t.clone(),
        ["contiguous"] = (t, _) => t.contiguous(),
        ["unsqueeze"] = (t, a) => t.unsqueeze(Numbers.ToLong(a.Required(0, "dim", "unsqueeze"))),
        ["reshape"] = (t, a) => t.reshape(Sizes(a)),
        ["view"] = (t, a) => t.reshape(Sizes(a)),
        ["permute"] = (t, a) => t.permute(Sizes(a)),
    };

    /// <inheritdoc/>
    public override Type Type => typeof(Tensor);

    /// <inheritdoc/>
    public override IEnumerable<string> AttributeNames => Methods.Keys.Concat(["shape", "dtype", "device", "ndim"]);

    /// <inheritdoc/>
    public override bool TryGetAttribute(object self, string name, out object? value)
    {
        var tensor = (Tensor)self;
        value = name switch
        {
            "shape" => Shape(tensor),
            "ndim" => tensor.dim(),
            "dtype" => new DTypeValue(NameOf(tensor.dtype)),
            "device" => DeviceValue.Of(tensor.device.ToString()),
            _ when Methods.TryGetValue(name, out var method) => new NativeFunction($"Tensor.{name}", (c, a) =>
            {
                c.Charge(tensor);
                return method(tensor, a);
            }),
            _ => null,
        };
        return value is not null;
    }

    /// <inheritdoc/>
    public override bool TryBinary(object self, string op, object? other, bool reflected, out object? result)
    {
        var tensor = (Tensor)self;
        if (other is Tensor second)
            RefuseOuter(tensor, second);
        result = other switch
        {
            Tensor right => Apply(op, reflected ? right : tensor, reflected ? tensor : right),
            _ when Numbers.IsNumber(other) => Apply(op, tensor, other is double d ? (Scalar)d : (Scalar)Numbers.ToLong(other), reflected),
            _ => null,
        };
        return result is not null;
    }

    /// <inheritdoc/>
    public override bool TryIndex(object self, object? index, out object? value)
    {
        var parts = index is TupleValue tuple ? tuple : new TupleValue(index);
        value = ((Tensor)self).index([.. parts.Select(Index)]);
        return true;
    }

    // A row and a column of a million numbers each broadcast to four terabytes.
    private static void RefuseOuter(Tensor a, Tensor b)
    {
        var elements = 1.0;
        for (var i = 1; i <= Math.Max(a.dim(), b.dim()); i++)
            elements *= Math.Max(i <= a.dim() ? a.shape[^i] : 1, i <= b.dim() ? b.shape[^i] : 1);
        if (elements > Math.Max(MaxOuter, Math.Max(a.numel(), b.numel())))
            throw new BundleException(BundleErrorKind.MemoryError, $"tensors of the shapes [{string.Join(", ", a.shape)}] and [{string.Join(", ", b.shape)}] broadcast to {elements:N0} elements");
    }

    /// <inheritdoc/>
    public override long Size(object self) => ((Tensor)self).numel();

    /// <inheritdoc/>
    public override long? Length(object self) => ((Tensor)self).dim() > 0 ? ((Tensor)self).shape[0] : null;

    /// <inheritdoc/>
    public override bool IsTrue(object self) => ((Tensor)self).numel() == 1 ? Numbers.Compare(Item((Tensor)self), 0L) != 0
        : throw new BundleException(BundleErrorKind.RuntimeError, "Boolean value of Tensor with more than one value is ambiguous");

    /// <inheritdoc/>
    public override string Repr(object self) => $"tensor(shape=[{string.Join(", ", ((Tensor)self).shape)}], dtype=torch.{NameOf(((Tensor)self).dtype)})";

    /// <inheritdoc/>
    public override object? ToPlain(object self) => ((Tensor)self).numel() <= 10_000 ? ToList((Tensor)self) : Repr(self);

    /// <summary>A number, or that of a tensor with one element, loaded or still in its file.</summary>
    public static double Number(object? value) => Numbers.ToDouble(value switch
    {
        Tensor tensor => Item(tensor),
        StoredTensor stored => Item(stored.ToTensor()),
        _ => value,
    });

    /// <summary>The number of a tensor with one element.</summary>
    public static object Item(Tensor tensor)
    {
        if (tensor.numel() != 1)
            throw new BundleException(BundleErrorKind.RuntimeError, $"a tensor with {tensor.numel()} elements cannot be converted to a number");
        if (tensor.dtype == ScalarType.Bool)
            return tensor.to(ScalarType.Int64).item<long>() != 0;
        return tensor.is_floating_point() ? (object)tensor.to(ScalarType.Float64).cpu().item<double>() : tensor.to(ScalarType.Int64).cpu().item<long>();
    }

    private static object? ToList(Tensor tensor) => tensor.dim() == 0
        ? Item(tensor)
        : new ListValue(Enumerable.Range(0, (int)tensor.shape[0]).Select(i => ToList(tensor[i])));

    private static TupleValue Shape(Tensor tensor) => new([.. tensor.shape.Select(s => (object?)s)]);

    private static long[] Sizes(CallArguments arguments) =>
        [.. (arguments.Positional is [ListValue or TupleValue] ? (IReadOnlyList<object?>)arguments.Positional[0]! : arguments.Positional).Select(Numbers.ToLong)];

    private static TensorIndex Index(object? index) => index switch
    {
        SliceValue slice => TensorIndex.Slice(Bound(slice.Start), Bound(slice.Stop), Bound(slice.Step)),
        EllipsisValue => TensorIndex.Ellipsis,
        null => TensorIndex.Null,
        _ => TensorIndex.Single(Numbers.ToLong(index)),
    };

    private static long? Bound(object? value) => value is null ? null : Numbers.ToLong(value);

    private static Tensor? Apply(string op, Tensor a, Tensor b) => op switch
    {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        "**" => a.pow(b),
        "==" => a == b,
        "!=" => a != b,
        "<" => a < b,
        "<=" => a <= b,
        ">" => a > b,
        ">=" => a >= b,
        _ => null,
    };

    private static Tensor? Apply(string op, Tensor tensor, Scalar other, bool reflected) => op switch
    {
        "+" => tensor + other,
        "-" => reflected ? other - tensor : tensor - other,
        "*" => tensor * other,
        "/" => reflected ? other / tensor : tensor / other,
        "**" when !reflected => tensor.pow(other),
        "==" => tensor == other,
        "!=" => tensor != other,
        "<" => reflected ? tensor > other : tensor < other,
        "<=" => reflected ? tensor >= other : tensor <= other,
        ">" => reflected ? tensor < other : tensor > other,
        ">=" => reflected ? tensor <= other : tensor >= other,
        _ => null,
    };

    private static string NameOf(ScalarType type) => type switch
    {
        ScalarType.Byte => "uint8",
        ScalarType.BFloat16 => "bfloat16",
        _ => type.ToString().ToLowerInvariant(),
    };
}

/// <summary>A tensor that still lies in its file: any use reads it.</summary>
internal sealed class StoredTensorBehaviour : TypeBehaviour
{
    private readonly TensorBehaviour _tensor = new();

    /// <inheritdoc/>
    public override Type Type => typeof(StoredTensor);

    /// <inheritdoc/>
    public override IEnumerable<string> AttributeNames => _tensor.AttributeNames;

    /// <inheritdoc/>
    public override bool TryGetAttribute(object self, string name, out object? value)
    {
        if (name != "shape")
            return _tensor.TryGetAttribute(((StoredTensor)self).ToTensor(), name, out value);
        value = new TupleValue([.. ((StoredTensor)self).Shape.Select(s => (object?)s)]);
        return true;
    }

    /// <inheritdoc/>
    public override bool TryBinary(object self, string op, object? other, bool reflected, out object? result) =>
        _tensor.TryBinary(((StoredTensor)self).ToTensor(), op, other is StoredTensor stored ? stored.ToTensor() : other, reflected, out result);

    /// <inheritdoc/>
    public override bool TryIndex(object self, object? index, out object? value) => _tensor.TryIndex(((StoredTensor)self).ToTensor(), index, out value);

    /// <inheritdoc/>
    public override long Size(object self) => ((StoredTensor)self).Count;

    /// <inheritdoc/>
    public override string Repr(object self) => $"tensor(shape=[{string.Join(", ", ((StoredTensor)self).Shape)}], stored)";

    /// <inheritdoc/>
    public override object? ToPlain(object self) => ((StoredTensor)self).Count <= 10_000 ? _tensor.ToPlain(((StoredTensor)self).ToTensor()) : Repr(self);
}
