namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>Finds, without evaluating, the names of an expression that are not registered.</summary>
internal static class ExpressionAudit
{
    /// <summary>The unknown names, such as "ignite.engine.Events"; empty when everything is registered.</summary>
    /// <param name="node">The parsed expression.</param>
    /// <param name="globals">Imports and standard modules.</param>
    /// <param name="context">Builtins.</param>
    public static IReadOnlyList<string> Problems(ExpressionNode node, IReadOnlyDictionary<string, object?> globals, EvaluationContext context)
    {
        var problems = new List<string>();
        Walk(node, [], problems, globals, context);
        return problems;
    }

    private static void Walk(ExpressionNode? node, IReadOnlyCollection<string> locals, List<string> problems, IReadOnlyDictionary<string, object?> globals, EvaluationContext context)
    {
        void Each(IEnumerable<ExpressionNode?> nodes, IReadOnlyCollection<string>? names = null)
        {
            foreach (var child in nodes)
                Walk(child, names ?? locals, problems, globals, context);
        }
        switch (node)
        {
            case NameNode or AttributeNode when Path(node) is { } path && !locals.Contains(path[0]):
                Check(path, problems, globals, context);
                break;
            case AttributeNode attribute:
                Each([attribute.Value]);
                break;
            case FormattedStringNode formatted:
                Each(formatted.Parts.Select(p => p.Value));
                break;
            case UnaryNode unary:
                Each([unary.Operand]);
                break;
            case BinaryNode binary:
                Each([binary.Left, binary.Right]);
                break;
            case LogicalNode logical:
                Each([logical.Left, logical.Right]);
                break;
            case ComparisonNode comparison:
                Each([comparison.First, .. comparison.Rest.Select(r => r.Right)]);
                break;
            case ConditionalNode conditional:
                Each([conditional.Condition, conditional.Then, conditional.Else]);
                break;
            case IndexNode index:
                Each([index.Value, index.Index]);
                break;
            case SliceNode slice:
                Each([slice.Start, slice.Stop, slice.Step]);
                break;
            case CallNode call:
                Each([call.Function, .. call.Arguments.Select(a => a.Value)]);
                break;
            case DisplayNode display:
                Each(display.Items);
                break;
            case StarredNode starred:
                Each([starred.Value]);
                break;
            case DictNodeExpression dict:
                Each(dict.Items.SelectMany(i => new[] { i.Key, i.Value }));
                break;
            case ComprehensionNode comprehension:
                var names = comprehension.Clauses.SelectMany(c => Targets(c.Target)).Concat(locals).ToHashSet(StringComparer.Ordinal);
                Each([comprehension.Key, comprehension.Value, .. comprehension.Clauses.SelectMany(c => c.Conditions.Prepend(c.Source))], names);
                break;
            case LambdaNode lambda:
                Each(lambda.Parameters.Select(p => p.Default));
                Each([lambda.Body], lambda.Parameters.Select(p => p.Name).Concat(locals).ToHashSet(StringComparer.Ordinal));
                break;
        }
    }

    private static void Check(List<string> path, List<string> problems, IReadOnlyDictionary<string, object?> globals, EvaluationContext context)
    {
        if (!globals.TryGetValue(path[0], out var value) && !context.Builtins.TryGet(path[0], out value))
        {
            problems.Add(path[0]);
            return;
        }
        for (var i = 1; i < path.Count && value is ModuleValue module; i++)
        {
            if (!module.IsRegistered || !module.TryGet(path[i], out value))
            {
                problems.Add(string.Join('.', [module.Path, .. path.Skip(i)]));
                return;
            }
        }
        if (value is ModuleValue { IsRegistered: false } unknown)
            problems.Add(unknown.Path);
    }

    // a.b.c as its names; null when it does not start with a name.
    private static List<string>? Path(ExpressionNode node) => node switch
    {
        NameNode name => [name.Name],
        AttributeNode attribute when Path(attribute.Value) is { } path => [.. path, attribute.Name],
        _ => null,
    };

    private static IEnumerable<string> Targets(ExpressionNode target) => target switch
    {
        NameNode name => [name.Name],
        DisplayNode display => display.Items.SelectMany(Targets),
        _ => [],
    };
}
