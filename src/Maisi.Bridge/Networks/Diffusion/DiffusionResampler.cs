// Port of DiffusionUnetDownsample and WrappedUpsample in monai/networks/nets/diffusion_model_unet.py (MONAI 1.5).
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Halves the resolution by a strided convolution; the embedding is not used.</summary>
internal sealed class DiffusionDownsample : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly Convolution op;

    public DiffusionDownsample(int spatialDims, long channels)
        : base(nameof(DiffusionDownsample))
    {
        op = new Convolution(spatialDims, channels, channels, stride: 2);
        RegisterComponents();
    }

    /// <summary>[B, C, X, Y(, Z)] to [B, C, X/2, Y/2(, Z/2)].</summary>
    public override Tensor forward(Tensor x, Tensor embedding) => op.call(x);
}

/// <summary>Nearest upsampling by two and a convolution; the embedding is not used.</summary>
internal sealed class DiffusionUpsample : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly Convolution postconv;

    public DiffusionUpsample(int spatialDims, long channels)
        : base(nameof(DiffusionUpsample))
    {
        postconv = new Convolution(spatialDims, channels, channels);
        RegisterComponents();
    }

    /// <summary>[B, C, X, Y(, Z)] to [B, C, 2X, 2Y(, 2Z)].</summary>
    public override Tensor forward(Tensor x, Tensor embedding)
    {
        using var wide = Resampling.NearestTimesTwo(x);
        return postconv.call(wide);
    }
}
