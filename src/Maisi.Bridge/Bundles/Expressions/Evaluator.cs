using System.Runtime.CompilerServices;
using System.Text;

namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>Evaluates parsed expressions against a context, within its budget.</summary>
/// <param name="context">Names, references, behaviours and budget.</param>
internal sealed partial class Evaluator(EvaluationContext context)
{
    // An item of a list takes 8 bytes and more, an element of a tensor mostly 4.
    private const int ElementsPerCell = 8;

    /// <summary>Parses and evaluates an expression.</summary>
    /// <param name="expression">The text without the leading <c>$</c>.</param>
    /// <param name="context">Names, references, behaviours and budget.</param>
    /// <exception cref="BundleException">With the position of the failing part, see <see cref="ExpressionError.PositionOf"/>.</exception>
    public static object? Evaluate(string expression, EvaluationContext context) =>
        new Evaluator(context).Evaluate(ExpressionParser.Parse(expression), Scope.Empty);

    /// <summary>Evaluates one node.</summary>
    public object? Evaluate(ExpressionNode node, Scope scope)
    {
        context.Budget.Step();
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new BundleException(BundleErrorKind.RecursionError, "the expression nests too deep");
        try
        {
            return node switch
            {
                ConstantNode constant => constant.Value,
                NameNode name => Lookup(name.Name, scope),
                ReferenceNode reference => context.Reference(reference.Id),
                FormattedStringNode formatted => Format(formatted.Parts, scope),
                UnaryNode unary => Made(Operators.Unary(unary.Operator, Charged(unary.Operand, scope), context)),
                BinaryNode binary => Made(Operators.Binary(binary.Operator, Charged(binary.Left, scope), Charged(binary.Right, scope), context)),
                LogicalNode logical => Logical(logical, scope),
                ComparisonNode comparison => Compare(comparison, scope),
                ConditionalNode conditional => Evaluate(PythonTypes.IsTrue(Evaluate(conditional.Condition, scope), context) ? conditional.Then : conditional.Else, scope),
                AttributeNode attribute => Members.Get(Charged(attribute.Value, scope), attribute.Name, context),
                IndexNode index => Subscripts.Get(Charged(index.Value, scope), Charged(index.Index, scope), context),
                SliceNode slice => new SliceValue(Optional(slice.Start, scope), Optional(slice.Stop, scope), Optional(slice.Step, scope)),
                CallNode call => Call(call, scope),
                DisplayNode display => Display(display, scope),
                DictNodeExpression dict => Dict(dict, scope),
                ComprehensionNode comprehension => Comprehend(comprehension, scope),
                LambdaNode lambda => new LambdaValue(lambda, scope, context, Defaults(lambda, scope)),
                _ => throw new BundleException(BundleErrorKind.SyntaxError, "cannot use starred expression here"),
            };
        }
        catch (BundleException e) when (ExpressionError.Mark(e, node.Position))
        {
            // Never reached, since the filter passes everything on: to catch and throw again in thousands of levels overflows the stack.
            throw;
        }
    }

    private object? Lookup(string name, Scope scope)
    {
        if (scope.TryGet(name, out var value) || context.Globals.TryGetValue(name, out value) || context.Builtins.TryGet(name, out value))
            return value;
        var known = context.Globals.Keys.Concat(context.Builtins.Names).Concat(scope.Names);
        throw new BundleException(BundleErrorKind.NameError, $"name '{name}' is not defined",
            hint: Builtins.Refused.Contains(name) ? $"'{name}' is never evaluated here: --allow-python hands the bundle to the Python worker" : Suggestion.For(name, known));
    }

    private object? Charged(ExpressionNode node, Scope scope) => context.Charge(Evaluate(node, scope));

    private object? Made(object? value) => Made(value, context);

    // Strings and elements of tensors that an operation has made; lists count their items themselves.
    private static object? Made(object? value, EvaluationContext context)
    {
        if (value is string text)
            context.Budget.Take(text.Length);
        else if (value is not (null or bool or long or double or ListValue or DictValue or TupleValue or Callable) && context.Types.Find(value) is { } behaviour)
            context.Budget.Take(behaviour.Size(value) / ElementsPerCell);
        return value;
    }

    private object? Optional(ExpressionNode? node, Scope scope) => node is null ? null : Evaluate(node, scope);

    private object? Logical(LogicalNode node, Scope scope)
    {
        var left = Evaluate(node.Left, scope);
        return PythonTypes.IsTrue(left, context) == node.IsAnd ? Evaluate(node.Right, scope) : left;
    }

    private object? Compare(ComparisonNode node, Scope scope)
    {
        var left = Charged(node.First, scope);
        object? result = true;
        for (var i = 0; i < node.Rest.Count; i++)
        {
            var (op, rightNode) = node.Rest[i];
            var right = Charged(rightNode, scope);
            result = Operators.Compare(op, left, right, context);
            // The truth of the last one is not asked for: comparing tensors gives a tensor.
            if (i + 1 < node.Rest.Count && !PythonTypes.IsTrue(result, context))
                return result;
            left = right;
        }
        return result;
    }

