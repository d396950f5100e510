using System.Globalization;
using System.Numerics;

namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>Splits an expression into tokens, with <c>@id</c> as a token of its own.</summary>
/// <param name="text">The text without the leading <c>$</c>.</param>
/// <param name="start">Where to start; positions are counted from the start of the text.</param>
/// <param name="end">Where to stop.</param>
/// <param name="nesting">How many f-strings the text stands in.</param>
internal sealed class Tokenizer(string text, int start, int end, int nesting)
{
    /// <summary>Longest expression; the longest of the model zoo have some hundred characters.</summary>
    public const int MaxLength = 20_000;

    private static readonly string[] Operators =
    [
        "**=", "//=", "<<=", ">>=", "...", "**", "//", "<<", ">>", "<=", ">=", "==", "!=", "->", ":=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=",
        "+", "-", "*", "/", "%", "&", "|", "^", "~", "<", ">", "(", ")", "[", "]", "{", "}", ",", ":", ".", ";", "=",
    ];

    private int _at = start;

    /// <summary>All tokens; the last one is <see cref="TokenKind.End"/>.</summary>
    public static List<Token> Tokens(string text, int start, int end, int nesting)
    {
        if (text.Length > MaxLength)
            throw Error($"an expression with more than {MaxLength:N0} characters", 0);
        var tokenizer = new Tokenizer(text, start, end, nesting);
        var tokens = new List<Token>();
        while (true)
        {
            var token = tokenizer.Next();
            tokens.Add(token);
            if (token.Kind == TokenKind.End)
                return tokens;
        }
    }

    /// <summary>Where the reference that starts at an '@' ends: the characters of <c>@\w*(::\w*)*</c>.</summary>
    public static int ReferenceEnd(string text, int at, int end)
    {
        at++;
        while (true)
        {
            while (at < end && ConfigId.IsWord(text[at]))
                at++;
            if (at + 1 >= end || text[at] != ':' || text[at + 1] != ':')
                return at;
            at += 2;
        }
    }

    /// <summary>A syntax error at a position.</summary>
    public static BundleException Error(string message, int position, string? hint = null) =>
        new ExpressionError(BundleErrorKind.SyntaxError, message, position, hint).ToException();

    private Token Next()
    {
        while (_at < end && text[_at] is ' ' or '\t' or '\r' or '\n' or '\f')
            _at++;
        if (_at >= end)
            return new Token(TokenKind.End, "", _at);
        var position = _at;
        var c = text[_at];
        if (c == '@')
        {
            _at = ReferenceEnd(text, _at, end);
            return new Token(TokenKind.Reference, text[(position + 1).._at], position);
        }
        if (char.IsAsciiDigit(c) || (c == '.' && _at + 1 < end && char.IsAsciiDigit(text[_at + 1])))
            return new Token(TokenKind.Constant, "", position, Number());
        if (StringLiteral.PrefixLength(text, _at, end) is >= 0 and var prefix)
        {
            var literal = new StringLiteral(text, end, nesting);
            _at = literal.Read(_at, prefix);
            return literal.Parts is null
                ? new Token(TokenKind.Constant, "", position, literal.Text)
                : new Token(TokenKind.Formatted, "", position, literal.Parts);
        }
        if (char.IsLetter(c) || c == '_')
        {
            while (_at < end && ConfigId.IsWord(text[_at]))
                _at++;
            return new Token(TokenKind.Name, text[position.._at], position);
        }
        foreach (var op in Operators)
        {
            if (end - _at >= op.Length && string.CompareOrdinal(text, _at, op, 0, op.Length) == 0)
            {
                _at += op.Length;
                return new Token(TokenKind.Operator, op, position);
            }
        }
        throw Error($"'{c}' cannot stand here", position, c is '!' or '?' ? null : "expressions are Python expressions on one line");
    }

    private object Number()
    {
        var position = _at;
        if (text[_at] == '0' && _at + 1 < end && text[_at + 1] is 'x' or 'X' or 'o' or 'O' or 'b' or 'B')
            return Radix(position);
        var digits = Digits();
        var isFloat = false;
        if (_at < end && text[_at] == '.')
        {
            _at++;
            isFloat = true;
            digits += Digits();
        }
        if (_at < end && text[_at] is 'e' or 'E')
        {
            var sign = _at + 1 < end && text[_at + 1] is '+' or '-' ? 2 : 1;
            if (_at + sign < end && char.IsAsciiDigit(text[_at + sign]))
            {
                _at += sign;
                Digits();
                isFloat = true;
            }
        }
        var number = text[position.._at];
        if (_at < end && text[_at] is 'j' or 'J')
            throw Error("complex numbers are not supported", position);
        if ((_at < end && ConfigId.IsWord(text[_at])) || number.EndsWith('_') || number.Contains("__", StringComparison.Ordinal))
            throw Error("invalid decimal literal", position);
        number = number.Replace("_", "", StringComparison.Ordinal);
        if (isFloat)
            return double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture);
        if (number.Length > 1 && number[0] == '0' && number.Any(d => d != '0'))
            throw Error("leading zeros in decimal integer literals are not permitted", position, "octal numbers are written 0o14");
        if (digits > Numbers.MaxDigits)
            throw Error($"a whole number with more than {Numbers.MaxDigits} digits", position);
        return Numbers.Normalize(BigInteger.Parse(number, CultureInfo.InvariantCulture));
    }

    private int Digits()
    {
        var count = 0;
        for (; _at < end && (char.IsAsciiDigit(text[_at]) || (text[_at] == '_' && _at + 1 < end && char.IsAsciiDigit(text[_at + 1]))); _at++)
            count++;
        return count;
    }

    private object Radix(int position)
    {
        var radix = char.ToLowerInvariant(text[_at + 1]) switch { 'x' => 16, 'o' => 8, _ => 2 };
        var value = BigInteger.Zero;
        for (_at += 2; _at < end && ConfigId.IsWord(text[_at]); _at++)
        {
            if (text[_at] == '_')
                continue;
            var digit = char.IsAsciiHexDigit(text[_at]) ? Convert.ToInt32(text[_at].ToString(), 16) : radix;
            if (digit >= radix)
                throw Error("invalid digit in a number", _at);
            value = Numbers.ToBig(Numbers.Normalize(value * radix + digit));
        }
        return _at == position + 2 ? throw Error("a number without digits", position) : Numbers.Normalize(value);
    }
}
