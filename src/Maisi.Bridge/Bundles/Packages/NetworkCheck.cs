using System.Runtime.CompilerServices;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Bundles.Modules;
using Maisi.Bridge.Networks;
using static TorchSharp.torch;

namespace Maisi.Bridge.Bundles;

/// <summary>
/// Runs a network once on random input of the shape that the metadata give, and compares channels and type of the output, as MONAI's
/// <c>verify_net_in_out</c>.
/// </summary>
public sealed record NetworkCheck
{
    /// <summary>The id of the network.</summary>
    public required string NetId { get; init; }

    /// <summary>The metadata that describe it; bundles with several networks have autoencoder_data_format and the like.</summary>
    public string Prefix { get; init; } = "network_data_format";

    /// <summary>The value of p in shapes such as <c>2**p</c>.</summary>
    public long P { get; init; } = 1;

    /// <summary>The value of n in shapes such as <c>16*n</c>.</summary>
    public long N { get; init; } = 1;

    /// <summary>The size for <c>*</c>.</summary>
    public long Any { get; init; } = 1;

    /// <summary>Further inputs: timesteps, class_labels, spacing_tensor, top_region_index_tensor, bottom_region_index_tensor, context.</summary>
    public DictValue ExtraForwardArguments { get; init; } = new();

    /// <summary>The shapes that went in and came out.</summary>
    /// <param name="Input">Such as [1, 4, 16, 16, 16].</param>
    /// <param name="Output">The same of the output.</param>
    public sealed record Result(string Input, string Output);

    /// <summary>Runs the check on the CPU in float32.</summary>
    /// <exception cref="BundleException">The metadata are incomplete, the network is not one that can be called, or its output differs.</exception>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public Result Run(ConfigParser parser)
    {
        var format = $"_meta_::{Prefix}";
        var input = (DictValue)Tensor(parser, $"{format}::inputs");
        var output = (DictValue)Tensor(parser, $"{format}::outputs");
        long[] shape = [1, (long)input["num_channels"]!, .. SpatialShape(input)];
        if (parser.GetParsedContent(NetId) is not nn.Module network)
            throw new BundleException(BundleErrorKind.ValueError, $"'{NetId}' is not a network", id: NetId);
        using var scope = TorchSharp.torch.NewDisposeScope();
        using var _ = no_grad();
        network.eval();
        var result = Call(network, rand(shape));
        if (result.shape[1] != (long)output["num_channels"]!)
            throw new BundleException(BundleErrorKind.ValueError, $"output channel number `{result.shape[1]}` doesn't match: `{output["num_channels"]}`", id: NetId);
        return new Result($"[{string.Join(", ", shape)}]", $"[{string.Join(", ", result.shape)}]");
    }

    // The first tensor of a format: named image and pred in most bundles, but not in all.
    private static object Tensor(ConfigParser parser, string id)
    {
        if (!parser.Contains(id) || parser.Get(id).ToValue() is not DictValue group)
            throw new BundleException(BundleErrorKind.KeyError, $"the metadata have no '{id}'", hint: "name the part with --prefix, for example autoencoder_data_format");
        return group.Values.OfType<DictValue>().FirstOrDefault(t => t.ContainsKey("num_channels") && t.ContainsKey("spatial_shape"))
            ?? throw new BundleException(BundleErrorKind.ValueError, $"'{id}' describes no tensor with num_channels and spatial_shape");
    }

    private IEnumerable<long> SpatialShape(DictValue input)
    {
        var globals = new Dictionary<string, object?>(StringComparer.Ordinal) { ["p"] = P, ["n"] = N };
        var context = new EvaluationContext { Globals = globals, Builtins = new ModuleValue("builtins"), Types = new TypeTable([]) };
        foreach (var size in (ListValue)input["spatial_shape"]!)
            yield return size is "*" ? Any : size is string text ? Numbers.ToLong(Evaluator.Evaluate(text, context)) : Numbers.ToLong(size);
    }

    private Tensor Call(nn.Module network, Tensor x) => network switch
    {
        AutoencoderKlBase autoencoder => autoencoder.call(x).Reconstruction,
        DiffusionUNet unet => unet.call(x, Given("timesteps", ScalarType.Float32) ?? zeros(1), new UNetConditions
        {
            ClassLabels = Given("class_labels", ScalarType.Int64),
            Context = Given("context", ScalarType.Float32),
            Spacing = Given("spacing_tensor", ScalarType.Float32),
            TopRegionIndex = Given("top_region_index_tensor", ScalarType.Float32),
            BottomRegionIndex = Given("bottom_region_index_tensor", ScalarType.Float32),
        }),
        nn.Module<Tensor, Tensor> simple => simple.call(x),
        _ => throw new BundleException(BundleErrorKind.ValueError, $"a {network.GetType().Name} cannot be checked alone", id: NetId, hint: "autoencoders and diffusion UNets can"),
    };

    private Tensor? Given(string name, ScalarType type)
    {
        if (!ExtraForwardArguments.TryGetValue(name, out var value))
            return null;
        var context = new EvaluationContext { Globals = new Dictionary<string, object?>(), Builtins = new ModuleValue("builtins"), Types = new TypeTable([]) };
        return TorchFunctions.Tensor(context, value, null, null).to(type);
    }
}
