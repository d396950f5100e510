namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>The kinds of tokens.</summary>
internal enum TokenKind
{
    Name,
    Constant,
    Formatted,
    Reference,
    Operator,
    End,
}

/// <summary>A token of an expression.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Text">The text of a name, operator or reference id.</param>
/// <param name="Position">Where it starts.</param>
/// <param name="Value">The value of a constant, or the parts of an f-string.</param>
internal sealed record Token(TokenKind Kind, string Text, int Position, object? Value = null);
