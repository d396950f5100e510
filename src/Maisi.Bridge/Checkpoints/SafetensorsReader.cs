// Format: https://huggingface.co/docs/safetensors, version 0.4.
using System.Buffers.Binary;
using System.Text.Json;

namespace Maisi.Bridge.Checkpoints;

/// <summary>Reads the header of a safetensors file. The tensors must fill the file exactly, without overlaps or gaps.</summary>
internal static class SafetensorsReader
{
    private const int PrefixBytes = 8;

    /// <summary>Tensors and metadata of the file.</summary>
    /// <exception cref="CheckpointException">The header is damaged or describes bytes that are not there.</exception>
    public static (Dictionary<string, StoredTensor> Tensors, Dictionary<string, string> Metadata) Read(FileRegion file)
    {
        if (file.Length < PrefixBytes + 2)
            throw Damaged(file, $"{file.Length} bytes are too few for a header");
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        file.Read(0, prefix);
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > (ulong)(file.Length - PrefixBytes))
            throw Damaged(file, $"the header claims {headerLength} bytes of a file of {file.Length}");
        var header = file.Slice(PrefixBytes, (long)headerLength).ReadAll();
        var data = file.Slice(PrefixBytes + (long)headerLength, file.Length - PrefixBytes - (long)headerLength);
        try
        {
            using var json = JsonDocument.Parse(header);
            return Parse(file, data, json.RootElement);
        }
        catch (JsonException e)
        {
            throw Damaged(file, $"the header is not JSON: {e.Message}");
        }
        catch (InvalidOperationException e)
        {
            // An invalid UTF-16 escape or an entry of the wrong JSON kind.
            throw Damaged(file, $"the header has an entry of the wrong kind: {e.Message}");
        }
    }

    private static (Dictionary<string, StoredTensor> Tensors, Dictionary<string, string> Metadata) Parse(FileRegion file, FileRegion data, JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw Damaged(file, "the header is not an object");
        var tensors = new Dictionary<string, StoredTensor>(StringComparer.Ordinal);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var ranges = new List<(long Begin, long End, string Name)>();
        foreach (var entry in root.EnumerateObject())
        {
            if (entry.NameEquals("__metadata__"))
            {
                foreach (var pair in entry.Value.EnumerateObject())
                    metadata[pair.Name] = pair.Value.GetString() ?? throw Damaged(file, $"metadata '{pair.Name}' is null");
                continue;
            }
            var (tensor, begin, end) = ParseTensor(file, data, entry);
            ranges.Add((begin, end, entry.Name));
            if (!tensors.TryAdd(entry.Name, tensor))
                throw Damaged(file, $"tensor '{entry.Name}' occurs twice");
        }
        CheckCoverage(file, data, ranges);
        return (tensors, metadata);
    }

    private static (StoredTensor Tensor, long Begin, long End) ParseTensor(FileRegion file, FileRegion data, JsonProperty entry)
    {
        if (!entry.Value.TryGetProperty("dtype", out var dtype) || !entry.Value.TryGetProperty("shape", out var shape) ||
            !entry.Value.TryGetProperty("data_offsets", out var offsets) || offsets.ValueKind != JsonValueKind.Array || offsets.GetArrayLength() != 2)
            throw Damaged(file, $"tensor '{entry.Name}' lacks dtype, shape or data_offsets");
        var type = ElementTypes.FromSafetensors(dtype.GetString() ?? "")
            ?? throw new CheckpointException($"tensor '{entry.Name}' has element type {dtype}, which is not supported", file.Path);
        var extents = shape.EnumerateArray().Select(e => Integer(file, entry.Name, e)).ToArray();
        long begin = Integer(file, entry.Name, offsets[0]), end = Integer(file, entry.Name, offsets[1]);
        var tensor = new StoredTensor(data.Slice(begin, end - begin), type, extents, strides: null, offset: 0);
        if (tensor.Bytes != end - begin)
            throw Damaged(file, $"tensor '{entry.Name}' needs {tensor.Bytes} bytes, but its range has {end - begin}");
        return (tensor, begin, end);
    }

    private static long Integer(FileRegion file, string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : throw Damaged(file, $"tensor '{name}' has a number that is not one: {value}");

    private static void CheckCoverage(FileRegion file, FileRegion data, List<(long Begin, long End, string Name)> ranges)
    {
        var at = 0L;
        foreach (var (begin, end, name) in ranges.OrderBy(r => r.Begin).ThenBy(r => r.End))
        {
            if (begin != at)
                throw Damaged(file, $"tensor '{name}' begins at {begin}, but the one before it ends at {at}");
            at = end;
        }
        if (at != data.Length)
            throw Damaged(file, $"the tensors end at {at}, but the data at {data.Length}");
    }

    private static CheckpointException Damaged(FileRegion file, string what) => new($"not a valid safetensors file: {what}", file.Path, "the file is damaged or of another format: get it again");
}
