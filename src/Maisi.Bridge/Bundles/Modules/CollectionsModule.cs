using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>Names of <c>collections</c>, <c>functools</c>, <c>itertools</c> and <c>operator</c> that configs use.</summary>
internal static class CollectionsModule
{
    /// <summary>Adds the modules.</summary>
    public static void Add(TargetRegistryBuilder builder) => builder
        .AddFunction("collections.OrderedDict", (c, a) => new DictValue(ContainerMethods.Entries(c, a)))
        .AddFunction("functools.partial", (_, a) => a.Required(0, "func", "partial") is Callable inner
            ? new PartialFunction(inner, new CallArguments([.. a.Positional.Skip(1)], a.Named))
            : throw new BundleException(BundleErrorKind.TypeError, "the first argument must be callable"))
        .AddFunction("functools.reduce", Reduce)
        .AddFunction("itertools.chain", (c, a) => new IteratorValue("chain", a.Positional.SelectMany(s => PythonTypes.Iterate(s, c))))
        .AddFunction("itertools.product", (c, a) => new IteratorValue("product", Product(c, Sources(c, a))))
        .AddFunction("operator.itemgetter", (_, a) => new NativeFunction("itemgetter", (c, v) => Subscripts.Get(v.Required(0, "obj", "itemgetter"), a.Required(0, "item", "itemgetter"), c)));

    private static object? Reduce(EvaluationContext context, CallArguments arguments)
    {
        var items = PythonTypes.Iterate(arguments.Required(1, "iterable", "reduce"), context);
        if (arguments.Positional.Count > 2)
            items = items.Prepend(arguments.Positional[2]);
        var list = context.Budget.Collect(items);
        if (list.Count == 0)
            throw new BundleException(BundleErrorKind.TypeError, "reduce() of empty iterable with no initial value");
        return list.Aggregate((total, v) => Evaluator.Invoke(arguments.Positional[0], new CallArguments(total, v), context));
    }

    private static ListValue[] Sources(EvaluationContext context, CallArguments arguments)
    {
        arguments.Check("product", 0, int.MaxValue, "repeat");
        var sources = arguments.Positional.Select(s => context.Budget.Collect(PythonTypes.Iterate(s, context))).ToArray();
        var repeat = Math.Max(Numbers.ToLong(arguments.Named.GetValueOrDefault("repeat", 1L)), 0);
        context.Budget.Take(sources.Length * Math.Min(repeat, int.MaxValue));
        return [.. Enumerable.Repeat(sources, (int)repeat).SelectMany(s => s)];
    }

    private static IEnumerable<object?> Product(EvaluationContext context, ListValue[] sources)
    {
        var at = new int[sources.Length];
        if (sources.Any(s => s.Count == 0))
            yield break;
        while (true)
        {
            context.Budget.Take(sources.Length);
            yield return new TupleValue([.. sources.Select((s, i) => s[at[i]])]);
            var place = sources.Length - 1;
            while (place >= 0 && ++at[place] == sources[place].Count)
                at[place--] = 0;
            if (place < 0)
                yield break;
        }
    }
}
