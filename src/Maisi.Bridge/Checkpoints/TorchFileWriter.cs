using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using static TorchSharp.torch;

namespace Maisi.Bridge.Checkpoints;

/// <summary>
/// Writes a state dict as <c>torch.save</c> does: a zip of a pickle (protocol 2, an OrderedDict of tensors) and one stored entry per
/// tensor. Format: torch/serialization.py of PyTorch 2.
/// </summary>
public static class TorchFileWriter
{
    private const string Folder = "archive";

    /// <summary>Writes tensors to a .pt file, which appears only when it is complete.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">Names and tensors in order; they are copied to the CPU one by one.</param>
    public static void Save(string path, IReadOnlyList<KeyValuePair<string, Tensor>> tensors) => AtomicFile.Write(path, stream =>
    {
        using var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        Write(zip, "data.pkl", Pickle(tensors));
        Write(zip, "byteorder", "little"u8);
        for (var i = 0; i < tensors.Count; i++)
        {
            using var plain = tensors[i].Value.detach().cpu().contiguous();
            Write(zip, $"data/{i}", plain.bytes);
        }
        Write(zip, "version", "3\n"u8);
    });

    private static void Write(ZipArchive zip, string name, ReadOnlySpan<byte> content)
    {
        using var entry = zip.CreateEntry($"{Folder}/{name}", CompressionLevel.NoCompression).Open();
        entry.Write(content);
    }

    private static byte[] Pickle(IReadOnlyList<KeyValuePair<string, Tensor>> tensors)
    {
        using var pickle = new MemoryStream();
        pickle.Write([0x80, 2]);
        Global(pickle, "collections", "OrderedDict");
        pickle.Write(")R("u8);
        for (var i = 0; i < tensors.Count; i++)
        {
            var (name, tensor) = tensors[i];
            Text(pickle, name);
            Global(pickle, "torch._utils", "_rebuild_tensor_v2");
            // ((storage), offset, size, stride, requires_grad, hooks), the storage as a persistent id.
            pickle.Write("(("u8);
            Text(pickle, "storage");
            Global(pickle, "torch", StorageName(tensor.dtype));
            Text(pickle, i.ToString(System.Globalization.CultureInfo.InvariantCulture));
            Text(pickle, "cpu");
            Integer(pickle, tensor.numel());
            pickle.Write("tQ"u8);
            Integer(pickle, 0);
            Tuple(pickle, tensor.shape);
            Tuple(pickle, Strides(tensor.shape));
            pickle.WriteByte(0x89);
            Global(pickle, "collections", "OrderedDict");
            pickle.Write(")RtR"u8);
        }
        pickle.Write("u."u8);
        return pickle.ToArray();
    }

    private static void Global(MemoryStream pickle, string module, string name) => pickle.Write(Encoding.ASCII.GetBytes($"c{module}\n{name}\n"));

    private static void Text(MemoryStream pickle, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        pickle.WriteByte((byte)'X');
        pickle.Write(length);
        pickle.Write(bytes);
    }

    private static void Integer(MemoryStream pickle, long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        if (value is >= int.MinValue and <= int.MaxValue)
        {
            pickle.WriteByte((byte)'J');
            pickle.Write(bytes[..4]);
            return;
        }
        pickle.Write([0x8a, 8]);
        pickle.Write(bytes);
    }

    private static void Tuple(MemoryStream pickle, long[] values)
    {
        pickle.WriteByte((byte)'(');
        foreach (var value in values)
            Integer(pickle, value);
        pickle.WriteByte((byte)'t');
    }

    private static long[] Strides(long[] shape)
    {
        var strides = new long[shape.Length];
        var step = 1L;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = step;
            step *= Math.Max(shape[i], 1);
        }
        return strides;
    }

    private static string StorageName(ScalarType type) => type switch
    {
        ScalarType.Float32 => "FloatStorage",
        ScalarType.Float64 => "DoubleStorage",
        ScalarType.Float16 => "HalfStorage",
        ScalarType.BFloat16 => "BFloat16Storage",
        ScalarType.Int64 => "LongStorage",
        ScalarType.Int32 => "IntStorage",
        ScalarType.Int16 => "ShortStorage",
        ScalarType.Int8 => "CharStorage",
        ScalarType.Byte => "ByteStorage",
        ScalarType.Bool => "BoolStorage",
        _ => throw new CheckpointException($"tensors of type {type} cannot be written to a .pt file"),
    };
}
