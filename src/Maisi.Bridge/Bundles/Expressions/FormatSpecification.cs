using System.Globalization;
using System.Numerics;

namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>Python's format specification: <c>[[fill]align][sign][#][0][width][,|_][.precision][type]</c>.</summary>
internal static class FormatSpecification
{
    private const int MaxPrecision = 1000;

    /// <summary>Formats a value, as <c>format(value, specification)</c>.</summary>
    public static string Format(object? value, string specification, EvaluationContext context)
    {
        if (specification.Length == 0)
            return Representation.Str(value, context);
        if (value is not string && !Numbers.IsNumber(value))
            throw new BundleException(BundleErrorKind.TypeError, $"unsupported format string passed to {PythonTypes.NameOf(value)}.__format__");
        var at = 0;
        var (fill, align) = (' ', '\0');
        if (specification.Length > 1 && specification[1] is '<' or '>' or '^' or '=')
            (fill, align, at) = (specification[0], specification[1], 2);
        else if (specification[0] is '<' or '>' or '^' or '=')
            (align, at) = (specification[0], 1);
        var sign = Take(specification, ref at, "+- ") ?? '-';
        var alternate = Take(specification, ref at, "#") is not null;
        if (Take(specification, ref at, "0") is not null && align == '\0')
            (fill, align) = ('0', value is string ? '<' : '=');
        var width = Integer(specification, ref at) ?? 0;
        var grouping = Take(specification, ref at, ",_");
        int? precision = null;
        if (Take(specification, ref at, ".") is not null)
            precision = Integer(specification, ref at) ?? throw Bad("Format specifier missing precision");
        var type = at < specification.Length ? specification[at++] : '\0';
        if (at < specification.Length)
            throw Bad($"Invalid format specifier '{specification}'");
        context.Budget.Take(width);
        if (value is string text)
        {
            if (type is not ('\0' or 's') || align == '=')
                throw Bad($"Unknown format code '{type}' for object of type 'str'");
            return Align(precision is { } most && most < text.Length ? text[..most] : text, align == '\0' ? '<' : align, fill, width);
        }
        var (negative, body) = Number(value!, type, precision, grouping, alternate, context);
        var mark = negative ? "-" : sign == '-' ? "" : sign.ToString();
        return align == '='
            ? mark + body.PadLeft(Math.Max(width - mark.Length, 0), fill)
            : Align(mark + body, align == '\0' ? '>' : align, fill, width);
    }

    /// <summary>Pads a text to a width.</summary>
    public static string Align(string text, char align, char fill, int width)
    {
        var missing = Math.Max(width - PythonTypes.CharacterCount(text), 0);
        var left = align switch { '<' => 0, '^' => missing / 2, _ => missing };
        return new string(fill, left) + text + new string(fill, missing - left);
    }

    /// <summary>A float with a fixed number of places, ties to even as in C.</summary>
    public static string Fixed(double value, int places)
    {
        const int guard = 40;
        var text = value.ToString("F" + places, CultureInfo.InvariantCulture);
        if (places > 300 || Math.Abs(value) > 1e15)
            return text;
        // .NET rounds exact ties away from zero: look at the exact digits and step back when the digit before is even.
        var exact = value.ToString("F" + (places + guard), CultureInfo.InvariantCulture);
        var tail = exact[^guard..];
        if (tail[0] != '5' || tail.AsSpan(1).ContainsAnyExcept('0'))
            return text;
        var truncated = exact[..^guard].TrimEnd('.');
        return (truncated[^1] - '0') % 2 == 0 ? truncated : text;
    }

