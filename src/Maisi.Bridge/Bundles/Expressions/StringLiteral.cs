using System.Globalization;
using System.Text;

namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>
/// Reads string literals with Python's prefixes and escapes, and f-strings by the rules of Python 3.12 (the same quotes may be used inside
/// a field).
/// </summary>
/// <param name="text">The expression.</param>
/// <param name="end">Where the expression ends.</param>
/// <param name="nesting">How many f-strings this literal stands in.</param>
internal sealed class StringLiteral(string text, int end, int nesting)
{
    private const int MaxNesting = 4;

    /// <summary>The text of a plain string.</summary>
    public string Text { get; private set; } = "";

    /// <summary>The parts of an f-string; null for a plain string.</summary>
    public List<FormattedPart>? Parts { get; private set; }

    /// <summary>How many prefix letters stand before a quote at a place; -1 when no string starts there.</summary>
    public static int PrefixLength(string text, int at, int end)
    {
        for (var i = 0; i <= 2 && at + i < end; i++)
        {
            if (text[at + i] is '\'' or '"')
                return i;
            if (char.ToLowerInvariant(text[at + i]) is not ('r' or 'f' or 'b' or 'u'))
                return -1;
        }
        return -1;
    }

    /// <summary>Reads the literal and returns where it ends.</summary>
    public int Read(int start, int prefixLength)
    {
        var prefix = text.Substring(start, prefixLength).ToLowerInvariant();
        if (prefix.Contains('b'))
            throw Tokenizer.Error("byte strings are not supported", start);
        var at = start + prefixLength;
        var quote = text[at];
        var triple = at + 2 < end && text[at + 1] == quote && text[at + 2] == quote;
        var close = new string(quote, triple ? 3 : 1);
        at += close.Length;
        var raw = prefix.Contains('r');
        if (!prefix.Contains('f'))
        {
            var built = new StringBuilder();
            at = Plain(built, at, close, raw, start);
            Text = built.ToString();
            return at;
        }
        if (nesting > MaxNesting)
            throw Tokenizer.Error($"f-strings nest deeper than {MaxNesting} levels", start);
        Parts = [];
        return Formatted(Parts, at, close, raw, start, 0);
    }

    private int Plain(StringBuilder built, int at, string close, bool raw, int start)
    {
        while (true)
        {
            if (at >= end || (close.Length == 1 && text[at] == '\n'))
                throw Tokenizer.Error("unterminated string literal", start);
            if (Closes(at, close))
                return at + close.Length;
            if (text[at] == '@')
                RefuseReference(at);
            at = text[at] == '\\' ? Escape(built, at, raw) : Append(built, at);
        }
    }

    private int Formatted(List<FormattedPart> parts, int at, string close, bool raw, int start, int depth)
    {
        var built = new StringBuilder();
        while (true)
        {
            if (at >= end)
                throw Tokenizer.Error("unterminated f-string literal", start);
            if (depth == 0 && Closes(at, close))
                break;
            var c = text[at];
            if (depth > 0 && c == '}')
                break;
            if (c is '{' or '}' && at + 1 < end && text[at + 1] == c && depth == 0)
            {
                built.Append(c);
                at += 2;
            }
            else if (c == '{')
            {
                Flush(parts, built);
                at = Field(parts, at, close, raw, start, depth);
            }
            else if (c == '@')
                RefuseReference(at);
            else if (c == '}')
                throw Tokenizer.Error("f-string: single '}' is not allowed", at, "write }} for a brace");
            else
                at = c == '\\' ? Escape(built, at, raw) : Append(built, at);
        }
        Flush(parts, built);
        return depth == 0 ? at + close.Length : at;
    }

    // A field {expression=!r:format}; returns the place after the closing brace.
    private int Field(List<FormattedPart> parts, int at, string close, bool raw, int start, int depth)
    {
        if (depth > 1)
            throw Tokenizer.Error("f-string: expressions nested too deeply", at);
        var from = at + 1;
        at = FieldEnd(from);
        var value = ExpressionParser.Parse(text, from, at, nesting + 1);
        if (text[at] == '=')
        {
            do
                at++;
            while (at < end && text[at] == ' ');
            parts.Add(new FormattedPart(text[from..at]));
        }
        var conversion = text[from..at].EndsWith('=') ? 'r' : '\0';
        if (at + 1 < end && text[at] == '!')
        {
            conversion = text[at + 1];
            if (conversion is not ('r' or 's' or 'a'))
                throw Tokenizer.Error($"f-string: invalid conversion character '{conversion}': expected 's', 'r', or 'a'", at + 1);
            at += 2;
        }
        List<FormattedPart>? format = null;
        if (at < end && text[at] == ':')
        {
            format = [];
            at = Formatted(format, at + 1, close, raw, start, depth + 1);
            conversion = conversion == 'r' && parts.Count > 0 && parts[^1].Text is { } shown && shown.TrimEnd().EndsWith('=') ? '\0' : conversion;
        }
        if (at >= end || text[at] != '}')
            throw Tokenizer.Error("f-string: expecting '}'", Math.Min(at, end));
        parts.Add(new FormattedPart(null, value, conversion, format));
        return at + 1;
    }

