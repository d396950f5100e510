namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>Attributes of values.</summary>
internal static class Members
{
    /// <summary><c>value.name</c>.</summary>
    public static object? Get(object? value, string name, EvaluationContext context)
    {
        ExpressionParser.RefuseDunder(name, 0);
        if (TryGet(value, name, context, out var found))
            return found;
        if (value is ModuleValue module)
        {
            throw new BundleException(BundleErrorKind.AttributeError, $"module '{module.Path}' has no registered name '{name}'",
                hint: Suggestion.For(name, module.Names) ?? "only registered names are evaluated: see 'maisi bundle schema', or hand the bundle to Python with --allow-python");
        }
        throw new BundleException(BundleErrorKind.AttributeError, $"'{PythonTypes.NameOf(value)}' object has no attribute '{name}'",
            hint: Suggestion.For(name, Names(value, context)));
    }

    /// <summary><c>value.name</c>; false when there is no such attribute.</summary>
    public static bool TryGet(object? value, string name, EvaluationContext context, out object? found)
    {
        found = null;
        switch (value)
        {
            case ModuleValue { IsRegistered: false } module:
                throw NotRegistered(module);
            case ModuleValue module:
                return module.TryGet(name, out found);
            case string text:
                return Method(StringMethods.Find(name), text, out found);
            case ListValue list:
                return Method(ContainerMethods.OfList(name), list, out found);
            case DictValue dict:
                return Method(ContainerMethods.OfDict(name), dict, out found);
            case TupleValue or SetValue or RangeValue:
                return Method(ContainerMethods.OfSequence(name), value, out found);
            case TypeValue { Name: "dict" } when name == "fromkeys":
                found = ContainerMethods.FromKeys;
                return true;
        }
        if (Numbers.IsNumber(value))
            return Number(value!, name, out found);
        return value is not null && context.Types.Find(value) is { } behaviour && behaviour.TryGetAttribute(value, name, out found);
    }

    /// <summary>The error of an import that is not registered.</summary>
    public static BundleException NotRegistered(ModuleValue module) => new(
        BundleErrorKind.ImportError, $"the module '{module.Path}' is not registered",
        hint: "nothing is imported here; register it with AddMaisiBundles(), or hand the bundle to Python with --allow-python");

    private static bool Method<T>(Func<EvaluationContext, T, CallArguments, object?>? method, T self, out object? found)
    {
        found = method is null ? null : new NativeFunction(typeof(T).Name, (context, arguments) => method(context, self, arguments));
        return method is not null;
    }

    private static bool Number(object value, string name, out object? found)
    {
        found = name switch
        {
            "real" => value,
            "imag" => 0L,
            "is_integer" => new NativeFunction(name, (_, _) => Numbers.IsInteger(value) || (double.IsFinite(Numbers.ToDouble(value)) && Numbers.ToDouble(value) == Math.Floor(Numbers.ToDouble(value)))),
            "bit_length" when Numbers.IsInteger(value) => new NativeFunction(name, (_, _) => value is false or 0L ? 0L : (long)System.Numerics.BigInteger.Abs(Numbers.ToBig(value)).GetBitLength()),
            _ => null,
        };
        return found is not null;
    }

    private static IEnumerable<string> Names(object? value, EvaluationContext context) => value switch
    {
        string => StringMethods.Names,
        ListValue => ContainerMethods.ListNames,
        DictValue => ContainerMethods.DictNames,
        _ => context.Types.Find(value)?.AttributeNames ?? [],
    };
}
