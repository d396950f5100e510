// Port of ControlNetConditioningEmbedding in monai/networks/nets/controlnet.py (MONAI 1.5); Zhang and Agrawala, arXiv:2302.05543.
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Brings a spatial condition to latent resolution: each pair of channels halves it once.</summary>
internal sealed class ControlNetConditionEmbedding : nn.Module<Tensor, Tensor>
{
    private readonly Convolution conv_in;
    private readonly ModuleList<Convolution> blocks;
    private readonly Convolution conv_out;

    public ControlNetConditionEmbedding(int spatialDims, int inChannels, IReadOnlyList<int> channels, int outChannels)
        : base(nameof(ControlNetConditionEmbedding))
    {
        conv_in = new Convolution(spatialDims, inChannels, channels[0], silu: true);
        blocks = nn.ModuleList(channels.Zip(channels.Skip(1)).SelectMany(pair => new[]
        {
            new Convolution(spatialDims, pair.First, pair.First, silu: true),
            new Convolution(spatialDims, pair.First, pair.Second, stride: 2, silu: true),
        }).ToArray());
        conv_out = new Convolution(spatialDims, channels[^1], outChannels).Zeroed();
        RegisterComponents();
    }

    /// <summary>[B, cond, X, Y(, Z)] to [B, out, X/2ⁿ, ...] for n pairs of channels.</summary>
    public override Tensor forward(Tensor condition)
    {
        using var scope = NewDisposeScope();
        var h = conv_in.call(condition);
        foreach (var block in blocks)
            h = block.call(h).Freeing(h);
        return conv_out.call(h).MoveToOuterDisposeScope();
    }
}
