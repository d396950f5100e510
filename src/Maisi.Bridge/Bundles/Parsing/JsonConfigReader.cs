using System.Globalization;
using System.Numerics;
using System.Text;
using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles.Parsing;

/// <summary>
/// JSON as Python's <c>json</c> module reads it (NaN and Infinity accepted, comments and trailing commas refused), keeping the line and
/// column of every node. <c>Utf8JsonReader</c> offers neither NaN nor positions of values.
/// </summary>
internal sealed class JsonConfigReader
{
    private readonly string _text;
    private readonly string _file;
    private readonly Action<string, SourceLocation> _duplicate;
    private int _at;
    private int _nodes;
    private int _line = 1;
    private int _lineStart;

    private JsonConfigReader(string text, string file, Action<string, SourceLocation> duplicate)
    {
        _text = text;
        _file = file;
        _duplicate = duplicate;
    }

    /// <summary>Parses one document.</summary>
    /// <param name="text">The whole text.</param>
    /// <param name="file">The name for messages.</param>
    /// <param name="duplicate">Called for a key that is there twice.</param>
    public static ConfigNode Parse(string text, string file, Action<string, SourceLocation> duplicate)
    {
        var reader = new JsonConfigReader(text, file, duplicate);
        if (text.StartsWith('\uFEFF'))
            throw reader.Error("the file starts with a byte order mark", "save it as UTF-8 without BOM");
        var node = reader.Value(0);
        reader.SkipSpace();
        if (reader._at < text.Length)
            throw reader.Error("text after the end of the document");
        return node;
    }

    private SourceLocation Here => new(_file, _line, _at - _lineStart + 1);

    private ConfigNode Value(int depth)
    {
        SkipSpace();
        if (_at >= _text.Length)
            throw Error("the document ends where a value is expected");
        if (++_nodes > NodeBudget.FileLimit)
            throw new BundleException(BundleErrorKind.MemoryError, $"the document holds more than {NodeBudget.FileLimit:N0} values", Here);
        if (depth > ConfigNode.MaxDepth)
            throw new BundleException(BundleErrorKind.RecursionError, $"the document nests deeper than {ConfigNode.MaxDepth} levels", Here);
        var location = Here;
        switch (_text[_at])
        {
            case '{':
                return Dict(location, depth);
            case '[':
                return List(location, depth);
            case '"':
                return new ScalarNode(location, String());
            case '-' or (>= '0' and <= '9'):
                return new ScalarNode(location, Number());
        }
        foreach (var (word, value) in Words)
        {
            if (string.CompareOrdinal(_text, _at, word, 0, word.Length) == 0)
            {
                _at += word.Length;
                return new ScalarNode(location, value);
            }
        }
        throw Error(
            $"'{_text[_at]}' cannot start a value",
            _text[_at] is '/' or '#' ? "JSON has no comments: remove it, or use a _desc_ key or a YAML file" : "expected {, [, a string in double quotes, a number, true, false or null");
    }

    private static readonly (string Word, object? Value)[] Words =
        [("true", true), ("false", false), ("null", null), ("NaN", double.NaN), ("Infinity", double.PositiveInfinity)];

    private DictNode Dict(SourceLocation location, int depth)
    {
        var dict = new DictNode(location);
        _at++;
        SkipSpace();
        if (TryTake('}'))
            return dict;
        while (true)
        {
            SkipSpace();
            var keyLocation = Here;
            if (_at >= _text.Length || _text[_at] != '"')
                throw Error("expected a key in double quotes", _at < _text.Length && _text[_at] == '}' ? "remove the comma before '}'" : null);
            var key = String();
            SkipSpace();
            if (!TryTake(':'))
                throw Error($"expected ':' after the key \"{key}\"");
            var value = Value(depth + 1);
            if (dict.Entries.ContainsKey(key))
                _duplicate(key, keyLocation);
            dict.Entries[key] = value;
            SkipSpace();
            if (TryTake('}'))
                return dict;
            if (!TryTake(','))
                throw Error("expected ',' or '}'", "a comma is missing after the value before it, or a bracket is not closed");
        }
    }

