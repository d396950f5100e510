namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>Atoms, displays, comprehensions, arguments and lambdas.</summary>
internal sealed partial class ExpressionParser
{
    private ExpressionNode Atom()
    {
        var token = Current;
        switch (token.Kind)
        {
            case TokenKind.Reference:
                _next++;
                return new ReferenceNode(token.Position, token.Text);
            case TokenKind.Constant when token.Value is string:
            case TokenKind.Formatted:
                return Strings();
            case TokenKind.Constant:
                _next++;
                return new ConstantNode(token.Position, token.Value);
            case TokenKind.Name:
                return Name(token);
            case TokenKind.Operator when token.Text is "(" or "[" or "{" or "...":
                return Bracket(token);
            default:
                throw Unexpected();
        }
    }

    private ExpressionNode Name(Token token)
    {
        switch (token.Text)
        {
            case "True" or "False":
                _next++;
                return new ConstantNode(token.Position, token.Text == "True");
            case "None":
                _next++;
                return new ConstantNode(token.Position, null);
        }
        if (Keywords.Contains(token.Text))
            throw Unexpected();
        RefuseDunder(token.Text, token.Position);
        _next++;
        return new NameNode(token.Position, token.Text);
    }

    // Neighbouring literals are one string.
    private ExpressionNode Strings()
    {
        var position = Current.Position;
        var parts = new List<FormattedPart>();
        var formatted = false;
        for (; Current.Kind == TokenKind.Formatted || Current is { Kind: TokenKind.Constant, Value: string }; _next++)
        {
            formatted |= Current.Kind == TokenKind.Formatted;
            if (Current.Value is List<FormattedPart> fields)
                parts.AddRange(fields);
            else
                parts.Add(new FormattedPart((string)Current.Value!));
        }
        return formatted
            ? new FormattedStringNode(position, parts)
            : new ConstantNode(position, parts.Count == 1 ? parts[0].Text : string.Concat(parts.Select(p => p.Text)));
    }

    private ExpressionNode Bracket(Token token)
    {
        Enter();
        _next++;
        ExpressionNode node = token.Text switch
        {
            "(" => Parenthesis(token.Position),
            "[" => List(token.Position),
            "{" => Braces(token.Position),
            _ => new ConstantNode(token.Position, EllipsisValue.Instance),
        };
        _depth--;
        return node;
    }

    private ExpressionNode Parenthesis(int position)
    {
        if (Take(")"))
            return new DisplayNode(position, DisplayKind.Tuple, []);
        var first = StarOrExpression();
        if (IsWord("for"))
        {
            var generator = Comprehension(position, DisplayKind.Generator, null, first);
            Expect(")");
            return generator;
        }
        if (!Is(","))
        {
            if (first is StarredNode)
                throw Tokenizer.Error("cannot use starred expression here", position);
            Expect(")");
            return first;
        }
        var items = new List<ExpressionNode> { first };
        Rest(items, ")");
        return new DisplayNode(position, DisplayKind.Tuple, items);
    }

    private ExpressionNode List(int position)
    {
        if (Take("]"))
            return new DisplayNode(position, DisplayKind.List, []);
        var first = StarOrExpression();
        if (IsWord("for"))
        {
            var comprehension = Comprehension(position, DisplayKind.List, null, first);
            Expect("]");
            return comprehension;
        }
        var items = new List<ExpressionNode> { first };
        Rest(items, "]");
        return new DisplayNode(position, DisplayKind.List, items);
    }

    private void Rest(List<ExpressionNode> items, string close)
    {
        while (Take(","))
        {
            if (Is(close))
                break;
            items.Add(StarOrExpression());
        }
        Expect(close);
    }

    private ExpressionNode Braces(int position)
    {
        if (Take("}"))
            return new DictNodeExpression(position, []);
        if (Is("**"))
            return Dict(position, null);
        var first = StarOrExpression();
        if (Take(":"))
        {
            var value = Expression();
            if (!IsWord("for"))
                return Dict(position, (first, value));
            var dict = Comprehension(position, DisplayKind.Dict, first, value);
            Expect("}");
            return dict;
        }
        if (IsWord("for"))
        {
            var set = Comprehension(position, DisplayKind.Set, null, first);
            Expect("}");
            return set;
        }
        var items = new List<ExpressionNode> { first };
        Rest(items, "}");
        return new DisplayNode(position, DisplayKind.Set, items);
    }

    private DictNodeExpression Dict(int position, (ExpressionNode Key, ExpressionNode Value)? first)
    {
        var items = new List<(ExpressionNode?, ExpressionNode)>();
        if (first is { } pair)
            items.Add(pair);
        while (items.Count == 0 || Take(","))
        {
            if (Is("}"))
                break;
            if (Take("**"))
            {
                items.Add((null, Binary(0)));
                continue;
            }
            var key = Expression();
            Expect(":");
            items.Add((key, Expression()));
        }
        Expect("}");
        return new DictNodeExpression(position, items);
    }

