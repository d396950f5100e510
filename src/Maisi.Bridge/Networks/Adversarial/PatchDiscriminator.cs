// Port of monai/networks/nets/patchgan_discriminator.py (MONAI 1.5); Wang et al., arXiv:1711.11585.
using System.Text.Json;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Arguments of MONAI 1.5's <c>PatchDiscriminator</c>.</summary>
public sealed record PatchDiscriminatorConfig
{
    public required int SpatialDims { get; init; }
    public required int Channels { get; init; }
    public required int InChannels { get; init; }
    public int OutChannels { get; init; } = 1;
    public int NumLayersD { get; init; } = 3;
    public int KernelSize { get; init; } = 4;
    public LayerSpec Activation { get; init; } = DefaultActivation;
    public LayerSpec Norm { get; init; } = "batch";
    public bool Bias { get; init; }
    public int Padding { get; init; } = 1;
    public int? LastConvKernelSize { get; init; }

    internal static LayerSpec DefaultActivation { get; } = JsonSerializer.Deserialize<LayerSpec>("""["LEAKYRELU", {"negative_slope": 0.2}]""")!;
}

/// <summary>Arguments of MONAI 1.5's <c>MultiScalePatchDiscriminator</c>.</summary>
public sealed record MultiScalePatchDiscriminatorConfig
{
    public required int NumD { get; init; }
    public required int NumLayersD { get; init; }
    public required int SpatialDims { get; init; }
    public required int Channels { get; init; }
    public required int InChannels { get; init; }
    public int OutChannels { get; init; } = 1;
    public int KernelSize { get; init; } = 4;
    public LayerSpec Activation { get; init; } = PatchDiscriminatorConfig.DefaultActivation;
    public LayerSpec Norm { get; init; } = "batch";
    public bool Bias { get; init; }
    public int MinimumSizeIm { get; init; } = 256;
    public int LastConvKernelSize { get; init; } = 1;
}

/// <summary>Convolution, normalisation and activation, under the keys conv and adn.N.</summary>
internal sealed class DiscriminatorLayer : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor> conv;
    private readonly Sequential? adn;
    private readonly Func<Tensor, Tensor>? _activation;

    public DiscriminatorLayer(int spatialDims, int inChannels, int outChannels, int kernel, int stride, int padding, bool bias, LayerSpec? norm, LayerSpec? activation)
        : base(nameof(DiscriminatorLayer))
    {
        conv = spatialDims == 3
            ? nn.Conv3d(inChannels, outChannels, kernel, stride, padding, 1, PaddingModes.Zeros, 1, bias)
            : nn.Conv2d(inChannels, outChannels, kernel, stride, padding, 1, PaddingModes.Zeros, 1, bias);
        if (norm is not null)
            adn = nn.Sequential(("N", norm.Norm(spatialDims, outChannels)));
        _activation = activation?.Activation();
        RegisterComponents();
    }

    /// <summary>[B, in, ...] to [B, out, ...].</summary>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = conv.call(x);
        if (adn is not null)
            h = adn.call(h).Freeing(h);
        if (_activation is not null)
            h = _activation(h);
        return h.MoveToOuterDisposeScope();
    }
}

/// <summary>
/// Judges patches of an image. Input [B, in, X, Y(, Z)]; output: the features of every layer, the last of which are the logits.
/// </summary>
public sealed class PatchDiscriminator : nn.Module<Tensor, IReadOnlyList<Tensor>>
{
    private readonly List<DiscriminatorLayer> _layers = [];

