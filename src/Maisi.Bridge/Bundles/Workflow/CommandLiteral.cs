using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles;

/// <summary>
/// Reads a value of the command line as Python Fire reads it for <c>python -m monai.bundle</c>: a Python literal, bare words inside it as
/// strings, and everything that is no literal as text.
/// </summary>
public static class CommandLiteral
{
    /// <summary>The value of a text.</summary>
    public static object? Parse(string text)
    {
        if (text.Length is 0 or > Tokenizer.MaxLength || text.Contains('@'))
            return text;
        try
        {
            return TryRead(ExpressionParser.Parse(text), out var value) ? value : text;
        }
        catch (BundleException)
        {
            return text;
        }
    }

    private static bool TryRead(ExpressionNode node, out object? value)
    {
        value = null;
        switch (node)
        {
            case ConstantNode { Value: not EllipsisValue } constant:
                value = constant.Value;
                return true;
            case NameNode name:
                value = name.Name;
                return true;
            case UnaryNode { Operator: "-" or "+", Operand: ConstantNode { Value: long or double or System.Numerics.BigInteger } number } unary:
                value = unary.Operator == "-" ? Numbers.Arithmetic("*", number.Value, -1L) : number.Value;
                return true;
            case DisplayNode display when TryReadAll(display.Items, out var items):
                value = display.Kind switch { DisplayKind.List => new ListValue(items), DisplayKind.Tuple => new TupleValue([.. items]), _ => new SetValue(items) };
                return true;
            case DictNodeExpression dict when dict.Items.All(i => i.Key is not null)
                && TryReadAll([.. dict.Items.Select(i => i.Key!)], out var keys) && TryReadAll([.. dict.Items.Select(i => i.Value)], out var values):
                value = new DictValue(keys.Zip(values, KeyValuePair.Create));
                return true;
            default:
                return false;
        }
    }

    private static bool TryReadAll(IReadOnlyList<ExpressionNode> nodes, out List<object?> values)
    {
        values = [];
        foreach (var node in nodes)
        {
            if (!TryRead(node, out var value))
                return false;
            values.Add(value);
        }
        return true;
    }
}
