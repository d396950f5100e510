using System.Collections;

namespace TorchSharp.Utils;

/// <summary>Reads and writes the elements of a CPU tensor in logical order, whatever its strides.</summary>
public sealed class TensorAccessor<T> : IEnumerable<T>, IDisposable
    where T : unmanaged
{
    private readonly torch.Tensor _tensor;

    internal TensorAccessor(torch.Tensor tensor) => _tensor = tensor;

    /// <summary>The number of elements.</summary>
    public long Count => _tensor.NumberOfElements;

    /// <summary>An element by its indices; one index on a tensor of more dimensions counts through all elements.</summary>
    public unsafe T this[params long[] indices]
    {
        get => *Address(indices);
        set => *Address(indices) = value;
    }

    public T[] ToArray()
    {
        var array = new T[Count];
        CopyTo(array);
        return array;
    }

    public unsafe void CopyTo(Span<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var source = (T*)_tensor.DataPointerUnchecked();
        var target = array[arrayIndex..];
        var count = Math.Min(target.Length, Count - tensorIndex);
        if (_tensor.is_contiguous())
        {
            new ReadOnlySpan<T>(source + tensorIndex, (int)count).CopyTo(target);
            return;
        }
        var at = new Offsets(_tensor.shape, _tensor.stride());
        for (long i = 0; i < count; i++)
            target[(int)i] = source[at.Of(tensorIndex + i)];
    }

    public void CopyTo(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyTo(array.AsSpan(), arrayIndex, tensorIndex);

    public unsafe void CopyFrom(ReadOnlySpan<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var target = (T*)_tensor.DataPointerUnchecked();
        var source = array[arrayIndex..];
        var count = Math.Min(source.Length, Count - tensorIndex);
        if (_tensor.is_contiguous())
        {
            source[..(int)count].CopyTo(new Span<T>(target + tensorIndex, (int)count));
            return;
        }
        var at = new Offsets(_tensor.shape, _tensor.stride());
        for (long i = 0; i < count; i++)
            target[at.Of(tensorIndex + i)] = source[(int)i];
    }

    public void CopyFrom(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyFrom(array.AsSpan(), arrayIndex, tensorIndex);

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)ToArray()).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void Dispose()
    {
    }

    private unsafe T* Address(ReadOnlySpan<long> indices)
    {
        var shape = _tensor.shape;
        var strides = _tensor.stride();
        var data = (T*)_tensor.DataPointerUnchecked();
        if (indices.Length == 1 && shape.Length != 1)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(indices[0], Count);
            return data + new Offsets(shape, strides).Of(indices[0]);
        }
        if (indices.Length != shape.Length)
            throw new ArgumentException($"the tensor has {shape.Length} dimensions, {indices.Length} indices were given", nameof(indices));
        long offset = 0;
        for (var i = 0; i < shape.Length; i++)
        {
            if (indices[i] < 0 || indices[i] >= shape[i])
                throw new ArgumentOutOfRangeException(nameof(indices), $"index {indices[i]} of dimension {i} is outside 0..{shape[i] - 1}");
            offset += indices[i] * strides[i];
        }
        return data + offset;
    }

    /// <summary>Element offsets of a strided tensor by logical position.</summary>
    private readonly struct Offsets(long[] shape, long[] strides)
    {
        public long Of(long position)
        {
            long offset = 0;
            for (var i = shape.Length - 1; i >= 0; i--)
            {
                (position, var index) = Math.DivRem(position, shape[i]);
                offset += index * strides[i];
            }
            return offset;
        }
    }
}
