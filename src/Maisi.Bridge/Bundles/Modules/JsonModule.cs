using System.Numerics;
using System.Text;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Bundles.Parsing;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>Python's <c>json.dumps</c> and <c>json.loads</c>.</summary>
internal static class JsonModule
{
    /// <summary>Adds the module.</summary>
    public static void Add(TargetRegistryBuilder builder) => builder
        .AddFunction("json.dumps", (c, a) =>
        {
            var text = JsonText.Write(a.Required(0, "obj", "dumps"), c.Types, a.Named.GetValueOrDefault("indent") is long indent ? (int)Math.Clamp(indent, 0, 16) : null, unknown: null);
            c.Budget.Take(text.Length);
            return text;
        })
        .AddFunction("json.loads", (c, a) =>
        {
            var text = StringMethods.Text(a, 0, "loads");
            c.Budget.Take(text.Length);
            return JsonConfigReader.Parse(text, "json.loads", static (_, _) => { }).ToValue();
        });
}

/// <summary>Writes Python values as JSON, in the form of Python's <c>json.dumps</c>.</summary>
public static class JsonText
{
    private const int MaxLength = 16 << 20;
    private const int MaxDepth = 200;

    /// <summary>The JSON text of a value. Tuples are lists; NaN is written as Python writes it.</summary>
    /// <param name="value">The value.</param>
    /// <param name="types">Gives plain values of objects.</param>
    /// <param name="indent">Blanks per level; null for one line.</param>
    /// <param name="unknown">What to write for an object that has no plain value; null: that is a TypeError.</param>
    public static string Write(object? value, TypeTable types, int? indent = null, Func<object, object?>? unknown = null)
    {
        var text = new StringBuilder();
        Write(text, value, types, indent, unknown, 0);
        return text.ToString();
    }

    private static void Write(StringBuilder text, object? value, TypeTable types, int? indent, Func<object, object?>? unknown, int depth)
    {
        if (depth > MaxDepth || text.Length > MaxLength)
            throw new BundleException(BundleErrorKind.ValueError, depth > MaxDepth ? "the value nests too deep for JSON, or holds itself" : $"the value is longer than {MaxLength >> 20} MB as JSON");
        switch (value)
        {
            case null:
                text.Append("null");
                break;
            case bool b:
                text.Append(b ? "true" : "false");
                break;
            case string s:
                WriteString(text, s);
                break;
            case long or int or BigInteger:
                text.Append(((IFormattable)value).ToString(null, System.Globalization.CultureInfo.InvariantCulture));
                break;
            case double or float:
                var number = Numbers.ToDouble(value);
                text.Append(double.IsNaN(number) ? "NaN" : double.IsInfinity(number) ? number > 0 ? "Infinity" : "-Infinity" : Representation.Float(number));
                break;
            case DictValue dict:
                text.Append('{');
                var isFirst = true;
                foreach (var (key, item) in dict)
                {
                    Separate(text, ref isFirst, indent, depth + 1);
                    WriteString(text, key as string ?? ConfigId.Child("", NoneKey.Wrap(key)));
                    text.Append(": ");
                    Write(text, item, types, indent, unknown, depth + 1);
                }
                if (dict.Count > 0)
                    NewLine(text, indent, depth);
                text.Append('}');
                break;
            case IReadOnlyList<object?> list:
                text.Append('[');
                var isStart = true;
                foreach (var item in list)
                {
                    Separate(text, ref isStart, indent, depth + 1);
                    Write(text, item, types, indent, unknown, depth + 1);
                }
                if (list.Count > 0)
                    NewLine(text, indent, depth);
                text.Append(']');
                break;
            default:
                var plain = types.Find(value)?.ToPlain(value) ?? unknown?.Invoke(value)
                    ?? throw new BundleException(BundleErrorKind.TypeError, $"Object of type {PythonTypes.NameOf(value)} is not JSON serializable");
                Write(text, plain, types, indent, unknown, depth);
                break;
        }
    }

    private static void Separate(StringBuilder text, ref bool isFirst, int? indent, int depth)
    {
        if (!isFirst)
            text.Append(indent is null ? ", " : ",");
        isFirst = false;
        NewLine(text, indent, depth);
    }

    private static void NewLine(StringBuilder text, int? indent, int depth)
    {
        if (indent is { } width)
            text.Append('\n').Append(' ', width * depth);
    }

    private static void WriteString(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var c in value)
        {
            switch (c)
            {
                case '"' or '\\':
                    text.Append('\\').Append(c);
                    break;
                case '\n':
                    text.Append(@"\n");
                    break;
                case '\r':
                    text.Append(@"\r");
                    break;
                case '\t':
                    text.Append(@"\t");
                    break;
                case < ' ' or > '~':
                    text.Append(System.Globalization.CultureInfo.InvariantCulture, $@"\u{(int)c:x4}");
                    break;
                default:
                    text.Append(c);
                    break;
            }
        }
        text.Append('"');
    }
}
