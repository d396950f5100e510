using System.Buffers;
using System.Globalization;

namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>The methods of strings.</summary>
internal static class StringMethods
{
    private static readonly char[] Whitespace = [' ', '\t', '\n', '\r', '\f', '\v'];
    private static readonly SearchValues<char> WhitespaceSearch = SearchValues.Create(Whitespace);

    private static readonly Dictionary<string, Func<EvaluationContext, string, CallArguments, object?>> Methods = new(StringComparer.Ordinal)
    {
        ["split"] = (c, s, a) => Split(c, s, a, fromEnd: false),
        ["rsplit"] = (c, s, a) => Split(c, s, a, fromEnd: true),
        ["splitlines"] = (c, s, _) => c.Budget.Collect(s.Length == 0 ? [] : s.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n')),
        ["join"] = Join,
        ["replace"] = Replace,
        ["format"] = StringFormat.Format,
        ["strip"] = (_, s, a) => s.Trim(Characters(a)),
        ["lstrip"] = (_, s, a) => s.TrimStart(Characters(a)),
        ["rstrip"] = (_, s, a) => s.TrimEnd(Characters(a)),
        ["lower"] = (_, s, _) => s.ToLowerInvariant(),
        ["upper"] = (_, s, _) => s.ToUpperInvariant(),
        ["casefold"] = (_, s, _) => s.ToLowerInvariant(),
        ["capitalize"] = (_, s, _) => s.Length == 0 ? s : char.ToUpperInvariant(s[0]) + s[1..].ToLowerInvariant(),
        ["title"] = (_, s, _) => CultureInfo.InvariantCulture.TextInfo.ToTitleCase(s.ToLowerInvariant()),
        ["startswith"] = (_, s, a) => Affix(a, "startswith", p => s.StartsWith(p, StringComparison.Ordinal)),
        ["endswith"] = (_, s, a) => Affix(a, "endswith", p => s.EndsWith(p, StringComparison.Ordinal)),
        ["removeprefix"] = (_, s, a) => Text(a, 0, "removeprefix") is { Length: > 0 } p && s.StartsWith(p, StringComparison.Ordinal) ? s[p.Length..] : s,
        ["removesuffix"] = (_, s, a) => Text(a, 0, "removesuffix") is { Length: > 0 } p && s.EndsWith(p, StringComparison.Ordinal) ? s[..^p.Length] : s,
        ["find"] = (c, s, a) => (long)IndexOf(c, s, Text(a, 0, "find")),
        ["rfind"] = (c, s, a) => (long)Searched(c, s, Text(a, 0, "rfind")).LastIndexOf(Text(a, 0, "rfind"), StringComparison.Ordinal),
        ["index"] = (c, s, a) => IndexOf(c, s, Text(a, 0, "index")) is >= 0 and var at ? (long)at : throw new BundleException(BundleErrorKind.ValueError, "substring not found"),
        ["count"] = (c, s, a) => Count(Searched(c, s, Text(a, 0, "count")), Text(a, 0, "count")),
        ["zfill"] = ZeroFill,
        ["ljust"] = (c, s, a) => Pad(c, s, a, '<'),
        ["rjust"] = (c, s, a) => Pad(c, s, a, '>'),
        ["center"] = (c, s, a) => Pad(c, s, a, '^'),
        ["partition"] = (c, s, a) => Partition(Searched(c, s, Text(a, 0, "partition")), Text(a, 0, "partition"), last: false),
        ["rpartition"] = (c, s, a) => Partition(Searched(c, s, Text(a, 0, "rpartition")), Text(a, 0, "rpartition"), last: true),
        ["isdigit"] = (_, s, _) => s.Length > 0 && s.All(char.IsDigit),
        ["isdecimal"] = (_, s, _) => s.Length > 0 && s.All(char.IsDigit),
        ["isnumeric"] = (_, s, _) => s.Length > 0 && s.All(char.IsNumber),
        ["isalpha"] = (_, s, _) => s.Length > 0 && s.All(char.IsLetter),
        ["isalnum"] = (_, s, _) => s.Length > 0 && s.All(char.IsLetterOrDigit),
        ["isspace"] = (_, s, _) => s.Length > 0 && s.All(char.IsWhiteSpace),
        ["islower"] = (_, s, _) => s.Any(char.IsLetter) && !s.Any(char.IsUpper),
        ["isupper"] = (_, s, _) => s.Any(char.IsLetter) && !s.Any(char.IsLower),
    };

    /// <summary>The names of the methods.</summary>
    public static IEnumerable<string> Names => Methods.Keys;

    /// <summary>A method by name; null when there is none.</summary>
    public static Func<EvaluationContext, string, CallArguments, object?>? Find(string name) => Methods.GetValueOrDefault(name);

    /// <summary>A string argument; a TypeError when it is something else.</summary>
    public static string Text(CallArguments arguments, int index, string function) =>
        arguments.Optional(index, null, NoneKey.Instance) as string
        ?? throw new BundleException(BundleErrorKind.TypeError, $"{function}() needs a string as argument {index + 1}");

    private static char[] Characters(CallArguments arguments) => arguments.Optional(0, null) is null ? Whitespace : Text(arguments, 0, "strip").ToCharArray();

    private static ListValue Split(EvaluationContext context, string text, CallArguments arguments, bool fromEnd)
    {
        var separator = arguments.Optional(0, "sep");
        var most = Numbers.ToLong(arguments.Optional(1, "maxsplit", -1L));
        context.Budget.Take(text.Length);
        if (separator is string given)
            Searched(context, text, given);
        if (separator is "")
            throw new BundleException(BundleErrorKind.ValueError, "empty separator");
        if (most < 0 || most > text.Length)
        {
            return new ListValue(separator is string all
                ? text.Split(all)
                : text.Split(Whitespace, StringSplitOptions.RemoveEmptyEntries));
        }
        var parts = new ListValue();
        var rest = separator is null ? text.Trim(Whitespace) : text;
        for (; most > 0; most--)
        {
            var at = separator is string s
                ? fromEnd ? rest.LastIndexOf(s, StringComparison.Ordinal) : rest.IndexOf(s, StringComparison.Ordinal)
                : fromEnd ? rest.AsSpan().LastIndexOfAny(WhitespaceSearch) : rest.AsSpan().IndexOfAny(WhitespaceSearch);
            if (at < 0)
                break;
            var width = separator is string t ? t.Length : 1;
            var (left, right) = (rest[..at], rest[(at + width)..]);
            if (separator is null)
                (left, right) = (left.TrimEnd(Whitespace), right.TrimStart(Whitespace));
            parts.Add(fromEnd ? right : left);
            rest = fromEnd ? left : right;
        }
        if (separator is not null || rest.Length > 0)
            parts.Add(rest);
        if (fromEnd)
            parts.Reverse();
        return parts;
    }

    private static string Join(EvaluationContext context, string separator, CallArguments arguments)
    {
        var parts = new List<string>();
        foreach (var item in PythonTypes.Iterate(arguments.Required(0, "iterable", "join"), context))
        {
            var part = item as string ?? throw new BundleException(BundleErrorKind.TypeError, $"sequence item {parts.Count}: expected str instance, {PythonTypes.NameOf(item)} found");
            context.Budget.Take(part.Length + separator.Length);
            parts.Add(part);
        }
        return string.Join(separator, parts);
    }

    private static string Replace(EvaluationContext context, string text, CallArguments arguments)
    {
        var (old, replacement) = (Text(arguments, 0, "replace"), Text(arguments, 1, "replace"));
        var most = Numbers.ToLong(arguments.Optional(2, "count", -1L));
        if (old.Length == 0)
            throw new BundleException(BundleErrorKind.ValueError, "replace() of an empty text is not supported");
        Searched(context, text, old);
        context.Budget.Take(text.Length + Count(text, old) * replacement.Length);
        if (most < 0)
            return text.Replace(old, replacement, StringComparison.Ordinal);
        var parts = text.Split(old, (int)Math.Min(most, text.Length) + 1);
        return string.Join(replacement, parts);
    }

    /// <summary>Where a text is first found in another; -1 when it is not there.</summary>
    public static int IndexOf(EvaluationContext context, string text, string part) => Searched(context, text, part).IndexOf(part, StringComparison.Ordinal);

    // A search looks at the whole part in every place when both are made for that: 16 characters at a time.
    private static string Searched(EvaluationContext context, string text, string part)
    {
        context.Budget.Work((long)text.Length * part.Length / 16);
        return text;
    }

    private static long Count(string text, string part)
    {
        if (part.Length == 0)
            return text.Length + 1;
        long count = 0;
        for (var at = text.IndexOf(part, StringComparison.Ordinal); at >= 0; at = text.IndexOf(part, at + part.Length, StringComparison.Ordinal))
            count++;
        return count;
    }

    private static bool Affix(CallArguments arguments, string function, Func<string, bool> test) =>
        arguments.Optional(0, null) is TupleValue many ? many.OfType<string>().Any(test) : test(Text(arguments, 0, function));

    private static string ZeroFill(EvaluationContext context, string text, CallArguments arguments)
    {
        var width = Numbers.ToLong(arguments.Required(0, "width", "zfill"));
        context.Budget.Take(Math.Max(width, 0));
        var sign = text.Length > 0 && text[0] is '+' or '-' ? text[..1] : "";
        return sign + text[sign.Length..].PadLeft((int)Math.Max(width - sign.Length, 0), '0');
    }

    private static string Pad(EvaluationContext context, string text, CallArguments arguments, char alignment)
    {
        var width = Numbers.ToLong(arguments.Required(0, "width", "ljust"));
        context.Budget.Take(Math.Max(width, 0));
        var fill = arguments.Optional(1, "fillchar", " ") as string is { Length: 1 } one ? one[0] : throw new BundleException(BundleErrorKind.TypeError, "the fill character must be exactly one character long");
        return FormatSpecification.Align(text, alignment, fill, (int)Math.Max(width, 0));
    }

    private static TupleValue Partition(string text, string separator, bool last)
    {
        if (separator.Length == 0)
            throw new BundleException(BundleErrorKind.ValueError, "empty separator");
        var at = last ? text.LastIndexOf(separator, StringComparison.Ordinal) : text.IndexOf(separator, StringComparison.Ordinal);
        return at >= 0 ? new TupleValue(text[..at], separator, text[(at + separator.Length)..])
            : last ? new TupleValue("", "", text) : new TupleValue(text, "", "");
    }
}
