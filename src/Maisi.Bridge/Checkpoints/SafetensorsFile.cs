using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace Maisi.Bridge.Checkpoints;

/// <summary>Safetensors files as a whole; for large ones see <see cref="CheckpointFile"/>, which reads tensor by tensor.</summary>
public static class SafetensorsFile
{
    private const int Alignment = 8;

    /// <summary>Reads every tensor into memory.</summary>
    /// <exception cref="CheckpointException">The file is damaged.</exception>
    public static Dictionary<string, Tensor> Load(string path)
    {
        using var file = CheckpointFile.Open(path);
        return file.Flatten().ToDictionary(t => t.Key, t => t.Value.ToTensor(), StringComparer.Ordinal);
    }

    /// <summary>Writes tensors in the given order; the file appears whole or not at all.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="tensors">Names and tensors, on any device.</param>
    /// <param name="metadata">Text to keep beside them.</param>
    /// <exception cref="CheckpointException">A tensor of a type that the format does not have.</exception>
    public static void Save(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var items = tensors.ToArray();
        var header = Header(path, items, metadata);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> prefix = stackalloc byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)header.Length);
            stream.Write(prefix);
            stream.Write(header);
            foreach (var (_, tensor) in items)
                TensorBytes.Write(tensor, stream.Write);
        });
    }

    private static byte[] Header(string path, KeyValuePair<string, Tensor>[] items, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is not null)
            {
                json.WritePropertyName("__metadata__");
                JsonSerializer.Serialize(json, metadata);
            }
            var at = 0L;
            foreach (var (name, tensor) in items)
            {
                if (!ElementTypes.IsSupported(tensor.dtype))
                    throw new CheckpointException($"tensor '{name}' has element type {tensor.dtype}, which cannot be stored", path);
                json.WriteStartObject(name);
                json.WriteString("dtype", ElementTypes.SafetensorsName(tensor.dtype));
                json.WriteStartArray("shape");
                foreach (var extent in tensor.shape)
                    json.WriteNumberValue(extent);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(at);
                json.WriteNumberValue(at += tensor.numel() * ElementTypes.Size(tensor.dtype));
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (buffer.Length % Alignment != 0)
            buffer.WriteByte((byte)' ');
        return buffer.ToArray();
    }
}
