namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>The arguments of one call.</summary>
/// <param name="Positional">The positional arguments.</param>
/// <param name="Named">The keyword arguments in order.</param>
public sealed record CallArguments(IReadOnlyList<object?> Positional, IReadOnlyDictionary<string, object?> Named)
{
    private static readonly IReadOnlyDictionary<string, object?> NoNames = new Dictionary<string, object?>();

    /// <summary>Positional arguments only.</summary>
    public CallArguments(params object?[] positional)
        : this(positional, NoNames)
    {
    }

    /// <summary>The argument at a position or under a name.</summary>
    /// <param name="index">The position.</param>
    /// <param name="name">The keyword; null when it can only be positional.</param>
    /// <param name="fallback">The value when it is not given.</param>
    public object? Optional(int index, string? name, object? fallback = null) =>
        index < Positional.Count ? Positional[index]
        : name is not null && Named.TryGetValue(name, out var value) ? value : fallback;

    /// <summary>The argument at a position or under a name; an error when it is missing.</summary>
    public object? Required(int index, string name, string function) =>
        index < Positional.Count ? Positional[index]
        : Named.TryGetValue(name, out var value) ? value
        : throw new BundleException(BundleErrorKind.TypeError, $"{function}() missing required argument: '{name}'");

    /// <summary>Throws when there are too few or too many positional arguments, or a keyword that the function does not have.</summary>
    public void Check(string function, int min, int max, params string[] names)
    {
        foreach (var name in Named.Keys)
        {
            if (!names.Contains(name, StringComparer.Ordinal))
                throw new BundleException(BundleErrorKind.TypeError, $"{function}() got an unexpected keyword argument '{name}'", hint: Suggestion.For(name, names));
        }
        if (Positional.Count < min && Positional.Count + Named.Count < min)
            throw new BundleException(BundleErrorKind.TypeError, $"{function}() takes at least {min} argument(s), got {Positional.Count}");
        if (Positional.Count > max)
            throw new BundleException(BundleErrorKind.TypeError, $"{function}() takes at most {max} argument(s), got {Positional.Count}");
    }
}

/// <summary>Something that an expression or a <c>_target_</c> can call.</summary>
public abstract class Callable
{
    /// <summary>The name for messages.</summary>
    public abstract string Name { get; }

    /// <summary>Calls it.</summary>
    /// <param name="context">The evaluation that calls.</param>
    /// <param name="arguments">The arguments.</param>
    public abstract object? Call(EvaluationContext context, CallArguments arguments);
}

/// <summary>A function written in C#.</summary>
/// <param name="name">The Python name.</param>
/// <param name="body">What it does.</param>
public sealed class NativeFunction(string name, Func<EvaluationContext, CallArguments, object?> body) : Callable
{
    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override object? Call(EvaluationContext context, CallArguments arguments) => body(context, arguments);
}

/// <summary>A Python type: callable, and usable with <c>isinstance</c>.</summary>
/// <param name="name">The Python name.</param>
/// <param name="isInstance">Tells whether a value is of this type.</param>
/// <param name="construct">What a call makes.</param>
public sealed class TypeValue(string name, Func<object?, bool> isInstance, Func<EvaluationContext, CallArguments, object?> construct) : Callable
{
    /// <inheritdoc/>
    public override string Name => name;

    /// <summary>True when the value is of this type.</summary>
    public bool IsInstance(object? value) => isInstance(value);

    /// <inheritdoc/>
    public override object? Call(EvaluationContext context, CallArguments arguments) => construct(context, arguments);
}

/// <summary>A callable with some keyword arguments already given: <c>_mode_: callable</c> and <c>functools.partial</c>.</summary>
/// <param name="inner">What is called.</param>
/// <param name="given">The arguments given already.</param>
public sealed class PartialFunction(Callable inner, CallArguments given) : Callable
{
    /// <inheritdoc/>
    public override string Name => inner.Name;

    /// <inheritdoc/>
    public override object? Call(EvaluationContext context, CallArguments arguments)
    {
        var named = new Dictionary<string, object?>(given.Named, StringComparer.Ordinal);
        foreach (var (key, value) in arguments.Named)
            named[key] = value;
        return inner.Call(context, new CallArguments([.. given.Positional, .. arguments.Positional], named));
    }
}