    private ComprehensionNode Comprehension(int position, DisplayKind kind, ExpressionNode? key, ExpressionNode value)
    {
        if (value is StarredNode)
            throw Tokenizer.Error("iterable unpacking cannot be used in comprehension", value.Position);
        var clauses = new List<ComprehensionClause>();
        while (TakeWord("for"))
        {
            var target = Target();
            if (!TakeWord("in"))
                throw Tokenizer.Error("expected 'in'", Current.Position);
            var source = Or();
            var conditions = new List<ExpressionNode>();
            while (TakeWord("if"))
                conditions.Add(Or());
            clauses.Add(new ComprehensionClause(target, source, conditions));
        }
        return new ComprehensionNode(position, kind, key, value, clauses);
    }

    // Names, or tuples of names with or without brackets.
    private ExpressionNode Target()
    {
        var position = Current.Position;
        var first = TargetItem();
        if (!Is(","))
            return first;
        var items = new List<ExpressionNode> { first };
        while (Take(","))
        {
            if (IsWord("in") || Is(")") || Is("]"))
                break;
            items.Add(TargetItem());
        }
        return new DisplayNode(position, DisplayKind.Tuple, items);
    }

    private ExpressionNode TargetItem()
    {
        Enter();
        ExpressionNode item;
        if (Is("(") || Is("["))
        {
            var close = _tokens[_next++].Text == "(" ? ")" : "]";
            item = Target();
            Expect(close);
        }
        else
        {
            if (Current.Kind != TokenKind.Name || Keywords.Contains(Current.Text))
                throw Unexpected("expected a name");
            item = Name(Current);
        }
        _depth--;
        return item;
    }

    private List<CallArgumentNode> Arguments()
    {
        Enter();
        var arguments = new List<CallArgumentNode>();
        while (!Is(")"))
        {
            var position = Current.Position;
            if (Take("**"))
                arguments.Add(new CallArgumentNode(null, Expression(), 2));
            else if (Take("*"))
                arguments.Add(new CallArgumentNode(null, Expression(), 1));
            else if (Current.Kind == TokenKind.Name && _tokens[_next + 1] is { Kind: TokenKind.Operator, Text: "=" })
            {
                var name = Current.Text;
                RefuseDunder(name, position);
                _next += 2;
                if (arguments.Any(a => a.Name == name))
                    throw Tokenizer.Error($"keyword argument repeated: {name}", position);
                arguments.Add(new CallArgumentNode(name, Expression()));
            }
            else
            {
                if (arguments.Any(a => a.Name is not null))
                    throw Tokenizer.Error("positional argument follows keyword argument", position);
                var value = Expression();
                arguments.Add(new CallArgumentNode(null, IsWord("for") ? Comprehension(position, DisplayKind.Generator, null, value) : value));
            }
            if (!Take(","))
                break;
        }
        Expect(")");
        _depth--;
        return arguments;
    }

    private ExpressionNode Index()
    {
        Enter();
        var position = Current.Position;
        var first = SliceOrExpression();
        if (Is(","))
        {
            var items = new List<ExpressionNode> { first };
            while (Take(","))
            {
                if (Is("]"))
                    break;
                items.Add(SliceOrExpression());
            }
            first = new DisplayNode(position, DisplayKind.Tuple, items);
        }
        Expect("]");
        _depth--;
        return first;
    }

    private ExpressionNode SliceOrExpression()
    {
        var position = Current.Position;
        var start = Is(":") ? null : Expression();
        if (!Take(":"))
            return start!;
        var stop = Is(":") || Is("]") || Is(",") ? null : Expression();
        var step = Take(":") && !Is("]") && !Is(",") ? Expression() : null;
        return new SliceNode(position, start, stop, step);
    }

    private LambdaNode Lambda()
    {
        var position = Current.Position;
        _next++;
        var parameters = new List<LambdaParameter>();
        while (!Is(":"))
        {
            var stars = Take("**") ? 2 : Take("*") ? 1 : 0;
            var token = Current;
            if (token.Kind != TokenKind.Name || Keywords.Contains(token.Text))
                throw Unexpected("expected the name of a parameter");
            RefuseDunder(token.Text, token.Position);
            _next++;
            if (parameters.Any(p => p.Name == token.Text))
                throw Tokenizer.Error($"duplicate argument '{token.Text}' in lambda", token.Position);
            parameters.Add(new LambdaParameter(token.Text, stars == 0 && Take("=") ? Expression() : null, stars));
            if (!Take(","))
                break;
        }
        Expect(":");
        return new LambdaNode(position, parameters, Expression());
    }
}
