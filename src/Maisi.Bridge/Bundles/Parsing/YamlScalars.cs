using System.Globalization;
using System.Numerics;
using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles.Parsing;

/// <summary>
/// What a plain YAML scalar means in YAML 1.1 as PyYAML's safe loader reads it: yes/no/on/off are booleans, 014 is octal, 1:30 is 90,
/// and 1e-4 is text because a float needs a point and a signed exponent.
/// </summary>
internal static class YamlScalars
{
    /// <summary>The value of a plain (unquoted) scalar: null, bool, long, BigInteger, double, DateOnly, DateTime or the text itself.</summary>
    public static object? Resolve(string text)
    {
        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return null;
            case "yes" or "Yes" or "YES" or "true" or "True" or "TRUE" or "on" or "On" or "ON":
                return true;
            case "no" or "No" or "NO" or "false" or "False" or "FALSE" or "off" or "Off" or "OFF":
                return false;
        }
        if (!(char.IsAsciiDigit(text[0]) || text[0] is '+' or '-' or '.'))
            return text;
        return Integer(text) ?? Float(text) ?? Date(text) ?? text;
    }

    private static object? Integer(string text)
    {
        var negative = text[0] == '-';
        var body = text[0] is '+' or '-' ? text[1..] : text;
        if (body.Length == 0 || !char.IsAsciiDigit(body[0]))
            return null;
        if (body.StartsWith("0b", StringComparison.Ordinal))
            return Digits(body[2..], 2, negative);
        if (body.StartsWith("0x", StringComparison.Ordinal))
            return Digits(body[2..], 16, negative);
        if (body.Contains(':'))
            return body[0] == '0' || body.Contains('.') ? null : Sexagesimal(body) is { } value ? (long)(negative ? -value : value) : null;
        return body.Length > 1 && body[0] == '0' ? Digits(body[1..], 8, negative) : Digits(body, 10, negative);
    }

    private static object? Digits(string text, int radix, bool negative)
    {
        var value = BigInteger.Zero;
        var seen = false;
        if (text.Length > Numbers.MaxDigits)
            return null;
        foreach (var c in text)
        {
            if (c == '_')
                continue;
            var digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : radix;
            if (digit >= radix)
                return null;
            value = value * radix + digit;
            seen = true;
        }
        return seen ? Numbers.Normalize(negative ? -value : value) : null;
    }

    private static double? Sexagesimal(string body)
    {
        var value = 0.0;
        var parts = body.Replace("_", "", StringComparison.Ordinal).Split(':');
        for (var i = 0; i < parts.Length; i++)
        {
            var last = i == parts.Length - 1;
            var styles = last ? NumberStyles.AllowDecimalPoint : NumberStyles.None;
            if (!double.TryParse(parts[i], styles, CultureInfo.InvariantCulture, out var part) || (i > 0 && part >= 60) || (i > 0 && parts[i].Split('.')[0].Length > 2))
                return null;
            value = value * 60 + part;
        }
        return value;
    }

    private static double? Float(string text)
    {
        var sign = text[0] == '-' ? -1 : 1;
        var body = text[0] is '+' or '-' ? text[1..] : text;
        if (body is ".inf" or ".Inf" or ".INF")
            return sign * double.PositiveInfinity;
        if (text is ".nan" or ".NaN" or ".NAN")
            return double.NaN;
        if (body.Contains(':'))
            return body.Contains('.') && Sexagesimal(body) is { } value ? sign * value : null;
        var point = body.IndexOf('.', StringComparison.Ordinal);
        if (point < 0 || (point == 0 && (text[0] is '+' or '-' || body.Length < 2 || !char.IsAsciiDigit(body[1]))))
            return null;
        var exponent = body.IndexOfAny(['e', 'E']);
        if (exponent >= 0 && (exponent < point || exponent + 2 >= body.Length || body[exponent + 1] is not ('+' or '-')))
            return null;
        var mantissa = exponent < 0 ? body : body[..exponent];
        if (mantissa.Any(c => !char.IsAsciiDigit(c) && c is not ('_' or '.')) || mantissa.Count(c => c == '.') != 1)
            return null;
        return double.TryParse(body.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? sign * number : null;
    }

    private static object? Date(string text)
    {
        if (text.Length < 8 || !char.IsAsciiDigit(text[3]) || text[4] != '-')
            return null;
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
            return date;
        string[] formats = ["yyyy-M-d H:mm:ss.FFFFFF", "yyyy-M-d'T'H:mm:ss.FFFFFF", "yyyy-M-d'T'H:mm:ss.FFFFFFK", "yyyy-M-d H:mm:ss.FFFFFFK"];
        return DateTime.TryParseExact(text, formats, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var time) ? time : null;
    }
}
