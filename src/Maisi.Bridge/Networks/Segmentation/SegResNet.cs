// Port of monai/networks/nets/segresnet.py and monai/networks/blocks/segresnet_block.py (MONAI 1.5); Myronenko, arXiv:1810.11654.
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Arguments of MONAI 1.5's <c>SegResNet</c>. Upsampling is nontrainable (linear), deconv, deconvgroup or pixelshuffle.</summary>
public sealed record SegResNetConfig
{
    public int SpatialDims { get; init; } = 3;
    public int InitFilters { get; init; } = 8;
    public int InChannels { get; init; } = 1;
    public int OutChannels { get; init; } = 2;

    /// <summary>Probability of dropping a channel of the first features in training; null for no dropout.</summary>
    public double? DropoutProb { get; init; }
    public LayerSpec Act { get; init; } = "relu";
    public LayerSpec Norm { get; init; } = System.Text.Json.JsonSerializer.Deserialize<LayerSpec>("""["GROUP", {"num_groups": 8}]""")!;
    public bool UseConvFinal { get; init; } = true;
    public IReadOnlyList<int> BlocksDown { get; init; } = [1, 2, 2, 4];
    public IReadOnlyList<int> BlocksUp { get; init; } = [1, 1, 1];
    public string UpsampleMode { get; init; } = "nontrainable";
}

/// <summary>Norm, activation, convolution, twice, and the input added.</summary>
internal sealed class SegResNetBlock : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor> norm1;
    private readonly nn.Module<Tensor, Tensor> norm2;
    private readonly nn.Module<Tensor, Tensor> conv1;
    private readonly nn.Module<Tensor, Tensor> conv2;
    private readonly Func<Tensor, Tensor> _activation;

    public SegResNetBlock(nn.Module<Tensor, Tensor> norm1, nn.Module<Tensor, Tensor> norm2, nn.Module<Tensor, Tensor> conv1, nn.Module<Tensor, Tensor> conv2, Func<Tensor, Tensor> activation)
        : base(nameof(SegResNetBlock))
    {
        (this.norm1, this.norm2, this.conv1, this.conv2) = (norm1, norm2, conv1, conv2);
        _activation = activation;
        RegisterComponents();
    }

    /// <summary>[B, C, X, Y(, Z)] to the same shape.</summary>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = _activation(norm1.call(x));
        h = conv1.call(h).Freeing(h);
        h = _activation(norm2.call(h).Freeing(h));
        h = conv2.call(h).Freeing(h);
        return h.add_(x).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// Segmentation by an encoder and decoder of residual blocks. Input [B, in, X, Y(, Z)], extents divisible by 2^(levels - 1);
/// output logits [B, out, X, Y(, Z)].
/// </summary>
public sealed class SegResNet : nn.Module<Tensor, Tensor>
{
    private readonly Convolution convInit;
    private readonly ModuleList<Sequential> down_layers;
    private readonly ModuleList<Sequential> up_layers;
    private readonly ModuleList<Sequential> up_samples;
    private readonly Sequential conv_final;
    private readonly SegResNetConfig _config;

    /// <param name="config">The arguments of the definition.</param>
    /// <exception cref="DefinitionException">Arguments that contradict each other.</exception>
    public SegResNet(SegResNetConfig config)
        : base(nameof(SegResNet))
    {
        _config = config;
        Validate.SpatialDims(config.SpatialDims);
        if (config.BlocksUp.Count != config.BlocksDown.Count - 1)
            throw new DefinitionException($"blocks_up has {config.BlocksUp.Count} entries, but blocks_down has {config.BlocksDown.Count}", "blocks_up", "give one entry less than blocks_down");
        int dims = config.SpatialDims, filters = config.InitFilters;
        convInit = Convolution.WithoutBias(dims, config.InChannels, filters);
        down_layers = nn.ModuleList(config.BlocksDown.Select((count, i) =>
        {
            var channels = filters << i;
            nn.Module<Tensor, Tensor> entry = i == 0 ? nn.Identity() : Convolution.WithoutBias(dims, channels / 2, channels, stride: 2);
            return nn.Sequential([entry, .. Blocks(count, channels)]);
        }).ToArray());
        up_layers = nn.ModuleList(config.BlocksUp.Select((count, i) => nn.Sequential([.. Blocks(count, UpChannels(i))])).ToArray());
        up_samples = nn.ModuleList(config.BlocksUp.Select((_, i) =>
            nn.Sequential(Convolution.WithoutBias(dims, 2 * UpChannels(i), UpChannels(i), kernel: 1), Upsample(UpChannels(i)))).ToArray());
        conv_final = nn.Sequential(config.Norm.Norm(dims, filters), new Activation(config.Act.Activation()), Convolution.Pointwise(dims, filters, config.OutChannels));
        RegisterComponents();
    }

    /// <summary>[B, in, X, Y(, Z)] to logits [B, out, X, Y(, Z)].</summary>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = convInit.call(x);
        if (training && _config.DropoutProb is { } p)
            h *= DropChannels(h, p);
        var skips = new List<Tensor>();
        foreach (var layer in down_layers)
            skips.Add(h = layer.call(h));
        for (var i = 0; i < up_layers.Count; i++)
        {
            using var raised = up_samples[i].call(h);
            using var sum = raised + skips[^(i + 2)];
            h = up_layers[i].call(sum);
        }
        return (_config.UseConvFinal ? conv_final.call(h) : h).MoveToOuterDisposeScope();
    }

    /// <summary>What every extent of an input must be divisible by.</summary>
    internal int Divisor => 1 << (_config.BlocksDown.Count - 1);

    /// <summary>The encoder's coarsest features, [B, C, X/2ⁿ, ...].</summary>
    internal Tensor Encode(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = convInit.call(x);
        foreach (var layer in down_layers)
            h = layer.call(h).Freeing(h);
        return h.MoveToOuterDisposeScope();
    }

    /// <summary>[B, C, 1, 1(, 1)]: 0 for a dropped channel, otherwise what keeps the mean.</summary>
    private static Tensor DropChannels(Tensor h, double p) =>
        rand([h.shape[0], h.shape[1], .. Enumerable.Repeat(1L, (int)h.dim() - 2)], device: h.device).ge(p).to(h.dtype) / (1 - p);

    private int UpChannels(int i) => _config.InitFilters << (_config.BlocksUp.Count - i - 1);

    private IEnumerable<nn.Module<Tensor, Tensor>> Blocks(int count, int channels) => Enumerable.Range(0, count).Select(_ => new SegResNetBlock(
        _config.Norm.Norm(_config.SpatialDims, channels), _config.Norm.Norm(_config.SpatialDims, channels),
        Convolution.WithoutBias(_config.SpatialDims, channels, channels), Convolution.WithoutBias(_config.SpatialDims, channels, channels), _config.Act.Activation()));

    private SegResUpsample Upsample(int channels)
    {
        var twice = Enumerable.Repeat(2L, _config.SpatialDims).ToArray();
        return new SegResUpsample(_config.UpsampleMode, channels, channels, twice, twice, bias: true);
    }

    private sealed class Activation(Func<Tensor, Tensor> function) : nn.Module<Tensor, Tensor>(nameof(Activation))
    {
        public override Tensor forward(Tensor x) => function(x);
    }
}