    private static (bool Negative, string Body) Number(object value, char type, int? precision, char? grouping, bool alternate, EvaluationContext context)
    {
        if (Numbers.IsInteger(value) && type is '\0' or 'd' or 'n' or 'x' or 'X' or 'o' or 'b' or 'c')
        {
            if (value is bool && type == '\0')
                return (false, Representation.Str(value, context));
            var number = Numbers.ToBig(value);
            if (precision is not null)
                throw Bad("Precision not allowed in integer format specifier");
            if (type == 'c')
                return (false, char.ConvertFromUtf32((int)BigInteger.Min(number, 0x10FFFF)));
            var magnitude = BigInteger.Abs(number);
            var digits = type switch { 'x' => Radix(magnitude, 16), 'X' => Radix(magnitude, 16).ToUpperInvariant(), 'o' => Radix(magnitude, 8), 'b' => Radix(magnitude, 2), _ => magnitude.ToString(CultureInfo.InvariantCulture) };
            var prefix = alternate ? type switch { 'x' => "0x", 'X' => "0X", 'o' => "0o", 'b' => "0b", _ => "" } : "";
            return (number.Sign < 0, prefix + Group(digits, grouping, type is 'x' or 'X' or 'o' or 'b' ? 4 : 3));
        }
        if (type is not ('\0' or 'f' or 'F' or 'e' or 'E' or 'g' or 'G' or '%' or 'n'))
            throw Bad($"Unknown format code '{type}' for object of type '{PythonTypes.NameOf(value)}'");
        var d = Numbers.ToDouble(value);
        var negative = d < 0 || (d == 0 && double.IsNegative(d));
        var absolute = Math.Abs(d);
        if (!double.IsFinite(absolute))
            return (negative, (type is 'F' or 'E' or 'G' ? Representation.Float(absolute).ToUpperInvariant() : Representation.Float(absolute)) + (type == '%' ? "%" : ""));
        if (precision > MaxPrecision)
            throw Bad($"precision above {MaxPrecision}");
        var places = precision ?? 6;
        var body = type switch
        {
            'f' or 'F' => Fixed(absolute, places),
            '%' => Fixed(absolute * 100, places) + "%",
            'e' or 'E' => Exponent(absolute, places, type),
            '\0' when precision is null => Representation.Float(absolute),
            _ => General(absolute, Math.Max(places, 1), type is 'G' ? 'E' : 'e', keepPoint: type == '\0'),
        };
        var point = body.IndexOfAny(['.', 'e', 'E', '%']);
        return (negative, point < 0 ? Group(body, grouping, 3) : Group(body[..point], grouping, 3) + body[point..]);
    }

    /// <summary>The scientific notation of C: two digits of exponent at least.</summary>
    public static string Exponent(double value, int places, char letter)
    {
        var text = value.ToString((letter == 'e' ? "e" : "E") + places, CultureInfo.InvariantCulture);
        var at = text.IndexOf(letter, StringComparison.Ordinal);
        var exponent = int.Parse(text.AsSpan(at + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return $"{text[..at]}{letter}{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }

    /// <summary>The general notation of C: fixed for moderate exponents, without trailing zeros.</summary>
    public static string General(double value, int digits, char letter, bool keepPoint = false)
    {
        var scientific = Exponent(value, digits - 1, letter);
        var at = scientific.IndexOf(letter, StringComparison.Ordinal);
        var exponent = value == 0 ? 0 : int.Parse(scientific.AsSpan(at + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        if (exponent < -4 || exponent >= digits - (keepPoint ? 1 : 0) && exponent >= digits)
            return Trim(scientific[..at]) + scientific[at..];
        var text = Trim(Fixed(value, digits - 1 - exponent));
        return keepPoint && !text.Contains('.') ? text + ".0" : text;
    }

    private static string Trim(string text) => text.Contains('.') ? text.TrimEnd('0').TrimEnd('.') : text;

    /// <summary>A whole number in another base, in lower case.</summary>
    public static string Radix(BigInteger value, int radix)
    {
        if (value.IsZero)
            return "0";
        var digits = new Stack<char>();
        for (; !value.IsZero; value /= radix)
            digits.Push("0123456789abcdef"[(int)(value % radix)]);
        return string.Concat(digits);
    }

    private static string Group(string digits, char? separator, int size)
    {
        if (separator is null)
            return digits;
        for (var at = digits.Length - size; at > 0; at -= size)
            digits = digits.Insert(at, separator.Value.ToString());
        return digits;
    }

    private static char? Take(string text, ref int at, string any) => at < text.Length && any.Contains(text[at]) ? text[at++] : null;

    private static int? Integer(string text, ref int at)
    {
        var start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
            at++;
        if (at == start)
            return null;
        return at - start <= 7 ? int.Parse(text.AsSpan(start, at - start), CultureInfo.InvariantCulture) : throw Bad("Too many decimal digits in format string");
    }

    private static BundleException Bad(string message) => new(BundleErrorKind.ValueError, message);
}
