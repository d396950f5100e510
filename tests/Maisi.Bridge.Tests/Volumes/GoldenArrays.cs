using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Tests.Volumes;

/// <summary>The arrays of a golden .safetensors fixture as numbers, in C order, and its .json.</summary>
internal sealed class GoldenArrays
{
    private readonly byte[] _bytes;
    private readonly JsonElement _header;
    private readonly int _start;

    public GoldenArrays(string name)
    {
        _bytes = File.ReadAllBytes(TestPaths.Golden(name + ".safetensors"));
        _start = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(_bytes);
        _header = JsonDocument.Parse(_bytes.AsMemory(8, _start - 8)).RootElement;
        Info = JsonDocument.Parse(File.ReadAllBytes(TestPaths.Golden(name + ".json"))).RootElement;
    }

    public JsonElement Info { get; }

    public int[] Shape(string key) => [.. _header.GetProperty(key).GetProperty("shape").EnumerateArray().Select(e => e.GetInt32())];

    public float[] Floats(string key) => Read(key, v => (float)v);

    public int[] Ints(string key) => Read(key, v => (int)v);

    public byte[] Bytes(string key) => Read(key, v => (byte)v);

    private T[] Read<T>(string key, Func<double, T> convert)
    {
        var entry = _header.GetProperty(key);
        var span = _bytes.AsSpan(_start + entry.GetProperty("data_offsets")[0].GetInt32(), entry.GetProperty("data_offsets")[1].GetInt32() - entry.GetProperty("data_offsets")[0].GetInt32());
        return entry.GetProperty("dtype").GetString() switch
        {
            "U8" or "BOOL" => [.. span.ToArray().Select(v => convert(v))],
            "I16" => [.. MemoryMarshal.Cast<byte, short>(span).ToArray().Select(v => convert(v))],
            "I32" => [.. MemoryMarshal.Cast<byte, int>(span).ToArray().Select(v => convert(v))],
            "I64" => [.. MemoryMarshal.Cast<byte, long>(span).ToArray().Select(v => convert(v))],
            "F32" => [.. MemoryMarshal.Cast<byte, float>(span).ToArray().Select(v => convert(v))],
            "F64" => [.. MemoryMarshal.Cast<byte, double>(span).ToArray().Select(v => convert(v))],
            var other => throw new NotSupportedException(other),
        };
    }
}
