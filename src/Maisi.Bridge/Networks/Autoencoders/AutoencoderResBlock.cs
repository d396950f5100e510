// Port of AEKLResBlock in monai/networks/nets/autoencoderkl.py and MaisiResBlock in
// monai/apps/generation/maisi/networks/autoencoderkl_maisi.py (MONAI 1.5); Rombach et al., arXiv:2112.10752.
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Norm, SiLU, convolution, twice, and the input added (through a pointwise convolution when the channels change).</summary>
internal sealed class AutoencoderResBlock : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor> norm1;
    private readonly nn.Module<Tensor, Tensor> conv1;
    private readonly nn.Module<Tensor, Tensor> norm2;
    private readonly nn.Module<Tensor, Tensor> conv2;
    private readonly nn.Module<Tensor, Tensor>? nin_shortcut;

    private AutoencoderResBlock(
        int inChannels, int outChannels, Func<int, nn.Module<Tensor, Tensor>> norm, Func<Convolution, nn.Module<Tensor, Tensor>> wrap, int spatialDims)
        : base(nameof(AutoencoderResBlock))
    {
        norm1 = norm(inChannels);
        conv1 = wrap(new Convolution(spatialDims, inChannels, outChannels));
        norm2 = norm(outChannels);
        conv2 = wrap(new Convolution(spatialDims, outChannels, outChannels));
        if (inChannels != outChannels)
            nin_shortcut = wrap(Convolution.Pointwise(spatialDims, inChannels, outChannels));
        RegisterComponents();
    }

    /// <summary>The layers in their order, for computing the block slab by slab.</summary>
    public (nn.Module<Tensor, Tensor> Norm1, nn.Module<Tensor, Tensor> Conv1, nn.Module<Tensor, Tensor> Norm2, nn.Module<Tensor, Tensor> Conv2, nn.Module<Tensor, Tensor>? Shortcut) Layers =>
        (norm1, conv1, norm2, conv2, nin_shortcut);

    public static AutoencoderResBlock Plain(AutoencoderShape shape, int inChannels, int outChannels) =>
        new(inChannels, outChannels, channels => new GroupNorm32(shape.NormGroups, channels, shape.NormEps), conv => conv, shape.SpatialDims);

    public static AutoencoderResBlock Maisi(AutoencoderShape shape, int inChannels, int outChannels) =>
        new(inChannels, outChannels, channels => new MaisiGroupNorm(shape, channels), conv => new MaisiConvolution(conv), shape.SpatialDims);

    /// <summary>[B, in, X, Y(, Z)] to [B, out, X, Y(, Z)].</summary>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = norm1.call(x);
        h.silu_();
        h = conv1.call(h).Freeing(h);
        h = norm2.call(h).Freeing(h);
        h.silu_();
        h = conv2.call(h).Freeing(h);
        h.add_(nin_shortcut is null ? x : nin_shortcut.call(x));
        return h.MoveToOuterDisposeScope();
    }
}
