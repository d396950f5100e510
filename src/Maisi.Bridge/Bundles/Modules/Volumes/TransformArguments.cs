using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>The arguments of a MONAI transform, with the spellings that MONAI takes: one number for three, names of modes.</summary>
/// <param name="transform">Its name, for messages.</param>
/// <param name="values">The arguments by name.</param>
/// <param name="context">For functions among them.</param>
internal sealed class TransformArguments(string transform, IReadOnlyDictionary<string, object?> values, EvaluationContext context)
{
    /// <summary>The evaluation that calls.</summary>
    public EvaluationContext Context => context;

    /// <summary>True when the argument is given and not None.</summary>
    public bool Has(string name) => Get<object>(name) is not null;

    /// <summary>Whole numbers; null when the argument is absent or None.</summary>
    public int[]? Ints(string name) => Get<object>(name) switch
    {
        null => null,
        ListValue or TupleValue => Get<int[]>(name),
        _ => [Get<int>(name)],
    };

    /// <summary>A size of three axes; one number stands for all.</summary>
    public int[] Size(string name) => Ints(name) switch
    {
        null => throw Wrong(name, "is missing"),
        [var one] => [one, one, one],
        { Length: 3 } three => three,
        _ => throw Wrong(name, "must be one number or three"),
    };

    /// <summary>Numbers.</summary>
    public double[] Reals(string name) => Get<object>(name) switch
    {
        null => throw Wrong(name, "is missing"),
        ListValue or TupleValue => Get<double[]>(name)!,
        _ => [Real(name)!.Value],
    };

    /// <summary>A number; null when absent.</summary>
    public double? Real(string name) => Get<object>(name) is null ? null : Get<double>(name);

    /// <summary>A number that must be given.</summary>
    public double Number(string name) => Real(name) ?? throw Wrong(name, "is missing");

    /// <summary>A flag.</summary>
    public bool Flag(string name, bool otherwise = false) => Get<object>(name) is null ? otherwise : Get<bool>(name);

    /// <summary>A text; null when absent.</summary>
    public string? Text(string name) => Get<object>(name) is null ? null : Get<string>(name);

    /// <summary>"nearest", or "bilinear" and its synonyms.</summary>
    public Interpolation Sampling(string name = "mode", string otherwise = "bilinear") => (Text(name) ?? otherwise) switch
    {
        "nearest" => Interpolation.Nearest,
        "bilinear" or "trilinear" or "linear" => Interpolation.Trilinear,
        var other => throw Wrong(name, $"is '{other}', but must be nearest or bilinear"),
    };

    /// <summary>"nearest", "area" or "trilinear".</summary>
    public InterpolationMode Resizing() => (Text("mode") ?? "area") switch
    {
        "nearest" => InterpolationMode.Nearest,
        "area" => InterpolationMode.Area,
        "trilinear" or "bilinear" => InterpolationMode.Trilinear,
        var other => throw Wrong("mode", $"is '{other}', but must be nearest, area or trilinear"),
    };

    /// <summary>"constant", "edge" or "reflect".</summary>
    public PaddingModes Padding() => (Text("mode") ?? "constant") switch
    {
        "constant" => PaddingModes.Constant,
        "edge" or "replicate" => PaddingModes.Replicate,
        "reflect" => PaddingModes.Reflect,
        var other => throw Wrong("mode", $"is '{other}', but must be constant, edge or reflect"),
    };

    /// <summary>"border" or "zeros".</summary>
    public SamplePadding Outside(string otherwise = "border") => (Text("padding_mode") ?? otherwise) switch
    {
        "border" => SamplePadding.Border,
        "zeros" => SamplePadding.Zeros,
        var other => throw Wrong("padding_mode", $"is '{other}', but must be border or zeros"),
    };

    /// <summary>A function of a tensor; null when absent.</summary>
    public Func<Tensor, Tensor>? Selection(string name) => Get<object>(name) switch
    {
        null => null,
        Callable function => t => function.Call(context, new CallArguments(t)) as Tensor ?? throw Wrong(name, "must return a tensor"),
        _ => throw Wrong(name, "must be a function"),
    };

    /// <summary>An error about an argument.</summary>
    public BundleException Wrong(string name, string what) => new(BundleErrorKind.ValueError, $"{transform}(): '{name}' {what}");

    private T? Get<T>(string name) => values.TryGetValue(name, out var value) ? (T?)ValueConverter.To(typeof(T), value, $"{transform}(): '{name}'", context) : default;
}
