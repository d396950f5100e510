// Port of monai/networks/blocks/spatialattention.py (MONAI 1.5).
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Group norm, self-attention over all voxels, and the input added.</summary>
internal sealed class SpatialAttentionBlock : nn.Module<Tensor, Tensor>
{
    private readonly GroupNorm32 norm;
    private readonly SelfAttentionBlock attn;

    /// <param name="channels">Channels of the feature map.</param>
    /// <param name="headChannels">Channels per head; null for one head.</param>
    /// <param name="normGroups">Groups of the norm.</param>
    /// <param name="normEps">Added to the variance.</param>
    /// <param name="includeFc">Whether attention has an output projection.</param>
    /// <param name="combinedLinear">Whether one linear layer makes query, key and value.</param>
    public SpatialAttentionBlock(long channels, long? headChannels, long normGroups, double normEps, bool includeFc, bool combinedLinear)
        : base(nameof(SpatialAttentionBlock))
    {
        norm = new GroupNorm32(normGroups, channels, normEps);
        attn = new SelfAttentionBlock(channels, headChannels is { } d ? channels / d : 1, qkvBias: true, includeFc, combinedLinear, upcast: false);
        RegisterComponents();
    }

    /// <summary>The layers, for computing the block slab by slab.</summary>
    public (GroupNorm32 Norm, SelfAttentionBlock Attention) Layers => (norm, attn);

    /// <summary>[B, C, X, Y(, Z)] to the same shape.</summary>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = norm.call(x);
        h = h.reshape(x.shape[0], x.shape[1], -1).transpose(1, 2).Freeing(h); // [B, N, C]
        h = attn.call(h).Freeing(h);
        h = h.transpose(1, 2).reshape(x.shape).Freeing(h); // [B, C, X, Y(, Z)]
        return h.add(x).MoveToOuterDisposeScope();
    }
}
