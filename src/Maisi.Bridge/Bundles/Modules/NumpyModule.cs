using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>A number made by numpy, which has <c>item()</c> and computes like a number.</summary>
/// <param name="Value">A bool, long or double.</param>
internal sealed record NumpyScalar(object Value);

/// <summary>The few functions of numpy that configs use on shapes and spacings: reductions and element-wise roundings of lists.</summary>
internal static class NumpyModule
{
    private static readonly (string Name, Func<double, double> Function)[] ElementWise =
        [("ceil", Math.Ceiling), ("floor", Math.Floor), ("sqrt", Math.Sqrt), ("log2", Math.Log2), ("log", Math.Log), ("exp", Math.Exp), ("rint", Math.Round), ("absolute", Math.Abs)];

    /// <summary>Adds the module.</summary>
    public static void Add(TargetRegistryBuilder builder)
    {
        builder
            .AddFunction("numpy.prod", (c, a) => Scalar(Flat(a, c).Aggregate((object?)1L, (p, v) => Operators.Binary("*", p, v, c))))
            .AddFunction("numpy.sum", (c, a) => Scalar(Flat(a, c).Aggregate((object?)0L, (p, v) => Operators.Binary("+", p, v, c))))
            .AddFunction("numpy.mean", (c, a) => Scalar(Flat(a, c).Average(Numbers.ToDouble)))
            .AddFunction("numpy.max", (c, a) => Scalar(Flat(a, c).MaxBy(Numbers.ToDouble)))
            .AddFunction("numpy.min", (c, a) => Scalar(Flat(a, c).MinBy(Numbers.ToDouble)))
            .AddValue("numpy.pi", () => Math.PI)
            .AddValue("numpy.inf", () => double.PositiveInfinity)
            .AddValue("numpy.nan", () => double.NaN)
            .AddBehaviour(new NumpyScalarBehaviour());
        foreach (var (name, function) in ElementWise)
            builder.AddFunction($"numpy.{name}", (c, a) => Apply(a.Required(0, "x", name), function, c));
        foreach (var type in new[] { "float32", "float64", "float16", "uint8", "int8", "int16", "int32", "int64", "bool_" })
            builder.AddValue($"numpy.{type}", () => new NumpyType(type));
        builder.AddBehaviour(new NumpyTypeBehaviour());
    }

    private static NumpyScalar Scalar(object? value) => new(value ?? 0L);

    private static object Apply(object? value, Func<double, double> function, EvaluationContext context) => Numbers.IsNumber(value)
        ? Scalar(function(Numbers.ToDouble(value)))
        : new ListValue(PythonTypes.Iterate(value, context).Select(v => Apply(v, function, context)));

    private static List<object?> Flat(CallArguments arguments, EvaluationContext context)
    {
        var flat = Flatten(arguments.Required(0, "a", "numpy"), context, 0).ToList();
        return flat.Count > 0 ? flat : throw new BundleException(BundleErrorKind.ValueError, "an empty list");
    }

    private static IEnumerable<object?> Flatten(object? value, EvaluationContext context, int depth) => value is NumpyScalar scalar ? [scalar.Value]
        : Numbers.IsNumber(value) ? [value]
        : depth > 8 ? throw new BundleException(BundleErrorKind.RecursionError, "lists nested deeper than 8 levels")
        : PythonTypes.Iterate(value, context).SelectMany(v => Flatten(v, context, depth + 1));
}

/// <summary>A dtype of numpy.</summary>
/// <param name="Name">Its name.</param>
internal sealed record NumpyType(string Name);

/// <summary>Dtypes are named and passed on; they have no attributes.</summary>
internal sealed class NumpyTypeBehaviour : TypeBehaviour
{
    /// <inheritdoc/>
    public override Type Type => typeof(NumpyType);

    /// <inheritdoc/>
    public override bool TryGetAttribute(object self, string name, out object? value)
    {
        value = null;
        return false;
    }

    /// <inheritdoc/>
    public override string Repr(object self) => $"<class 'numpy.{((NumpyType)self).Name}'>";

    /// <inheritdoc/>
    public override object? ToPlain(object self) => ((NumpyType)self).Name;
}

/// <summary>What expressions may do with numbers made by numpy.</summary>
internal sealed class NumpyScalarBehaviour : TypeBehaviour
{
    private static readonly EvaluationContext Plain = new() { Globals = new Dictionary<string, object?>(), Builtins = new ModuleValue("builtins"), Types = new TypeTable([]) };

    /// <inheritdoc/>
    public override Type Type => typeof(NumpyScalar);

    /// <inheritdoc/>
    public override IEnumerable<string> AttributeNames => ["item", "tolist", "astype"];

    /// <inheritdoc/>
    public override bool TryGetAttribute(object self, string name, out object? value)
    {
        var number = ((NumpyScalar)self).Value;
        value = name switch
        {
            "item" or "tolist" => new NativeFunction(name, (_, _) => number),
            "astype" => new NativeFunction(name, (c, a) => new NumpyScalar(Evaluator.Invoke(a.Required(0, "dtype", name), new CallArguments(number), c) ?? number)),
            _ => null,
        };
        return value is not null;
    }

    /// <inheritdoc/>
    public override bool TryBinary(object self, string op, object? other, bool reflected, out object? result)
    {
        var mine = ((NumpyScalar)self).Value;
        var theirs = other is NumpyScalar scalar ? scalar.Value : other;
        result = null;
        if (!Numbers.IsNumber(theirs))
            return false;
        var (left, right) = reflected ? (theirs, mine) : (mine, theirs);
        result = op is "==" or "!=" or "<" or "<=" or ">" or ">="
            ? Operators.Compare(op, left, right, Plain)
            : new NumpyScalar(Numbers.Arithmetic(op, left, right));
        return true;
    }

    /// <inheritdoc/>
    public override bool IsTrue(object self) => Numbers.Compare(((NumpyScalar)self).Value, 0L) != 0;

    /// <inheritdoc/>
    public override string Repr(object self) => Representation.Repr(((NumpyScalar)self).Value, Plain.WithBudget(new EvaluationBudget()));

    /// <inheritdoc/>
    public override object? ToPlain(object self) => ((NumpyScalar)self).Value;
}