    /// <param name="config">The arguments of the definition.</param>
    /// <exception cref="DefinitionException">Arguments that contradict each other.</exception>
    public PatchDiscriminator(PatchDiscriminatorConfig config)
        : base(nameof(PatchDiscriminator))
    {
        Validate.SpatialDims(config.SpatialDims);
        if (config.NumLayersD < 1)
            throw new DefinitionException($"num_layers_d is {config.NumLayersD}, but must be at least 1", "num_layers_d");
        int channels = config.Channels, last = config.LastConvKernelSize ?? config.KernelSize;
        Add("initial_conv", new DiscriminatorLayer(config.SpatialDims, config.InChannels, channels, config.KernelSize, 2, config.Padding, true, null, config.Activation));
        for (var i = 0; i < config.NumLayersD; i++, channels *= 2)
        {
            var stride = i == config.NumLayersD - 1 ? 1 : 2;
            Add($"{i}", new DiscriminatorLayer(config.SpatialDims, channels, 2 * channels, config.KernelSize, stride, config.Padding, config.Bias, config.Norm, config.Activation));
        }
        Add("final_conv", new DiscriminatorLayer(config.SpatialDims, channels, config.OutChannels, last, 1, (last - 1) / 2, true, null, null));
        Initialize();
    }

    /// <summary>Features of every layer; the last are the logits.</summary>
    public override IReadOnlyList<Tensor> forward(Tensor x)
    {
        var features = new List<Tensor>();
        foreach (var layer in _layers)
            features.Add(layer.call(features.Count == 0 ? x : features[^1]));
        return features;
    }

    private void Add(string name, DiscriminatorLayer layer)
    {
        _layers.Add(layer);
        register_module(name, layer);
    }

    /// <summary>Normal values of deviation 0.02, around 0 for convolutions and around 1 for batch norms.</summary>
    private void Initialize()
    {
        using var noGrad = no_grad();
        foreach (var (name, parameter) in named_parameters())
        {
            if (name.EndsWith("conv.weight", StringComparison.Ordinal))
                nn.init.normal_(parameter, 0, 0.02);
            else if (name.EndsWith("adn.N.weight", StringComparison.Ordinal))
                nn.init.normal_(parameter, 1, 0.02);
        }
    }
}

/// <summary>What every discriminator of a multi-scale one says.</summary>
/// <param name="Logits">One per discriminator.</param>
/// <param name="Features">The features before the logits, per discriminator and layer.</param>
public sealed record MultiScaleOutput(IReadOnlyList<Tensor> Logits, IReadOnlyList<IReadOnlyList<Tensor>> Features);

/// <summary>Several patch discriminators, each with more layers than the one before. Input [B, in, X, Y(, Z)].</summary>
public sealed class MultiScalePatchDiscriminator : nn.Module<Tensor, MultiScaleOutput>
{
    private readonly List<PatchDiscriminator> _discriminators = [];

    /// <param name="config">The arguments of the definition.</param>
    /// <exception cref="DefinitionException">So many layers that nothing is left of the image.</exception>
    public MultiScalePatchDiscriminator(MultiScalePatchDiscriminatorConfig config)
        : base(nameof(MultiScalePatchDiscriminator))
    {
        for (var i = 0; i < config.NumD; i++)
        {
            var layers = config.NumLayersD * (i + 1);
            if (config.MinimumSizeIm / Math.Pow(2, layers) < 1)
                throw new DefinitionException(
                    $"discriminator {i} has {layers} layers, which leave nothing of an image of {config.MinimumSizeIm} voxels", "minimum_size_im", "use fewer layers or discriminators, or larger images");
            var discriminator = new PatchDiscriminator(new PatchDiscriminatorConfig
            {
                SpatialDims = config.SpatialDims,
                Channels = config.Channels,
                InChannels = config.InChannels,
                OutChannels = config.OutChannels,
                NumLayersD = layers,
                KernelSize = config.KernelSize,
                Activation = config.Activation,
                Norm = config.Norm,
                Bias = config.Bias,
                Padding = (config.KernelSize - 1) / 2,
                LastConvKernelSize = config.LastConvKernelSize,
            });
            _discriminators.Add(discriminator);
            register_module($"discriminator_{i}", discriminator);
        }
    }

    /// <summary>Logits and features of every discriminator.</summary>
    public override MultiScaleOutput forward(Tensor x)
    {
        var all = _discriminators.Select(d => d.call(x)).ToArray();
        return new MultiScaleOutput([.. all.Select(f => f[^1])], [.. all.Select(f => (IReadOnlyList<Tensor>)[.. f.Take(f.Count - 1)])]);
    }
}
