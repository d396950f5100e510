using System.Collections;
using System.Globalization;
using System.Numerics;
using System.Text.Json;

namespace Maisi.Bridge.Python;

/// <summary>An object that stays in the worker; only its number crosses.</summary>
/// <param name="Id">The number.</param>
/// <param name="Type">Its Python class, with the module.</param>
public sealed record PythonHandle(long Id, string Type);

/// <summary>A Python tuple; a list for all who do not care.</summary>
public sealed class PythonTuple(IEnumerable<object?> items) : List<object?>(items);

/// <summary>Values to lines and back; the counterpart of <c>maisi_bridge/wire.py</c>, which documents the form.</summary>
internal static class WireCodec
{
    private const string Kind = "$";

    /// <summary>Writes a value: null, bool, numbers, text, bytes, dictionaries, sequences, arrays, handles.</summary>
    /// <exception cref="ArgumentException">The value has no form in Python.</exception>
    public static void Write(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case null or DBNull: // a dictionary's key cannot be null
                writer.WriteNullValue();
                break;
            case bool b:
                writer.WriteBooleanValue(b);
                break;
            case string s:
                writer.WriteStringValue(s);
                break;
            case float or double or Half:
                WriteFloat(writer, Convert.ToDouble(value is Half h ? (double)h : value, CultureInfo.InvariantCulture));
                break;
            case sbyte or byte or short or ushort or int or uint or long:
                writer.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
            case ulong or BigInteger:
                WriteTagged(writer, "int", w => w.WriteString("value", Convert.ToString(value, CultureInfo.InvariantCulture)));
                break;
            case byte[] bytes:
                WriteTagged(writer, "bytes", w => w.WriteBase64String("value", bytes));
                break;
            case SharedArray array:
                WriteArray(writer, array);
                break;
            case PythonHandle handle:
                WriteTagged(writer, "handle", w => w.WriteNumber("id", handle.Id));
                break;
            case IDictionary map:
                WriteMap(writer, map);
                break;
            case PythonTuple tuple:
                WriteTagged(writer, "tuple", w =>
                {
                    w.WritePropertyName("items");
                    WriteItems(w, tuple);
                });
                break;
            case IEnumerable items:
                WriteItems(writer, items);
                break;
            default:
                throw new ArgumentException($"a {value.GetType()} cannot be passed to Python", nameof(value));
        }
    }

    /// <summary>
    /// Reads a value: null, bool, long, double, <see cref="BigInteger"/>, string, byte[], List, <see cref="PythonTuple"/>, Dictionary, <see cref="SharedArray"/>,
    /// <see cref="PythonHandle"/>.
    /// </summary>
    public static object? Read(JsonElement e) => e.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.String => e.GetString(),
        JsonValueKind.Number => e.TryGetInt64(out var n) ? (object)n : e.GetDouble(),
        JsonValueKind.Array => e.EnumerateArray().Select(Read).ToList(),
        _ => e.TryGetProperty(Kind, out var kind) ? ReadTagged(e, kind.GetString()!)
            : e.EnumerateObject().ToDictionary(p => p.Name, p => Read(p.Value), StringComparer.Ordinal),
    };

    private static object? ReadTagged(JsonElement e, string kind) => kind switch
    {
        "float" => ReadFloat(e.GetProperty("value").GetString()!),
        "int" => BigInteger.Parse(e.GetProperty("value").GetString()!, CultureInfo.InvariantCulture),
        "bytes" => e.GetProperty("value").GetBytesFromBase64(),
        "tuple" => new PythonTuple(e.GetProperty("items").EnumerateArray().Select(Read)),
        "dict" => e.GetProperty("items").EnumerateArray().ToDictionary(pair => Read(pair[0]) ?? DBNull.Value, pair => Read(pair[1])),
        "handle" => new PythonHandle(e.GetProperty("id").GetInt64(), e.GetProperty("type").GetString()!),
        "array" => SharedArray.Adopt(
            e.GetProperty("file").GetString(),
            e.GetProperty("dtype").GetString()!,
            [.. e.GetProperty("shape").EnumerateArray().Select(n => n.GetInt64())],
            e.GetProperty("as").GetString() == "torch" ? PythonArrayKind.Torch : PythonArrayKind.Numpy),
        _ => throw new PythonProtocolException($"the worker sent a value of the unknown kind '{kind}'"),
    };

    private static double ReadFloat(string text) => text switch
    {
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        _ => double.NaN,
    };

    private static void WriteFloat(Utf8JsonWriter writer, double value)
    {
        if (!double.IsFinite(value))
            WriteTagged(writer, "float", w => w.WriteString("value", double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf"));
        else if (value == Math.Floor(value) && Math.Abs(value) < 1e15)
            writer.WriteRawValue(value.ToString("0.0", CultureInfo.InvariantCulture)); // a float stays a float in Python
        else
            writer.WriteNumberValue(value);
    }

    private static void WriteArray(Utf8JsonWriter writer, SharedArray array)
    {
        _ = array.Address;
        WriteTagged(writer, "array", w =>
        {
            w.WriteString("dtype", array.DType);
            w.WriteStartArray("shape");
            foreach (var n in array.Shape)
                w.WriteNumberValue(n);
            w.WriteEndArray();
            w.WriteString("as", array.Kind == PythonArrayKind.Torch ? "torch" : "numpy");
            w.WriteString("file", array.FilePath);
        });
    }

    private static void WriteItems(Utf8JsonWriter writer, IEnumerable items)
    {
        writer.WriteStartArray();
        foreach (var item in items)
            Write(writer, item);
        writer.WriteEndArray();
    }

    private static void WriteMap(Utf8JsonWriter writer, IDictionary map)
    {
        var plain = map.Keys.Cast<object>().All(key => key is string s && s != Kind);
        if (plain)
        {
            writer.WriteStartObject();
            foreach (DictionaryEntry entry in map)
            {
                writer.WritePropertyName((string)entry.Key);
                Write(writer, entry.Value);
            }
            writer.WriteEndObject();
            return;
        }
        WriteTagged(writer, "dict", w =>
        {
            w.WriteStartArray("items");
            foreach (DictionaryEntry entry in map)
            {
                w.WriteStartArray();
                Write(w, entry.Key);
                Write(w, entry.Value);
                w.WriteEndArray();
            }
            w.WriteEndArray();
        });
    }

    private static void WriteTagged(Utf8JsonWriter writer, string kind, Action<Utf8JsonWriter> fields)
    {
        writer.WriteStartObject();
        writer.WriteString(Kind, kind);
        fields(writer);
        writer.WriteEndObject();
    }
}
