namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>
/// Parses one Python expression by recursive descent. The grammar is Python's for expressions, without <c>await</c>, <c>yield</c>,
/// <c>:=</c> and the matrix product (whose sign is MONAI's reference).
/// </summary>
internal sealed partial class ExpressionParser
{
    /// <summary>How deep brackets and operators may nest.</summary>
    public const int MaxNesting = 100;

    private static readonly HashSet<string> Keywords = new(StringComparer.Ordinal)
    {
        "and", "or", "not", "if", "else", "for", "in", "is", "lambda", "True", "False", "None", "async", "await", "yield", "import", "from", "as", "del",
        "pass", "return", "def", "class", "while", "with", "try", "except", "finally", "raise", "global", "nonlocal", "assert", "break", "continue", "elif",
    };

    private static readonly string[][] BinaryLevels = [["|"], ["^"], ["&"], ["<<", ">>"], ["+", "-"], ["*", "/", "//", "%"]];

    private readonly List<Token> _tokens;
    private int _next;
    private int _depth;

    private ExpressionParser(List<Token> tokens) => _tokens = tokens;

    private Token Current => _tokens[_next];

    /// <summary>Parses a whole expression; a tuple needs no brackets.</summary>
    public static ExpressionNode Parse(string text) => Parse(text, 0, text.Length, 0);

    /// <summary>Parses a part of a text, as for a field of an f-string.</summary>
    public static ExpressionNode Parse(string text, int start, int end, int nesting)
    {
        var parser = new ExpressionParser(Tokenizer.Tokens(text, start, end, nesting));
        if (parser.Current.Kind == TokenKind.End)
            throw Tokenizer.Error("the expression is empty", start);
        var node = parser.ExpressionList();
        if (parser.Current.Kind != TokenKind.End)
            throw parser.Unexpected();
        return node;
    }

    private ExpressionNode ExpressionList()
    {
        var position = Current.Position;
        var first = StarOrExpression();
        if (!Is(","))
            return first is StarredNode ? throw Tokenizer.Error("can't use starred expression here", position) : first;
        var items = new List<ExpressionNode> { first };
        while (Take(","))
        {
            if (AtEndOfList())
                break;
            items.Add(StarOrExpression());
        }
        return new DisplayNode(position, DisplayKind.Tuple, items);
    }

    private bool AtEndOfList() => Current.Kind == TokenKind.End || (Current.Kind == TokenKind.Operator && Current.Text is ")" or "]" or "}" or ":" or "=" or "!");

    private ExpressionNode StarOrExpression()
    {
        var position = Current.Position;
        return Take("*") ? new StarredNode(position, Binary(0)) : Expression();
    }

    private ExpressionNode Expression()
    {
        Enter();
        var node = IsWord("lambda") ? Lambda() : Conditional();
        if (Is(":="))
            throw Tokenizer.Error("':=' is not supported", Current.Position, "give the value a config item of its own and refer to it with @");
        _depth--;
        return node;
    }

    private ExpressionNode Conditional()
    {
        var position = Current.Position;
        var then = Or();
        if (!TakeWord("if"))
            return then;
        var condition = Or();
        if (!TakeWord("else"))
            throw Tokenizer.Error("expected 'else' after 'if' expression", Current.Position);
        return new ConditionalNode(position, condition, then, Expression());
    }

    private ExpressionNode Or()
    {
        var left = And();
        while (Current is { Kind: TokenKind.Name, Text: "or" } token)
        {
            _next++;
            left = new LogicalNode(token.Position, false, left, And());
        }
        return left;
    }

    private ExpressionNode And()
    {
        var left = Not();
        while (Current is { Kind: TokenKind.Name, Text: "and" } token)
        {
            _next++;
            left = new LogicalNode(token.Position, true, left, Not());
        }
        return left;
    }

    private ExpressionNode Not()
    {
        var position = Current.Position;
        if (!TakeWord("not"))
            return Comparison();
        Enter();
        var operand = Not();
        _depth--;
        return new UnaryNode(position, "not", operand);
    }

