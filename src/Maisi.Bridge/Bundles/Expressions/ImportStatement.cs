namespace Maisi.Bridge.Bundles.Expressions;

/// <summary><c>$import a.b as c</c> or <c>$from a import b as c</c>.</summary>
/// <param name="Module">The module.</param>
/// <param name="Member">The member; null for a plain import.</param>
/// <param name="Name">The name it gets. Without <c>as</c> a plain import of <c>a.b</c> is named "a.b", as in MONAI.</param>
/// <param name="HasMore">True when more names follow, which MONAI ignores with a warning.</param>
internal sealed record ImportStatement(string Module, string? Member, string Name, bool HasMore)
{
    /// <summary>True when an expression text (with its <c>$</c>) is an import.</summary>
    public static bool IsImport(string text)
    {
        if (!text.Contains("import", StringComparison.Ordinal))
            return false;
        var body = text.AsSpan(1).TrimStart();
        return StartsWithWord(body, "import") || StartsWithWord(body, "from");
    }

    /// <summary>Parses an import.</summary>
    /// <param name="body">The text without the <c>$</c>.</param>
    public static ImportStatement Parse(string body)
    {
        var tokens = Tokenizer.Tokens(body, 0, body.Length, 0);
        var at = 0;
        if (Take(tokens, ref at, "import"))
        {
            var module = Dotted(tokens, ref at);
            var name = Take(tokens, ref at, "as") ? Word(tokens, ref at) : module;
            return new ImportStatement(module, null, name, More(tokens, at));
        }
        at++;
        var from = Dotted(tokens, ref at);
        if (!Take(tokens, ref at, "import"))
            throw Tokenizer.Error("expected 'import'", tokens[at].Position);
        Take(tokens, ref at, "(");
        var member = Word(tokens, ref at);
        var alias = Take(tokens, ref at, "as") ? Word(tokens, ref at) : member;
        Take(tokens, ref at, ")");
        return new ImportStatement(from, member, alias, More(tokens, at));
    }

    private static bool StartsWithWord(ReadOnlySpan<char> text, string word) =>
        text.StartsWith(word, StringComparison.Ordinal) && (text.Length == word.Length || !ConfigId.IsWord(text[word.Length]));

    private static bool Take(List<Token> tokens, ref int at, string text)
    {
        if (tokens[at].Text != text || tokens[at].Kind is not (TokenKind.Name or TokenKind.Operator))
            return false;
        at++;
        return true;
    }

    private static string Word(List<Token> tokens, ref int at)
    {
        var token = tokens[at];
        if (token.Kind != TokenKind.Name)
            throw Tokenizer.Error("a name is expected", token.Position, "imports are written '$import x', '$import x as y' or '$from x import y'");
        ExpressionParser.RefuseDunder(token.Text, token.Position);
        at++;
        return token.Text;
    }

    private static string Dotted(List<Token> tokens, ref int at)
    {
        var name = Word(tokens, ref at);
        while (Take(tokens, ref at, "."))
            name += "." + Word(tokens, ref at);
        return name;
    }

    private static bool More(List<Token> tokens, int at)
    {
        var token = tokens[at];
        if (token.Kind == TokenKind.End)
            return false;
        return token is { Kind: TokenKind.Operator, Text: "," or ";" } ? true : throw Tokenizer.Error("invalid syntax after the import", token.Position);
    }
}
