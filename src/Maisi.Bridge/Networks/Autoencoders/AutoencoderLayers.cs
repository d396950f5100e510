// Port of layers of monai/networks/nets/autoencoderkl.py, monai/networks/blocks/upsample.py and
// monai/apps/generation/maisi/networks/autoencoderkl_maisi.py (MONAI 1.5).
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>The extra module around MAISI's convolutions; the splits it offers upstream are an approximation of computing whole, as here.</summary>
internal sealed class MaisiConvolution : nn.Module<Tensor, Tensor>
{
    private readonly Convolution conv;

    public MaisiConvolution(Convolution convolution)
        : base(nameof(MaisiConvolution))
    {
        conv = convolution;
        RegisterComponents();
    }

    /// <summary>The convolution inside.</summary>
    public Convolution Inner => conv;

    /// <summary>[B, in, ...] to [B, out, ...].</summary>
    public override Tensor forward(Tensor x) => conv.call(x);
}

/// <summary>Half the resolution: one zero voxel at the end of each axis, then a 3-wide convolution of stride 2 without padding.</summary>
internal sealed class AutoencoderDownsample : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor> conv;

    public AutoencoderDownsample(nn.Module<Tensor, Tensor> convolution)
        : base(nameof(AutoencoderDownsample))
    {
        conv = convolution;
        RegisterComponents();
    }

    /// <summary>The convolution behind the padding.</summary>
    public nn.Module<Tensor, Tensor> Inner => conv;

    /// <summary>[B, C, X, Y(, Z)] to [B, C, X/2, Y/2(, Z/2)].</summary>
    public override Tensor forward(Tensor x)
    {
        using var padded = Resampling.PadEnd(x);
        return conv.call(padded);
    }
}

/// <summary>Twice the resolution by repetition, then a convolution.</summary>
internal sealed class NearestUpsample : nn.Module<Tensor, Tensor>
{
    private readonly Convolution postconv;

    public NearestUpsample(int spatialDims, int channels)
        : base(nameof(NearestUpsample))
    {
        postconv = new Convolution(spatialDims, channels, channels);
        RegisterComponents();
    }

    /// <summary>The convolution behind the repetition.</summary>
    public Convolution Inner => postconv;

    /// <summary>[B, C, X, Y(, Z)] to [B, C, 2X, 2Y(, 2Z)].</summary>
    public override Tensor forward(Tensor x)
    {
        using var wide = Resampling.NearestTimesTwo(x);
        return postconv.call(wide);
    }
}

/// <summary>Twice the resolution by a 2-wide transposed convolution of stride 2.</summary>
internal sealed class DeconvUpsample : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor> deconv;

    public DeconvUpsample(int spatialDims, int channels)
        : base(nameof(DeconvUpsample))
    {
        deconv = spatialDims == 3 ? nn.ConvTranspose3d(channels, channels, 2, 2) : nn.ConvTranspose2d(channels, channels, 2, 2);
        RegisterComponents();
    }

    /// <summary>The transposed convolution.</summary>
    public nn.Module<Tensor, Tensor> Inner => deconv;

    /// <summary>[B, C, X, Y(, Z)] to [B, C, 2X, 2Y(, 2Z)].</summary>
    public override Tensor forward(Tensor x) => deconv.call(x);
}

/// <summary>Twice the resolution: linear interpolation and a convolution, or a 3-wide transposed convolution of stride 2.</summary>
internal sealed class MaisiUpsample : nn.Module<Tensor, Tensor>
{
    private readonly MaisiConvolution conv;
    private readonly bool _transposed;

    public MaisiUpsample(AutoencoderShape shape, int channels)
        : base(nameof(MaisiUpsample))
    {
        _transposed = shape.ConvTranspose;
        conv = new MaisiConvolution(new Convolution(shape.SpatialDims, channels, channels, stride: _transposed ? 2 : 1, transposed: _transposed));
        RegisterComponents();
    }

    /// <summary>The convolution, and whether it is the transposed one.</summary>
    public (MaisiConvolution Convolution, bool Transposed) Inner => (conv, _transposed);

    /// <summary>[B, C, X, Y(, Z)] to [B, C, 2X, 2Y(, 2Z)].</summary>
    public override Tensor forward(Tensor x)
    {
        if (_transposed)
            return conv.call(x);
        using var wide = Resampling.LinearTimesTwo(x);
        return conv.call(wide);
    }
}