    private ExpressionNode Comparison()
    {
        var position = Current.Position;
        var first = Binary(0);
        List<(string, ExpressionNode)>? rest = null;
        while (ComparisonOperator() is { } op)
            (rest ??= []).Add((op, Binary(0)));
        return rest is null ? first : new ComparisonNode(position, first, rest);
    }

    private string? ComparisonOperator()
    {
        if (Current.Kind == TokenKind.Operator && Current.Text is "<" or ">" or "<=" or ">=" or "==" or "!=")
            return _tokens[_next++].Text;
        if (TakeWord("in"))
            return "in";
        if (TakeWord("is"))
            return TakeWord("not") ? "is not" : "is";
        if (IsWord("not") && _tokens[_next + 1] is { Kind: TokenKind.Name, Text: "in" })
        {
            _next += 2;
            return "not in";
        }
        return null;
    }

    private ExpressionNode Binary(int level)
    {
        if (level == BinaryLevels.Length)
            return Unary();
        var left = Binary(level + 1);
        while (Current.Kind == TokenKind.Operator && Array.IndexOf(BinaryLevels[level], Current.Text) >= 0)
        {
            var token = _tokens[_next++];
            left = new BinaryNode(token.Position, token.Text, left, Binary(level + 1));
        }
        return left;
    }

    private ExpressionNode Unary()
    {
        if (Current.Kind != TokenKind.Operator || Current.Text is not ("-" or "+" or "~"))
            return Power();
        Enter();
        var token = _tokens[_next++];
        var operand = Unary();
        _depth--;
        return new UnaryNode(token.Position, token.Text, operand);
    }

    private ExpressionNode Power()
    {
        var value = Trailers(Atom());
        if (Current is not { Kind: TokenKind.Operator, Text: "**" } token)
            return value;
        _next++;
        Enter();
        var exponent = Unary();
        _depth--;
        return new BinaryNode(token.Position, "**", value, exponent);
    }

    private ExpressionNode Trailers(ExpressionNode value)
    {
        while (Current.Kind == TokenKind.Operator)
        {
            var position = Current.Position;
            if (Take("."))
                value = new AttributeNode(position, value, AttributeName());
            else if (Take("("))
                value = new CallNode(position, value, Arguments());
            else if (Take("["))
                value = new IndexNode(position, value, Index());
            else
                break;
        }
        return value;
    }

    private string AttributeName()
    {
        var token = Current;
        if (token.Kind != TokenKind.Name)
            throw Tokenizer.Error("a name is expected after '.'", token.Position);
        _next++;
        RefuseDunder(token.Text, token.Position);
        return token.Text;
    }

    /// <summary>Refuses the names through which Python code escapes from a sandbox.</summary>
    public static void RefuseDunder(string name, int position)
    {
        if (name.StartsWith("__", StringComparison.Ordinal))
            throw Tokenizer.Error($"'{name}': names with two leading underscores are never evaluated", position, "a bundle that needs them is Python code: --allow-python hands it to the worker");
    }

    private void Enter()
    {
        if (++_depth > MaxNesting)
            throw Tokenizer.Error($"the expression nests deeper than {MaxNesting} levels", Current.Position);
    }

    private bool Is(string op) => Current.Kind == TokenKind.Operator && Current.Text == op;

    private bool IsWord(string word) => Current.Kind == TokenKind.Name && Current.Text == word;

    private bool Take(string op)
    {
        if (!Is(op))
            return false;
        _next++;
        return true;
    }

    private bool TakeWord(string word)
    {
        if (!IsWord(word))
            return false;
        _next++;
        return true;
    }

    private void Expect(string op)
    {
        if (!Take(op))
            throw Current.Kind == TokenKind.End ? Tokenizer.Error($"'{op}' is missing", Current.Position) : Unexpected($"expected '{op}'");
    }

    private BundleException Unexpected(string? expected = null)
    {
        var token = Current;
        var what = token.Kind == TokenKind.End ? "the expression ends too early" : token.Text.Length > 0 ? $"invalid syntax at '{token.Text}'" : "invalid syntax";
        return Tokenizer.Error(expected is null ? what : $"{what}: {expected}", token.Position,
            token.Kind == TokenKind.Operator && token.Text is "=" or ";" or "+=" ? "only expressions are evaluated, not statements" : null);
    }
}
