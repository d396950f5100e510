namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>A node of a parsed expression.</summary>
/// <param name="Position">Where it starts in the text of the expression, from 0.</param>
public abstract record ExpressionNode(int Position);

/// <summary>A number, string, True, False, None or <c>...</c>.</summary>
public sealed record ConstantNode(int Position, object? Value) : ExpressionNode(Position);

/// <summary>A name.</summary>
public sealed record NameNode(int Position, string Name) : ExpressionNode(Position);

/// <summary>A reference <c>@id</c> to another config item.</summary>
public sealed record ReferenceNode(int Position, string Id) : ExpressionNode(Position);

/// <summary>An f-string.</summary>
public sealed record FormattedStringNode(int Position, IReadOnlyList<FormattedPart> Parts) : ExpressionNode(Position);

/// <summary>Literal text, or a field of an f-string with its conversion and format.</summary>
public sealed record FormattedPart(string? Text, ExpressionNode? Value = null, char Conversion = '\0', IReadOnlyList<FormattedPart>? Format = null);

/// <summary><c>-x</c>, <c>+x</c>, <c>~x</c>, <c>not x</c>.</summary>
public sealed record UnaryNode(int Position, string Operator, ExpressionNode Operand) : ExpressionNode(Position);

/// <summary>An arithmetic or bit operator.</summary>
public sealed record BinaryNode(int Position, string Operator, ExpressionNode Left, ExpressionNode Right) : ExpressionNode(Position);

/// <summary><c>and</c> and <c>or</c>.</summary>
public sealed record LogicalNode(int Position, bool IsAnd, ExpressionNode Left, ExpressionNode Right) : ExpressionNode(Position);

/// <summary>A chain of comparisons, <c>a &lt; b &lt;= c</c>.</summary>
public sealed record ComparisonNode(int Position, ExpressionNode First, IReadOnlyList<(string Operator, ExpressionNode Right)> Rest) : ExpressionNode(Position);

/// <summary><c>a if condition else b</c>.</summary>
public sealed record ConditionalNode(int Position, ExpressionNode Condition, ExpressionNode Then, ExpressionNode Else) : ExpressionNode(Position);

/// <summary><c>value.name</c>.</summary>
public sealed record AttributeNode(int Position, ExpressionNode Value, string Name) : ExpressionNode(Position);

/// <summary><c>value[index]</c>.</summary>
public sealed record IndexNode(int Position, ExpressionNode Value, ExpressionNode Index) : ExpressionNode(Position);

/// <summary><c>start:stop:step</c> inside an index.</summary>
public sealed record SliceNode(int Position, ExpressionNode? Start, ExpressionNode? Stop, ExpressionNode? Step) : ExpressionNode(Position);

/// <summary>A call.</summary>
public sealed record CallNode(int Position, ExpressionNode Function, IReadOnlyList<CallArgumentNode> Arguments) : ExpressionNode(Position);

/// <summary>An argument of a call: plain, named, <c>*list</c> (<paramref name="Stars"/> 1) or <c>**dict</c> (2).</summary>
public sealed record CallArgumentNode(string? Name, ExpressionNode Value, int Stars = 0);

/// <summary>A list, tuple or set display; starred items are spread.</summary>
public sealed record DisplayNode(int Position, DisplayKind Kind, IReadOnlyList<ExpressionNode> Items) : ExpressionNode(Position);

/// <summary>What a display or a comprehension makes.</summary>
public enum DisplayKind
{
    List,
    Tuple,
    Set,
    Dict,
    Generator,
}

/// <summary><c>*value</c> inside a display.</summary>
public sealed record StarredNode(int Position, ExpressionNode Value) : ExpressionNode(Position);

/// <summary>A dict display; a null key spreads the value (<c>**value</c>).</summary>
public sealed record DictNodeExpression(int Position, IReadOnlyList<(ExpressionNode? Key, ExpressionNode Value)> Items) : ExpressionNode(Position);

/// <summary>A comprehension; <paramref name="Key"/> is set for dicts only.</summary>
public sealed record ComprehensionNode(int Position, DisplayKind Kind, ExpressionNode? Key, ExpressionNode Value, IReadOnlyList<ComprehensionClause> Clauses) : ExpressionNode(Position);

/// <summary><c>for target in source if conditions</c>.</summary>
public sealed record ComprehensionClause(ExpressionNode Target, ExpressionNode Source, IReadOnlyList<ExpressionNode> Conditions);

/// <summary><c>lambda a, b=1, *rest, **named: body</c>.</summary>
public sealed record LambdaNode(int Position, IReadOnlyList<LambdaParameter> Parameters, ExpressionNode Body) : ExpressionNode(Position);

/// <summary>A parameter of a lambda.</summary>
public sealed record LambdaParameter(string Name, ExpressionNode? Default, int Stars);
