using System.Globalization;
using System.Text;

namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>Python's <c>str.format</c>.</summary>
internal static class StringFormat
{
    /// <summary><c>'{} {name!r:5}'.format(...)</c>; attributes in a field go through the same whitelist as everywhere.</summary>
    public static object? Format(EvaluationContext context, string text, CallArguments arguments)
    {
        var built = new StringBuilder();
        var automatic = 0;
        for (var at = 0; at < text.Length; at++)
        {
            context.Budget.Step();
            var c = text[at];
            if (c is '{' or '}' && at + 1 < text.Length && text[at + 1] == c)
            {
                built.Append(c);
                at++;
            }
            else if (c == '}')
                throw new BundleException(BundleErrorKind.ValueError, "Single '}' encountered in format string");
            else if (c == '{')
            {
                var end = text.IndexOf('}', at);
                if (end < 0)
                    throw new BundleException(BundleErrorKind.ValueError, "Single '{' encountered in format string");
                var piece = Field(context, text[(at + 1)..end], arguments, ref automatic);
                context.Budget.Take(piece.Length);
                built.Append(piece);
                at = end;
            }
            else
                built.Append(c);
        }
        context.Budget.Take(text.Length);
        return built.ToString();
    }

    private static string Field(EvaluationContext context, string field, CallArguments arguments, ref int automatic)
    {
        var colon = field.IndexOf(':', StringComparison.Ordinal);
        var (name, specification) = colon < 0 ? (field, "") : (field[..colon], field[(colon + 1)..]);
        if (specification.Contains('{'))
            throw new BundleException(BundleErrorKind.ValueError, "a field inside a format is not supported", hint: "write it as an f-string");
        var exclamation = name.IndexOf('!', StringComparison.Ordinal);
        var conversion = exclamation < 0 ? "" : name[(exclamation + 1)..];
        name = exclamation < 0 ? name : name[..exclamation];
        var end = name.IndexOfAny(['.', '[']);
        var first = end < 0 ? name : name[..end];
        var index = first.Length == 0 ? automatic++ : int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
        if (index >= arguments.Positional.Count)
            throw new BundleException(BundleErrorKind.IndexError, $"Replacement index {index} out of range for positional args tuple");
        var value = index >= 0 ? arguments.Positional[index] : arguments.Required(int.MaxValue, first, "format");
        value = Path(context, value, end < 0 ? "" : name[end..]);
        value = conversion switch { "" => value, "r" or "a" => Representation.Repr(value, context), "s" => Representation.Str(value, context), _ => throw new BundleException(BundleErrorKind.ValueError, $"Unknown conversion specifier '{conversion}'") };
        return FormatSpecification.Format(value, specification, context);
    }

    private static object? Path(EvaluationContext context, object? value, string path)
    {
        while (path.Length > 0)
        {
            var isIndex = path[0] == '[';
            var end = isIndex ? path.IndexOf(']', StringComparison.Ordinal) : path.IndexOfAny(['.', '['], 1);
            if (end < 0)
                end = isIndex ? throw new BundleException(BundleErrorKind.ValueError, "Missing ']' in format string") : path.Length;
            var key = path[1..end];
            value = !isIndex ? Members.Get(value, key, context)
                : Subscripts.Get(value, long.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : key, context);
            path = path[(isIndex ? end + 1 : end)..];
        }
        return value;
    }
}

/// <summary>The <c>%</c> operator of strings.</summary>
internal static class PercentFormat
{
    /// <summary><c>'%d of %s' % (1, 'x')</c> and <c>'%(name)s' % {...}</c>.</summary>
    public static string Format(string text, object? argument, EvaluationContext context)
    {
        var values = argument is TupleValue tuple ? tuple : new TupleValue(argument);
        var built = new StringBuilder();
        var next = 0;
        var named = false;
        for (var at = 0; at < text.Length; at++)
        {
            context.Budget.Step();
            if (text[at] != '%')
            {
                built.Append(text[at]);
                continue;
            }
            if (++at >= text.Length)
                throw Bad("incomplete format");
            if (text[at] == '%')
            {
                built.Append('%');
                continue;
            }
            object? value = null;
            if (text[at] == '(')
            {
                var end = text.IndexOf(')', at);
                if (end < 0 || argument is not DictValue dict)
                    throw new BundleException(BundleErrorKind.TypeError, "format requires a mapping");
                value = Subscripts.Get(dict, text[(at + 1)..end], context);
                named = true;
                at = end + 1;
            }
            var flags = "";
            while (at < text.Length && "#0- +".Contains(text[at]))
                flags += text[at++];
            var start = at;
            while (at < text.Length && (char.IsAsciiDigit(text[at]) || text[at] == '.'))
                at++;
            if (at >= text.Length)
                throw Bad("incomplete format");
            var size = text[start..at];
            var type = text[at];
            if (!named)
                value = next < values.Count ? values[next++] : throw new BundleException(BundleErrorKind.TypeError, "not enough arguments for format string");
            var piece = Piece(value, type, flags, size, context);
            context.Budget.Take(piece.Length);
            built.Append(piece);
        }
        if (!named && argument is not DictValue && next < values.Count)
            throw new BundleException(BundleErrorKind.TypeError, "not all arguments converted during string formatting");
        context.Budget.Take(text.Length);
        return built.ToString();
    }

    private static string Piece(object? value, char type, string flags, string size, EvaluationContext context)
    {
        var align = flags.Contains('-') ? "<" : type is 's' or 'r' ? ">" : flags.Contains('0') ? "0=" : ">";
        var sign = flags.Contains('+') ? "+" : flags.Contains(' ') ? " " : "";
        var alternate = flags.Contains('#') ? "#" : "";
        switch (type)
        {
            case 's' or 'r' or 'a':
                return FormatSpecification.Format(type == 's' ? Representation.Str(value, context) : Representation.Repr(value, context), align + size, context);
            case 'c':
                return value as string ?? char.ConvertFromUtf32((int)Numbers.ToLong(value));
            case 'd' or 'i' or 'u' or 'x' or 'X' or 'o':
                if (value is double number && type is 'd' or 'i' or 'u')
                    value = Numbers.Normalize(Numbers.ToInteger(number));
                if (!Numbers.IsInteger(value))
                    throw new BundleException(BundleErrorKind.TypeError, $"%{type} format: a number is required, not {PythonTypes.NameOf(value)}");
                var dot = size.IndexOf('.', StringComparison.Ordinal);
                return FormatSpecification.Format(Numbers.Normalize(Numbers.ToBig(value)), align + sign + alternate + (dot < 0 ? size : size[..dot]) + (type is 'i' or 'u' ? 'd' : type), context);
            case 'e' or 'E' or 'f' or 'F' or 'g' or 'G':
                return FormatSpecification.Format(Numbers.ToDouble(value), align + sign + size + (size.EndsWith('.') ? "0" : "") + type, context);
            default:
                throw Bad($"unsupported format character '{type}'");
        }
    }

    private static BundleException Bad(string message) => new(BundleErrorKind.ValueError, message);
}
