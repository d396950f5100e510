using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>Python's <c>math</c>.</summary>
internal static class MathModule
{
    private static readonly (string Name, Func<double, double> Function)[] Functions =
    [
        ("sqrt", Math.Sqrt), ("exp", Math.Exp), ("log2", Math.Log2), ("log10", Math.Log10), ("sin", Math.Sin), ("cos", Math.Cos), ("tan", Math.Tan),
        ("asin", Math.Asin), ("acos", Math.Acos), ("atan", Math.Atan), ("sinh", Math.Sinh), ("cosh", Math.Cosh), ("tanh", Math.Tanh),
        ("degrees", x => x * 180 / Math.PI), ("radians", x => x * Math.PI / 180), ("fabs", Math.Abs), ("log1p", x => Math.Log(1 + x)),
    ];

    /// <summary>Adds the module.</summary>
    public static void Add(TargetRegistryBuilder builder)
    {
        builder.AddValue("math.pi", () => Math.PI).AddValue("math.e", () => Math.E).AddValue("math.tau", () => Math.Tau)
            .AddValue("math.inf", () => double.PositiveInfinity).AddValue("math.nan", () => double.NaN);
        foreach (var (name, function) in Functions)
            builder.AddFunction($"math.{name}", (_, a) => Checked(name, function, Numbers.ToDouble(a.Required(0, "x", name))));
        builder
            .AddFunction("math.log", (_, a) => a.Positional.Count > 1
                ? Checked("log", Math.Log, Numbers.ToDouble(a.Positional[0])) / Checked("log", Math.Log, Numbers.ToDouble(a.Positional[1]))
                : Checked("log", Math.Log, Numbers.ToDouble(a.Required(0, "x", "log"))))
            .AddFunction("math.pow", (_, a) => Numbers.Arithmetic("**", Numbers.ToDouble(a.Required(0, "x", "pow")), Numbers.ToDouble(a.Required(1, "y", "pow"))))
            .AddFunction("math.atan2", (_, a) => Math.Atan2(Numbers.ToDouble(a.Required(0, "y", "atan2")), Numbers.ToDouble(a.Required(1, "x", "atan2"))))
            .AddFunction("math.hypot", (_, a) => Math.Sqrt(a.Positional.Sum(v => Numbers.ToDouble(v) * Numbers.ToDouble(v))))
            .AddFunction("math.floor", (_, a) => Whole(a, "floor", Math.Floor))
            .AddFunction("math.ceil", (_, a) => Whole(a, "ceil", Math.Ceiling))
            .AddFunction("math.trunc", (_, a) => Whole(a, "trunc", Math.Truncate))
            .AddFunction("math.isnan", (_, a) => double.IsNaN(Numbers.ToDouble(a.Required(0, "x", "isnan"))))
            .AddFunction("math.isinf", (_, a) => double.IsInfinity(Numbers.ToDouble(a.Required(0, "x", "isinf"))))
            .AddFunction("math.isfinite", (_, a) => double.IsFinite(Numbers.ToDouble(a.Required(0, "x", "isfinite"))))
            .AddFunction("math.gcd", (_, a) => Numbers.Normalize(a.Positional.Select(Numbers.ToBig).Aggregate(System.Numerics.BigInteger.Zero, System.Numerics.BigInteger.GreatestCommonDivisor)))
            .AddFunction("math.prod", (c, a) => PythonTypes.Iterate(a.Required(0, "iterable", "prod"), c).Aggregate(a.Named.GetValueOrDefault("start", 1L), (p, v) => Operators.Binary("*", p, v, c)))
            .AddFunction("math.fsum", (c, a) => PythonTypes.Iterate(a.Required(0, "iterable", "fsum"), c).Sum(Numbers.ToDouble))
            .AddFunction("math.isqrt", (_, a) => Numbers.ToLong(a.Required(0, "n", "isqrt")) is >= 0 and var n ? (long)Math.Sqrt(n) is var r && r * r > n ? r - 1 : r
                : throw new BundleException(BundleErrorKind.ValueError, "isqrt() argument must be nonnegative"));
    }

    private static double Checked(string name, Func<double, double> function, double x)
    {
        var y = function(x);
        if (double.IsNaN(y) && !double.IsNaN(x) || (name.StartsWith("log", StringComparison.Ordinal) && x <= 0))
            throw new BundleException(BundleErrorKind.ValueError, "math domain error", hint: $"{name}({Representation.Float(x)})");
        return double.IsInfinity(y) && double.IsFinite(x) ? throw new BundleException(BundleErrorKind.OverflowError, "math range error") : y;
    }

    private static object Whole(CallArguments arguments, string name, Func<double, double> round)
    {
        var value = arguments.Required(0, "x", name);
        return Numbers.IsInteger(value) ? Numbers.Normalize(Numbers.ToBig(value)) : Numbers.Normalize(Numbers.ToInteger(round(Numbers.ToDouble(value))));
    }
}
