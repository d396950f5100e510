using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>What a transform does with an image, and the generator that it draws from.</summary>
/// <param name="Apply">Image to image.</param>
/// <param name="Random">The generator's owner; null for a transform that draws nothing.</param>
internal sealed record ImageFunction(Func<object?, object?> Apply, ISeededTransform? Random = null)
{
    /// <summary>A transform as a function of what a bundle hands over.</summary>
    public static ImageFunction Of(IVolumeTransform transform, string name) => new(value => BundleImage.Of(value, name).Apply(transform), transform as ISeededTransform);
}

/// <summary>What the target of a transform makes: a function of data, with MONAI's set_random_state where it draws.</summary>
/// <param name="name">MONAI's name.</param>
/// <param name="apply">What it does.</param>
/// <param name="seed">Starts its generators anew; null when it has none.</param>
internal sealed class TransformFunction(string name, Func<EvaluationContext, object?, object?> apply, Action<ulong>? seed = null) : Callable
{
    /// <inheritdoc/>
    public override string Name => name;

    /// <summary>True when it draws.</summary>
    public bool IsRandom => seed is not null;

    /// <summary>Starts its generators anew.</summary>
    public void Seed(ulong value) => seed?.Invoke(value);

    /// <inheritdoc/>
    public override object? Call(EvaluationContext context, CallArguments arguments)
    {
        arguments.Check(name, 1, 1, "data");
        return apply(context, arguments.Required(0, "data", name));
    }
}

/// <summary>What expressions may do with a transform besides calling it.</summary>
internal sealed class TransformFunctionBehaviour : TypeBehaviour
{
    /// <inheritdoc/>
    public override Type Type => typeof(TransformFunction);

    /// <inheritdoc/>
    public override IEnumerable<string> AttributeNames => ["set_random_state"];

    /// <inheritdoc/>
    public override bool TryGetAttribute(object self, string name, out object? value)
    {
        var function = (TransformFunction)self;
        value = name != "set_random_state" || !function.IsRandom ? null : new NativeFunction(name, (_, a) =>
        {
            function.Seed((ulong)Numbers.ToLong(a.Required(0, "seed", name)));
            return function;
        });
        return value is not null;
    }
}

/// <summary>A transform of one image: the target makes a function from the arguments.</summary>
/// <param name="name">MONAI's name.</param>
/// <param name="parameters">Its parameters in order.</param>
/// <param name="prepare">Makes what it does with an image.</param>
internal sealed class ArrayTransform(string name, string[] parameters, Func<TransformArguments, ImageFunction> prepare) : Callable
{
    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override object? Call(EvaluationContext context, CallArguments arguments)
    {
        arguments.Check(name, 0, parameters.Length, parameters);
        var function = prepare(new TransformArguments(name, Named(parameters, arguments), context));
        return new TransformFunction(name, (_, value) => function.Apply(value), function.Random is { } random ? random.SetRandomState : null);
    }

    /// <summary>Arguments by name.</summary>
    internal static Dictionary<string, object?> Named(string[] parameters, CallArguments arguments)
    {
        var named = new Dictionary<string, object?>(arguments.Named, StringComparer.Ordinal);
        for (var i = 0; i < arguments.Positional.Count; i++)
            named[parameters[i]] = arguments.Positional[i];
        return named;
    }
}

/// <summary>
/// The same for the images of a dictionary under some keys; arguments may differ by key, what is drawn does not. The input is not changed.
/// </summary>
/// <param name="name">MONAI's name, with its d.</param>
/// <param name="parameters">Parameters of the transform.</param>
/// <param name="perKey">Those that may be a list, one for each key.</param>
/// <param name="prepare">Makes what it does with an image.</param>
internal sealed class DictionaryTransform(string name, string[] parameters, string[] perKey, Func<TransformArguments, ImageFunction> prepare) : Callable
{
    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override object? Call(EvaluationContext context, CallArguments arguments)
    {
        string[] all = ["keys", .. parameters, "allow_missing_keys"];
        arguments.Check(name, 1, all.Length, all);
        var named = ArrayTransform.Named(all, arguments);
        var keys = named["keys"] is string one ? [one] : PythonTypes.Iterate(named["keys"], context).ToArray();
        var optional = named.TryGetValue("allow_missing_keys", out var missing) && PythonTypes.IsTrue(missing, context);
        ImageFunction[] functions = [.. keys.Select((_, i) => prepare(new TransformArguments(name, ForKey(named, i, keys.Length, context), context)))];
        return new TransformFunction(name, Apply, functions[0].Random is null ? null : seed =>
        {
            foreach (var function in functions)
                function.Random!.SetRandomState(seed);
        });

        // Every key's generator starts from one seed and is asked the same, so all draw the same.
        object? Apply(EvaluationContext context, object? value)
        {
            var data = value as DictValue ?? throw new BundleException(BundleErrorKind.TypeError, $"{name} takes a dict of images");
            var result = new DictValue(data);
            for (var i = 0; i < keys.Length; i++)
            {
                if (data.TryGetValue(keys[i], out var image))
                    result[keys[i]] = functions[i].Apply(image);
                else if (!optional)
                    throw new BundleException(BundleErrorKind.KeyError, $"{name}: the data have no '{keys[i]}'", hint: $"they have: {string.Join(", ", data.Keys)}");
            }
            return result;
        }
    }

    private Dictionary<string, object?> ForKey(Dictionary<string, object?> named, int index, int count, EvaluationContext context)
    {
        var own = new Dictionary<string, object?>(named, StringComparer.Ordinal);
        foreach (var parameter in perKey)
        {
            if (!own.TryGetValue(parameter, out var value) || value is not (ListValue or TupleValue))
                continue;
            var items = PythonTypes.Iterate(value, context).ToList();
            own[parameter] = items.Count == count ? items[index]
                : throw new BundleException(BundleErrorKind.ValueError, $"{name}(): '{parameter}' has {items.Count} values for {count} keys");
        }
        return own;
    }
}
