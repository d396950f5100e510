namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>The local names of a lambda or a comprehension, within those around it.</summary>
/// <param name="outer">The scope around it.</param>
internal sealed class Scope(Scope? outer)
{
    private readonly Dictionary<string, object?> _names = new(StringComparer.Ordinal);

    /// <summary>No local names.</summary>
    public static Scope Empty { get; } = new(null);

    /// <summary>Every name in sight.</summary>
    public IEnumerable<string> Names => outer is null ? _names.Keys : _names.Keys.Concat(outer.Names);

    /// <summary>Sets a name.</summary>
    public void Set(string name, object? value) => _names[name] = value;

    /// <summary>Looks a name up.</summary>
    public bool TryGet(string name, out object? value)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
        {
            if (scope._names.TryGetValue(name, out value))
                return true;
        }
        value = null;
        return false;
    }

    private Scope? Outer => outer;
}

/// <summary>A lambda. Called during an evaluation it shares that budget; called later, as by a transform, each call has its own.</summary>
/// <param name="node">The parsed lambda.</param>
/// <param name="scope">Where it was made.</param>
/// <param name="context">The evaluation that made it.</param>
/// <param name="defaults">Values of the parameters that have a default.</param>
internal sealed class LambdaValue(LambdaNode node, Scope scope, EvaluationContext context, IReadOnlyDictionary<string, object?> defaults) : Callable
{
    /// <inheritdoc/>
    public override string Name => "<lambda>";

    /// <inheritdoc/>
    public override object? Call(EvaluationContext caller, CallArguments arguments)
    {
        var local = new Scope(scope);
        var next = 0;
        var named = new Dictionary<string, object?>(arguments.Named, StringComparer.Ordinal);
        foreach (var parameter in node.Parameters)
        {
            if (parameter.Stars == 1)
            {
                local.Set(parameter.Name, new TupleValue([.. arguments.Positional.Skip(next)]));
                next = arguments.Positional.Count;
            }
            else if (parameter.Stars == 2)
            {
                local.Set(parameter.Name, new DictValue(named.Select(p => KeyValuePair.Create((object?)p.Key, p.Value))));
                named.Clear();
            }
            else if (next < arguments.Positional.Count)
                local.Set(parameter.Name, arguments.Positional[next++]);
            else if (named.Remove(parameter.Name, out var value) || defaults.TryGetValue(parameter.Name, out value))
                local.Set(parameter.Name, value);
            else
                throw new BundleException(BundleErrorKind.TypeError, $"<lambda>() missing required argument: '{parameter.Name}'");
        }
        if (next < arguments.Positional.Count)
            throw new BundleException(BundleErrorKind.TypeError, $"<lambda>() takes {node.Parameters.Count} positional argument(s) but {arguments.Positional.Count} were given");
        if (named.Count > 0)
            throw new BundleException(BundleErrorKind.TypeError, $"<lambda>() got an unexpected keyword argument '{named.Keys.First()}'");
        return new Evaluator(ReferenceEquals(caller.Budget, context.Budget) ? context : context.WithBudget(caller.Budget)).Evaluate(node.Body, local);
    }
}