    private ListNode List(SourceLocation location, int depth)
    {
        var list = new ListNode(location, []);
        _at++;
        SkipSpace();
        if (TryTake(']'))
            return list;
        while (true)
        {
            list.Items.Add(Value(depth + 1));
            SkipSpace();
            if (TryTake(']'))
                return list;
            if (!TryTake(','))
                throw Error("expected ',' or ']'", "a comma is missing after the value before it, or a bracket is not closed");
        }
    }

    private string String()
    {
        var start = ++_at;
        StringBuilder? built = null;
        while (true)
        {
            if (_at >= _text.Length)
                throw Error("a string is not closed");
            var c = _text[_at];
            if (c == '"')
            {
                var plain = _text.AsSpan(start, _at++ - start);
                return built is null ? plain.ToString() : built.Append(plain).ToString();
            }
            if (c < ' ')
                throw Error("a control character inside a string", @"write \n for a new line and \t for a tab");
            if (c != '\\')
            {
                _at++;
                continue;
            }
            built = (built ?? new StringBuilder()).Append(_text.AsSpan(start, _at - start));
            built.Append(Escape());
            start = _at;
        }
    }

    private char Escape()
    {
        var c = _at + 1 < _text.Length ? _text[_at + 1] : '\0';
        if (c == 'u')
        {
            if (_at + 6 > _text.Length || !ushort.TryParse(_text.AsSpan(_at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
                throw Error(@"\u is not followed by four hexadecimal digits");
            _at += 6;
            return (char)code;
        }
        var mapped = c switch { '"' => '"', '\\' => '\\', '/' => '/', 'b' => '\b', 'f' => '\f', 'n' => '\n', 'r' => '\r', 't' => '\t', _ => '\0' };
        if (mapped == '\0')
            throw Error($@"'\{c}' is not an escape that JSON knows", @"a backslash itself is written \\");
        _at += 2;
        return mapped;
    }

    private object Number()
    {
        var start = _at;
        if (_text[_at] == '-')
            _at++;
        if (string.CompareOrdinal(_text, _at, "Infinity", 0, 8) == 0)
        {
            _at += 8;
            return double.NegativeInfinity;
        }
        var leadingZero = _at < _text.Length && _text[_at] == '0';
        var digits = Digits();
        if (digits == 0 || (leadingZero && digits > 1))
            throw Error("not a number", digits > 1 ? "JSON numbers have no leading zeros" : null);
        var isFloat = false;
        if (_at + 1 < _text.Length && _text[_at] == '.' && char.IsAsciiDigit(_text[_at + 1]))
        {
            _at++;
            Digits();
            isFloat = true;
        }
        if (_at < _text.Length && _text[_at] is 'e' or 'E')
        {
            var mark = _at++;
            if (_at < _text.Length && _text[_at] is '+' or '-')
                _at++;
            if (Digits() == 0)
                _at = mark;
            else
                isFloat = true;
        }
        var span = _text.AsSpan(start, _at - start);
        if (isFloat)
            return double.Parse(span, NumberStyles.Float, CultureInfo.InvariantCulture);
        if (long.TryParse(span, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var small))
            return small;
        return span.Length <= Numbers.MaxDigits
            ? BigInteger.Parse(span, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)
            : throw Error($"a whole number with more than {Numbers.MaxDigits} digits");
    }

    private int Digits()
    {
        var start = _at;
        while (_at < _text.Length && char.IsAsciiDigit(_text[_at]))
            _at++;
        return _at - start;
    }

    private bool TryTake(char c)
    {
        if (_at >= _text.Length || _text[_at] != c)
            return false;
        _at++;
        return true;
    }

    private void SkipSpace()
    {
        for (; _at < _text.Length && _text[_at] is ' ' or '\t' or '\r' or '\n'; _at++)
        {
            if (_text[_at] != '\n')
                continue;
            _line++;
            _lineStart = _at + 1;
        }
    }

    private BundleException Error(string message, string? hint = null) =>
        new(BundleErrorKind.JSONDecodeError, message, Here, hint: hint);
}
