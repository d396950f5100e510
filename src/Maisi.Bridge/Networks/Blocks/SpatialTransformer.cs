// Port of SpatialTransformer and DiffusionUNetTransformerBlock in monai/networks/nets/diffusion_model_unet.py (MONAI 1.5);
// Rombach et al., arXiv:2112.10752.
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Self-attention, cross-attention and a feed-forward network, each on a layer norm and with its input added.</summary>
internal sealed class TransformerBlock : nn.Module<Tensor, Tensor?, Tensor>
{
    private readonly SelfAttentionBlock attn1;
    private readonly GegluMlp ff;
    private readonly CrossAttentionBlock attn2;
    private readonly LayerNorm32 norm1;
    private readonly LayerNorm32 norm2;
    private readonly LayerNorm32 norm3;

    public TransformerBlock(DiffusionShape shape, long channels, long heads)
        : base(nameof(TransformerBlock))
    {
        attn1 = new SelfAttentionBlock(channels, heads, qkvBias: false, shape.IncludeFc, shape.CombinedLinear, shape.UpcastAttention);
        ff = new GegluMlp(channels, 4 * channels);
        attn2 = new CrossAttentionBlock(channels, shape.CrossAttentionDim ?? channels, heads, shape.UpcastAttention);
        norm1 = new LayerNorm32(channels);
        norm2 = new LayerNorm32(channels);
        norm3 = new LayerNorm32(channels);
        RegisterComponents();
    }

    /// <summary>[B, N, C] and context [B, M, contextChannels] to [B, N, C].</summary>
    public override Tensor forward(Tensor x, Tensor? context)
    {
        using var scope = NewDisposeScope();
        var h = attn1.call(norm1.call(x)) + x;
        h = (attn2.call(norm2.call(h), context) + h).Freeing(h);
        h = (ff.call(norm3.call(h)) + h).Freeing(h);
        return h.MoveToOuterDisposeScope();
    }
}

/// <summary>Transformer blocks over all voxels of a feature map, between two pointwise convolutions, and the input added.</summary>
internal sealed class SpatialTransformer : nn.Module<Tensor, Tensor?, Tensor>
{
    private readonly GroupNorm32 norm;
    private readonly Convolution proj_in;
    private readonly ModuleList<TransformerBlock> transformer_blocks;
    private readonly Convolution proj_out;

    public SpatialTransformer(DiffusionShape shape, long channels, long headChannels)
        : base(nameof(SpatialTransformer))
    {
        var heads = channels / headChannels;
        norm = new GroupNorm32(shape.NormGroups, channels, shape.NormEps);
        proj_in = Convolution.Pointwise(shape.SpatialDims, channels, channels);
        transformer_blocks = nn.ModuleList(Enumerable.Range(0, shape.TransformerLayers).Select(_ => new TransformerBlock(shape, channels, heads)).ToArray());
        proj_out = Convolution.Pointwise(shape.SpatialDims, channels, channels).Zeroed();
        RegisterComponents();
    }

    /// <summary>[B, C, X, Y(, Z)] and context [B, M, contextChannels] to [B, C, X, Y(, Z)].</summary>
    public override Tensor forward(Tensor x, Tensor? context)
    {
        using var scope = NewDisposeScope();
        var h = norm.call(x);
        h = proj_in.call(h).Freeing(h);
        var shape = h.shape;
        h = h.reshape(shape[0], shape[1], -1).transpose(1, 2).contiguous().Freeing(h); // [B, N, C]
        foreach (var block in transformer_blocks)
            h = block.call(h, context).Freeing(h);
        h = h.transpose(1, 2).reshape(shape).Freeing(h); // [B, C, X, Y(, Z)]
        h = proj_out.call(h).Freeing(h);
        return h.add(x).MoveToOuterDisposeScope();
    }
}
