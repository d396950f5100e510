using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>A tensor without dimensions.</summary>
    public static Tensor tensor<T>(T scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => FromSpan(new ReadOnlySpan<T>(in scalar), [], dtype, device, requires_grad);

    /// <summary>A copy of an array, with one dimension.</summary>
    public static Tensor tensor<T>(T[] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => FromSpan<T>(rawArray, [rawArray.Length], dtype, device, requires_grad);

    /// <summary>A copy of a list, with one dimension.</summary>
    public static Tensor tensor<T>(IList<T> rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => FromSpan<T>(rawArray as T[] ?? [.. rawArray], [rawArray.Count], dtype, device, requires_grad);

    /// <summary>A copy of an array in the given shape.</summary>
    public static Tensor tensor<T>(T[] rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => FromSpan<T>(rawArray, dimensions, dtype, device, requires_grad);

    /// <summary>A copy of a list in the given shape.</summary>
    public static Tensor tensor<T>(IList<T> rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => FromSpan<T>(rawArray as T[] ?? [.. rawArray], dimensions, dtype, device, requires_grad);

    /// <summary>A copy of memory in the given shape.</summary>
    public static Tensor tensor<T>(Memory<T> rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => FromSpan<T>(rawArray.Span, dimensions, dtype, device, requires_grad);

    public static Tensor tensor<T>(T[,] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => from_array(rawArray, dtype, device, requires_grad);

    public static Tensor tensor<T>(T[,,] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => from_array(rawArray, dtype, device, requires_grad);

    public static Tensor as_tensor<T>(T[] rawArray, ScalarType? dtype = null, Device? device = null)
        where T : unmanaged => tensor(rawArray, dtype, device);

    /// <summary>A copy of an array with any number of dimensions, in its own shape.</summary>
    public static Tensor from_array(Array rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
    {
        ArgumentNullException.ThrowIfNull(rawArray);
        var type = ToScalarType(rawArray.GetType().GetElementType()!);
        var shape = new long[rawArray.Rank];
        for (var i = 0; i < shape.Length; i++)
            shape[i] = rawArray.GetLongLength(i);
        ref var first = ref MemoryMarshal.GetArrayDataReference(rawArray);
        var length = checked((int)(rawArray.LongLength * ElementSizeOf(type)));
        return FromBytes(MemoryMarshal.CreateReadOnlySpan(ref first, length), type, shape, dtype, device, requires_grad);
    }

    /// <summary>A copy of raw bytes as elements of <paramref name="type"/>; at most 2 GiB.</summary>
    internal static Tensor FromBytes(ReadOnlySpan<byte> bytes, ScalarType type, ReadOnlySpan<long> shape, ScalarType? dtype, Device? device, bool requires_grad)
    {
        long expected = ElementSizeOf(type);
        foreach (var size in shape)
            expected = checked(expected * size);
        if (expected != bytes.Length)
            throw new ArgumentException($"a tensor of shape [{string.Join(", ", shape.ToArray())}] has {expected} bytes of data, {bytes.Length} were given");
        var made = empty(shape, type);
        bytes.CopyTo(made.bytes);
        var target = device ?? CPU;
        if ((dtype ?? type) != type || target.type != DeviceType.CPU)
            made = made.to(dtype ?? type, target, disposeAfter: true);
        return Leaf(made, requires_grad);
    }

    private static Tensor FromSpan<T>(ReadOnlySpan<T> values, ReadOnlySpan<long> shape, ScalarType? dtype, Device? device, bool requires_grad)
        where T : unmanaged => FromBytes(MemoryMarshal.AsBytes(values), ToScalarType(typeof(T)), shape, dtype, device, requires_grad);

    private static int ElementSizeOf(ScalarType type) => type switch
    {
        ScalarType.Byte or ScalarType.Int8 or ScalarType.Bool => 1,
        ScalarType.Int16 or ScalarType.Float16 or ScalarType.BFloat16 => 2,
        ScalarType.Int32 or ScalarType.Float32 => 4,
        ScalarType.ComplexFloat64 => Unsafe.SizeOf<System.Numerics.Complex>(),
        _ => 8,
    };
}
