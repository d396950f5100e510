// Format: CPython's Lib/pickletools.py documents every opcode; torch/serialization.py (PyTorch 2.6) what torch.load expects.
using System.Buffers.Binary;
using System.Text;
using static TorchSharp.torch;

namespace Maisi.Bridge.Checkpoints;

/// <summary>Writes numbers, text, lists, tuples, dictionaries and tensors as a protocol 2 pickle that torch.load(weights_only=True) accepts.</summary>
internal sealed class PickleWriter
{
    private readonly MemoryStream _stream = new();

    /// <summary>The tensors in the order of their storages.</summary>
    public List<Tensor> Tensors { get; } = [];

    /// <summary>The pickle of one object.</summary>
    /// <exception cref="CheckpointException">A value of a kind that a checkpoint cannot hold.</exception>
    public byte[] Write(object? root)
    {
        Bytes(0x80, 2);
        Value(root, "the checkpoint");
        Bytes((byte)'.');
        return _stream.ToArray();
    }

    private void Value(object? value, string where)
    {
        switch (value)
        {
            case null: Bytes((byte)'N'); break;
            case bool truth: Bytes(truth ? (byte)0x88 : (byte)0x89); break;
            case int small: Integer(small); break;
            case long large: Integer(large); break;
            case float single: Real(single); break;
            case double real: Real(real); break;
            case string text: Text(text); break;
            case Tensor tensor: TensorValue(tensor, where); break;
            case PythonTuple tuple: Sequence((byte)'(', tuple.Items, (byte)'t', where); break;
            case PythonDict dict: Dictionary(dict.Items, where); break;
            case IEnumerable<KeyValuePair<string, Tensor>> tensors: Dictionary(tensors.Select(p => new KeyValuePair<object, object?>(p.Key, p.Value)), where); break;
            case IEnumerable<KeyValuePair<string, object?>> items: Dictionary(items.Select(p => new KeyValuePair<object, object?>(p.Key, p.Value)), where); break;
            case IEnumerable<object?> list:
                Bytes((byte)']');
                Sequence((byte)'(', list, (byte)'e', where);
                break;
            default: throw new CheckpointException($"a {value.GetType().Name} cannot be stored in a checkpoint", where, "store numbers, text, lists, dictionaries and tensors");
        }
    }

    private void Dictionary(IEnumerable<KeyValuePair<object, object?>> items, string where)
    {
        Bytes((byte)'}', (byte)'(');
        foreach (var (key, value) in items)
        {
            Value(key, where);
            Value(value, key.ToString()!);
        }
        Bytes((byte)'u');
    }

    private void Sequence(byte open, IEnumerable<object?> items, byte close, string where)
    {
        Bytes(open);
        foreach (var item in items)
            Value(item, where);
        Bytes(close);
    }

    private void TensorValue(Tensor tensor, string where)
    {
        if (!ElementTypes.IsSupported(tensor.dtype))
            throw new CheckpointException($"a tensor of element type {tensor.dtype} cannot be stored", where);
        Global("torch._utils", "_rebuild_tensor_v2");
        Bytes((byte)'('); // the arguments of the rebuild
        Bytes((byte)'('); // the persistent id of the storage
        Text("storage");
        Global("torch", ElementTypes.StorageName(tensor.dtype));
        Text($"{Tensors.Count}");
        Text("cpu");
        Integer(tensor.numel());
        Bytes((byte)'t', (byte)'Q');
        Integer(0);
        Extents(tensor.shape);
        Extents(Strides(tensor.shape));
        Bytes(0x89);
        Global("collections", "OrderedDict");
        Bytes((byte)')', (byte)'R', (byte)'t', (byte)'R');
        Tensors.Add(tensor);
    }

    private static long[] Strides(long[] shape)
    {
        var strides = new long[shape.Length];
        for (var (i, stride) = (shape.Length - 1, 1L); i >= 0; stride *= Math.Max(1, shape[i]), i--)
            strides[i] = stride;
        return strides;
    }

    private void Extents(long[] values)
    {
        Bytes((byte)'(');
        foreach (var value in values)
            Integer(value);
        Bytes((byte)'t');
    }

    private void Global(string module, string name) => _stream.Write(Encoding.ASCII.GetBytes($"c{module}\n{name}\n"));

    private void Integer(long value)
    {
        Span<byte> buffer = stackalloc byte[8];
        if (value is >= int.MinValue and <= int.MaxValue)
        {
            BinaryPrimitives.WriteInt32LittleEndian(buffer, (int)value);
            Bytes((byte)'J');
            _stream.Write(buffer[..4]);
            return;
        }
        BinaryPrimitives.WriteInt64LittleEndian(buffer, value);
        Bytes(0x8a, 8);
        _stream.Write(buffer);
    }

    private void Real(double value)
    {
        Span<byte> buffer = stackalloc byte[8];
        BinaryPrimitives.WriteDoubleBigEndian(buffer, value);
        Bytes((byte)'G');
        _stream.Write(buffer);
    }

    private void Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        Bytes((byte)'X');
        _stream.Write(length);
        _stream.Write(bytes);
    }

    private void Bytes(params ReadOnlySpan<byte> bytes) => _stream.Write(bytes);
}