    private object? Call(CallNode node, Scope scope)
    {
        var function = Evaluate(node.Function, scope);
        var positional = new List<object?>();
        var named = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var argument in node.Arguments)
        {
            var value = Charged(argument.Value, scope);
            switch (argument)
            {
                case { Stars: 1 }:
                    positional.AddRange(context.Budget.Collect(PythonTypes.Iterate(value, context)));
                    break;
                case { Stars: 2 }:
                    if (value is not DictValue dict)
                        throw new BundleException(BundleErrorKind.TypeError, $"argument after ** must be a mapping, not {PythonTypes.NameOf(value)}");
                    foreach (var (key, item) in dict)
                        named[key as string ?? throw new BundleException(BundleErrorKind.TypeError, "keywords must be strings")] = item;
                    break;
                case { Name: { } name }:
                    named[name] = value;
                    break;
                default:
                    positional.Add(value);
                    break;
            }
        }
        return Invoke(function, new CallArguments(positional, named), context);
    }

    /// <summary>Calls a value.</summary>
    public static object? Invoke(object? function, CallArguments arguments, EvaluationContext context)
    {
        context.Budget.Enter();
        try
        {
            if (function is Callable callable)
                return Made(callable.Call(context, arguments), context);
            if (function is ModuleValue { IsRegistered: false } module)
                throw Members.NotRegistered(module);
            if (function is not null && context.Types.Find(function) is { } behaviour && behaviour.TryCall(function, context, arguments, out var result))
                return result;
            throw new BundleException(BundleErrorKind.TypeError, $"'{PythonTypes.NameOf(function)}' object is not callable");
        }
        finally
        {
            context.Budget.Leave();
        }
    }

    private object Display(DisplayNode node, Scope scope)
    {
        context.Budget.Take(node.Items.Count);
        var items = new ListValue();
        foreach (var item in node.Items)
        {
            if (item is StarredNode starred)
                items.AddRange(context.Budget.Collect(PythonTypes.Iterate(Evaluate(starred.Value, scope), context)));
            else
                items.Add(Evaluate(item, scope));
        }
        return node.Kind switch
        {
            DisplayKind.List => items,
            DisplayKind.Tuple => new TupleValue([.. items]),
            _ => new SetValue(items),
        };
    }

    private DictValue Dict(DictNodeExpression node, Scope scope)
    {
        context.Budget.Take(node.Items.Count);
        var dict = new DictValue();
        foreach (var (key, value) in node.Items)
        {
            if (key is not null)
            {
                dict[Charged(key, scope)] = Evaluate(value, scope);
                continue;
            }
            if (Evaluate(value, scope) is not DictValue spread)
                throw new BundleException(BundleErrorKind.TypeError, "only a dict can be spread with **");
            context.Budget.Take(spread.Count);
            foreach (var (k, v) in spread)
                dict[k] = v;
        }
        return dict;
    }

    private object Comprehend(ComprehensionNode node, Scope scope)
    {
        // The first source is evaluated at once, as in Python; a generator evaluates the rest when it is read.
        var first = PythonTypes.Iterate(Evaluate(node.Clauses[0].Source, scope), context);
        if (node.Kind == DisplayKind.Dict)
        {
            var dict = new DictValue();
            foreach (var inner in Walk(node, 0, scope, first))
            {
                context.Budget.Take(1);
                dict[Charged(node.Key!, inner)] = Evaluate(node.Value, inner);
            }
            return dict;
        }
        var items = Walk(node, 0, scope, first).Select(inner => Evaluate(node.Value, inner));
        return node.Kind switch
        {
            DisplayKind.List => context.Budget.Collect(items),
            DisplayKind.Set => new SetValue(context.Budget.Collect(items)),
            _ => new IteratorValue("generator", items),
        };
    }

    private IEnumerable<Scope> Walk(ComprehensionNode node, int clauseIndex, Scope scope, IEnumerable<object?> source)
    {
        var clause = node.Clauses[clauseIndex];
        foreach (var item in source)
        {
            context.Budget.Step();
            var inner = new Scope(scope);
            Bind(clause.Target, item, inner);
            if (!clause.Conditions.All(c => PythonTypes.IsTrue(Evaluate(c, inner), context)))
                continue;
            if (clauseIndex + 1 == node.Clauses.Count)
            {
                yield return inner;
                continue;
            }
            var next = PythonTypes.Iterate(Evaluate(node.Clauses[clauseIndex + 1].Source, inner), context);
            foreach (var deeper in Walk(node, clauseIndex + 1, inner, next))
                yield return deeper;
        }
    }

    private void Bind(ExpressionNode target, object? value, Scope scope)
    {
        if (target is NameNode name)
        {
            scope.Set(name.Name, value);
            return;
        }
        var items = ((DisplayNode)target).Items;
        var values = context.Budget.Collect(PythonTypes.Iterate(value, context).Take(items.Count + 1));
        if (values.Count != items.Count)
            throw new BundleException(BundleErrorKind.ValueError, values.Count > items.Count ? $"too many values to unpack (expected {items.Count})" : $"not enough values to unpack (expected {items.Count}, got {values.Count})");
        for (var i = 0; i < items.Count; i++)
            Bind(items[i], values[i], scope);
    }

    private Dictionary<string, object?> Defaults(LambdaNode node, Scope scope)
    {
        var defaults = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var parameter in node.Parameters)
        {
            if (parameter.Default is not null)
                defaults[parameter.Name] = Evaluate(parameter.Default, scope);
        }
        return defaults;
    }

    private string Format(IReadOnlyList<FormattedPart> parts, Scope scope)
    {
        var text = new StringBuilder();
        foreach (var part in parts)
        {
            string piece;
            if (part.Value is null)
                piece = part.Text!;
            else
            {
                var value = Charged(part.Value, scope);
                var converted = part.Conversion switch { 'r' or 'a' => Representation.Repr(value, context), 's' => Representation.Str(value, context), _ => value };
                piece = FormatSpecification.Format(converted, part.Format is null ? "" : Format(part.Format, scope), context);
            }
            context.Budget.Take(piece.Length);
            text.Append(piece);
        }
        return text.ToString();
    }
}
