// Port of DiffusionUNetResnetBlock in monai/networks/nets/diffusion_model_unet.py (MONAI 1.5).
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>What a residual block does to the resolution.</summary>
internal enum Resize
{
    None,
    Half,
    Double,
}

/// <summary>Norm, SiLU, convolution, the projected time embedding, norm, SiLU, convolution, and the input added.</summary>
internal sealed class DiffusionResnetBlock : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly GroupNorm32 norm1;
    private readonly Convolution conv1;
    private readonly Linear time_emb_proj;
    private readonly GroupNorm32 norm2;
    private readonly Convolution conv2;
    private readonly Convolution? skip_connection;
    private readonly Resize _resize;

    public DiffusionResnetBlock(DiffusionShape shape, long embeddingChannels, long inChannels, long outChannels, Resize resize = Resize.None)
        : base(nameof(DiffusionResnetBlock))
    {
        _resize = resize;
        norm1 = new GroupNorm32(shape.NormGroups, inChannels, shape.NormEps);
        conv1 = new Convolution(shape.SpatialDims, inChannels, outChannels);
        time_emb_proj = nn.Linear(embeddingChannels, outChannels);
        norm2 = new GroupNorm32(shape.NormGroups, outChannels, shape.NormEps);
        conv2 = new Convolution(shape.SpatialDims, outChannels, outChannels).Zeroed();
        if (inChannels != outChannels)
            skip_connection = Convolution.Pointwise(shape.SpatialDims, inChannels, outChannels);
        RegisterComponents();
    }

    /// <summary>[B, in, X, Y(, Z)] and the embedding [B, E] to [B, out, X', Y'(, Z')].</summary>
    public override Tensor forward(Tensor x, Tensor embedding)
    {
        using var scope = NewDisposeScope();
        var h = norm1.call(x);
        h.silu_();
        h = Resized(h);
        h = conv1.call(h).Freeing(h);
        var time = time_emb_proj.call(embedding.silu());
        h.add_(time.reshape([.. time.shape, .. Enumerable.Repeat(1L, (int)x.dim() - 2)])); // [B, out, 1, 1(, 1)]
        h = norm2.call(h).Freeing(h);
        h.silu_();
        h = conv2.call(h).Freeing(h);
        var residual = _resize switch
        {
            Resize.Half => Resampling.AverageHalf(x),
            Resize.Double => Resampling.NearestTimesTwo(x),
            _ => x,
        };
        h.add_(skip_connection is null ? residual : skip_connection.call(residual));
        return h.MoveToOuterDisposeScope();
    }

    private Tensor Resized(Tensor h) => _resize switch
    {
        Resize.Half => Resampling.AverageHalf(h).Freeing(h),
        Resize.Double => Resampling.NearestTimesTwo(h).Freeing(h),
        _ => h,
    };
}
