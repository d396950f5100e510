using System.Globalization;
using System.Numerics;
using System.Text;

namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>Python's <c>str</c> and <c>repr</c> of values.</summary>
public static class Representation
{
    private const int MaxDepth = 50;

    /// <summary>Python's <c>str(value)</c>.</summary>
    public static string Str(object? value, EvaluationContext context) => value as string ?? Repr(value, context);

    /// <summary>Python's <c>repr(value)</c>.</summary>
    public static string Repr(object? value, EvaluationContext context)
    {
        var text = new StringBuilder();
        Write(text, value, context, 0);
        return text.ToString();
    }

    /// <summary>Python's shortest text of a float that reads back equal.</summary>
    public static string Float(double value)
    {
        if (!double.IsFinite(value))
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        if (value == 0)
            return double.IsNegative(value) ? "-0.0" : "0.0";
        var text = value.ToString("E16", CultureInfo.InvariantCulture);
        var shortest = value.ToString("R", CultureInfo.InvariantCulture);
        var exponent = int.Parse(text.AsSpan(text.IndexOf('E') + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var digits = new string([.. shortest.TakeWhile(c => c != 'E').Where(char.IsAsciiDigit)]).TrimStart('0').TrimEnd('0');
        var sign = value < 0 ? "-" : "";
        if (exponent is < -4 or >= 16)
            return $"{sign}{digits[0]}{(digits.Length > 1 ? "." : "")}{digits[1..]}e{(exponent < 0 ? "-" : "+")}{Math.Abs(exponent):00}";
        if (exponent < 0)
            return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        return digits.Length <= exponent + 1
            ? $"{sign}{digits}{new string('0', exponent + 1 - digits.Length)}.0"
            : $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    /// <summary>Python's <c>repr</c> of a string: single quotes unless the text has them and no double quotes.</summary>
    public static string Quote(string text)
    {
        var quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        var quoted = new StringBuilder(text.Length + 2).Append(quote);
        foreach (var c in text)
        {
            if (c == quote || c == '\\')
                quoted.Append('\\').Append(c);
            else if (c == '\n')
                quoted.Append(@"\n");
            else if (c == '\r')
                quoted.Append(@"\r");
            else if (c == '\t')
                quoted.Append(@"\t");
            else if (c < ' ' || c == '\x7f')
                quoted.Append(CultureInfo.InvariantCulture, $@"\x{(int)c:x2}");
            else
                quoted.Append(c);
        }
        return quoted.Append(quote).ToString();
    }

    private static void Write(StringBuilder text, object? value, EvaluationContext context, int depth)
    {
        context.Budget.Step();
        var start = text.Length;
        if (depth > MaxDepth)
        {
            text.Append("...");
            return;
        }
        switch (value)
        {
            case null:
                text.Append("None");
                break;
            case bool b:
                text.Append(b ? "True" : "False");
                break;
            case long or int or BigInteger:
                text.Append(((IFormattable)value).ToString(null, CultureInfo.InvariantCulture));
                break;
            case double or float:
                text.Append(Float(Numbers.ToDouble(value)));
                break;
            case string s:
                text.Append(Quote(s));
                break;
            case ListValue list:
                Items(text, "[", list, "]", context, depth);
                return;
            case TupleValue tuple:
                Items(text, "(", tuple, tuple.Count == 1 ? ",)" : ")", context, depth);
                return;
            case SetValue { Count: 0 }:
                text.Append("set()");
                break;
            case SetValue set:
                Items(text, "{", set, "}", context, depth);
                return;
            case DictValue dict:
                text.Append('{');
                var separator = "";
                foreach (var (key, item) in dict)
                {
                    text.Append(separator);
                    Write(text, key, context, depth + 1);
                    text.Append(": ");
                    Write(text, item, context, depth + 1);
                    separator = ", ";
                }
                text.Append('}');
                return;
            case RangeValue range:
                text.Append(CultureInfo.InvariantCulture, $"range({range.Start}, {range.Stop}{(range.Step == 1 ? "" : $", {range.Step}")})");
                break;
            case TypeValue type:
                text.Append($"<class '{type.Name}'>");
                break;
            case Callable callable:
                text.Append($"<function {callable.Name}>");
                break;
            case EllipsisValue:
                text.Append("Ellipsis");
                break;
            default:
                text.Append(context.Types.Find(value)?.Repr(value) ?? $"<{PythonTypes.NameOf(value)} object>");
                break;
        }
        context.Budget.Take(text.Length - start);
    }

    private static void Items(StringBuilder text, string open, IEnumerable<object?> items, string close, EvaluationContext context, int depth)
    {
        text.Append(open);
        var separator = "";
        foreach (var item in items)
        {
            text.Append(separator);
            Write(text, item, context, depth + 1);
            separator = ", ";
        }
        text.Append(close);
    }
}