    // The end of the expression of a field: '}', ':', '!' or '=' outside brackets, strings and references.
    private int FieldEnd(int at)
    {
        var depth = 0;
        while (at < end)
        {
            var c = text[at];
            if (c == '@')
            {
                at = Tokenizer.ReferenceEnd(text, at, end);
                continue;
            }
            if (PrefixLength(text, at, end) is >= 0 and var prefix)
            {
                at = new StringLiteral(text, end, nesting + 1).Read(at, prefix);
                continue;
            }
            if (depth == 0 && (c is '}' or ':' || (c is '!' && !Next(at, '=')) || (c == '=' && IsSelfDocumenting(at))))
                return at;
            depth += c is '(' or '[' or '{' ? 1 : c is ')' or ']' or '}' ? -1 : 0;
            at++;
        }
        throw Tokenizer.Error("f-string: expecting '}'", end);
    }

    private bool IsSelfDocumenting(int at)
    {
        if (Next(at, '=') || text[at - 1] is '=' or '!' or '<' or '>')
            return false;
        do
            at++;
        while (at < end && text[at] == ' ');
        return at < end && text[at] is '}' or ':' or '!';
    }

    private bool Next(int at, char c) => at + 1 < end && text[at + 1] == c;

    private bool Closes(int at, string close) => end - at >= close.Length && string.CompareOrdinal(text, at, close, 0, close.Length) == 0;

    private int Append(StringBuilder built, int at)
    {
        built.Append(text[at]);
        return at + 1;
    }

    private static void Flush(List<FormattedPart> parts, StringBuilder built)
    {
        if (built.Length == 0)
            return;
        parts.Add(new FormattedPart(built.ToString()));
        built.Clear();
    }

    // MONAI replaces every "@id" in an expression by a lookup, inside string literals as well, which then do not parse.
    private void RefuseReference(int at) => throw Tokenizer.Error(
        $"'{text[at..Tokenizer.ReferenceEnd(text, at, end)]}' inside a string literal is taken as a reference by MONAI", at,
        "put the text into a config item of its own, or write chr(64) for the sign");

    private int Escape(StringBuilder built, int at, bool raw)
    {
        if (at + 1 >= end)
            throw Tokenizer.Error("unterminated string literal", at);
        var c = text[at + 1];
        if (raw)
        {
            built.Append('\\').Append(c);
            return at + 2;
        }
        var simple = c switch { 'n' => '\n', 't' => '\t', 'r' => '\r', '\\' => '\\', '\'' => '\'', '"' => '"', 'a' => '\a', 'b' => '\b', 'f' => '\f', 'v' => '\v', _ => '\0' };
        if (simple != '\0')
        {
            built.Append(simple);
            return at + 2;
        }
        switch (c)
        {
            case '\n':
                return at + 2;
            case 'x':
                return Code(built, at, 2, 2, NumberStyles.AllowHexSpecifier);
            case 'u':
                return Code(built, at, 2, 4, NumberStyles.AllowHexSpecifier);
            case 'U':
                return Code(built, at, 2, 8, NumberStyles.AllowHexSpecifier);
            case >= '0' and <= '7':
                var digits = 1;
                while (digits < 3 && at + 1 + digits < end && text[at + 1 + digits] is >= '0' and <= '7')
                    digits++;
                built.Append((char)Convert.ToInt32(text.Substring(at + 1, digits), 8));
                return at + 1 + digits;
            case 'N':
                throw Tokenizer.Error(@"\N{...} names are not supported", at, @"write the character itself, or \uXXXX");
            default:
                built.Append('\\').Append(c);
                return at + 2;
        }
    }

    private int Code(StringBuilder built, int at, int skip, int length, NumberStyles style)
    {
        if (at + skip + length > end || !int.TryParse(text.AsSpan(at + skip, length), style, CultureInfo.InvariantCulture, out var code) || code is < 0 or > 0x10FFFF)
            throw Tokenizer.Error($"truncated \\{text[at + 1]} escape", at);
        built.Append(code is < 0x10000 ? ((char)code).ToString() : char.ConvertFromUtf32(code));
        return at + skip + length;
    }
}
