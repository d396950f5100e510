using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Checkpoints;

/// <summary>A tensor in an open checkpoint file. Its elements are read when asked for, straight into their destination.</summary>
public sealed class StoredTensor
{
    /// <summary>Elements moved at a time when they must be converted or sent to another device.</summary>
    private const long ChunkBytes = 32L << 20;

    private readonly FileRegion _region;
    private readonly long[] _strides;
    private readonly long _offset;

    /// <param name="region">The storage that the tensor is a view of.</param>
    /// <param name="type">Element type.</param>
    /// <param name="shape">Extents.</param>
    /// <param name="strides">Strides in elements; null for a contiguous tensor.</param>
    /// <param name="offset">First element within the storage.</param>
    /// <exception cref="CheckpointException">The view reaches outside of the storage, or is larger than the whole file.</exception>
    internal StoredTensor(FileRegion region, ScalarType type, long[] shape, long[]? strides, long offset)
    {
        _region = region;
        Type = type;
        Shape = shape;
        _strides = strides ?? Contiguous(shape);
        _offset = offset;
        CheckBounds();
    }

    /// <summary>Element type.</summary>
    public ScalarType Type { get; }

    /// <summary>Extents; empty for a single number.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, (a, b) => a * b);

    /// <summary>Bytes of the elements.</summary>
    public long Bytes => Count * ElementTypes.Size(Type);

    /// <summary>Reads the tensor into memory.</summary>
    public Tensor ToTensor()
    {
        var result = empty([.. Shape], Type);
        CopyTo(result);
        return result;
    }

    /// <summary>Reads the tensor into <paramref name="target"/>, converting the type and sending it to its device as needed, a piece at a time.</summary>
    /// <exception cref="CheckpointException">Another shape, or the file ends too early.</exception>
    public void CopyTo(Tensor target)
    {
        if (!target.shape.SequenceEqual(Shape))
            throw new CheckpointException($"a tensor of shape [{string.Join(", ", Shape)}] cannot be read into one of shape [{string.Join(", ", target.shape)}]", _region.Path);
        if (Count == 0)
            return;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        if (!IsContiguous())
        {
            target.copy_(ReadStrided());
            return;
        }
        if (!target.is_contiguous())
        {
            var dense = empty([.. Shape], Type);
            CopyFlat(dense);
            target.copy_(dense);
            return;
        }
        CopyFlat(target);
    }

    private static long[] Contiguous(long[] shape)
    {
        var strides = new long[shape.Length];
        var stride = 1L;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride = unchecked(stride * Math.Max(1, shape[i]));
        }
        return strides;
    }

    private void CopyFlat(Tensor target)
    {
        using var flat = target.detach().view(-1);
        var direct = target.dtype == Type && target.device_type == DeviceType.CPU;
        var size = ElementTypes.Size(Type);
        var step = ChunkBytes / size;
        using var buffer = direct ? null : empty([Math.Min(step, Count)], Type);
        for (long start = 0; start < Count; start += step)
        {
            var length = Math.Min(step, Count - start);
            using var destination = flat.narrow(0, start, length);
            if (direct)
            {
                _region.Read((_offset + start) * size, destination.bytes);
                continue;
            }
            using var piece = buffer!.narrow(0, 0, length);
            _region.Read((_offset + start) * size, piece.bytes);
            destination.copy_(piece);
        }
    }

    /// <summary>A view with gaps, transposition or repetition: its part of the storage, seen through the strides.</summary>
    private Tensor ReadStrided()
    {
        var span = 1 + Shape.Zip(_strides, (extent, stride) => (extent - 1) * stride).Sum();
        var flat = empty([span], Type);
        var size = ElementTypes.Size(Type);
        for (long start = 0; start < span; start += ChunkBytes / size)
        {
            using var destination = flat.narrow(0, start, Math.Min(ChunkBytes / size, span - start));
            _region.Read((_offset + start) * size, destination.bytes);
        }
        return flat.as_strided([.. Shape], _strides, 0);
    }

    private bool IsContiguous()
    {
        var expected = Contiguous([.. Shape]);
        for (var i = 0; i < Shape.Count; i++)
            if (Shape[i] != 1 && _strides[i] != expected[i])
                return false;
        return true;
    }

    private void CheckBounds()
    {
        if (Shape.Count != _strides.Length || Shape.Any(extent => extent < 0) || _strides.Any(stride => stride < 0) || _offset < 0)
            throw Outside();
        try
        {
            checked
            {
                var size = ElementTypes.Size(Type);
                var count = Shape.Aggregate(1L, (a, b) => a * b);
                if (count * size > _region.FileLength)
                    throw Outside();
                if (count == 0)
                    return;
                var last = _offset + Shape.Zip(_strides, (extent, stride) => (extent - 1) * stride).Aggregate(0L, (a, b) => a + b);
                if ((last + 1) * size > _region.Length)
                    throw Outside();
            }
        }
        catch (OverflowException)
        {
            throw Outside();
        }
    }

    private CheckpointException Outside() => new(
        $"a tensor of shape [{string.Join(", ", Shape)}] and strides [{string.Join(", ", _strides)}] at offset {_offset} does not fit its storage of {_region.Length} bytes",
        _region.Path, "the file is damaged: get it again");
}
