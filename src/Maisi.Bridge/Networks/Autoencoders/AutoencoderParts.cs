using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>The layers in which the two KL autoencoders differ; how they are put together is the same, see <see cref="AutoencoderCascade"/>.</summary>
internal abstract class AutoencoderParts(AutoencoderShape shape)
{
    protected AutoencoderShape Shape { get; } = shape;

    public abstract nn.Module<Tensor, Tensor> Conv(int inChannels, int outChannels);

    public abstract nn.Module<Tensor, Tensor> ResBlock(int inChannels, int outChannels);

    public abstract nn.Module<Tensor, Tensor> Norm(int channels);

    public abstract nn.Module<Tensor, Tensor> Downsample(int channels);

    public abstract nn.Module<Tensor, Tensor> Upsample(int channels);
}

/// <summary>Layers of MONAI's AutoencoderKL.</summary>
internal sealed class PlainParts(AutoencoderShape shape) : AutoencoderParts(shape)
{
    public override nn.Module<Tensor, Tensor> Conv(int inChannels, int outChannels) => new Convolution(Shape.SpatialDims, inChannels, outChannels);

    public override nn.Module<Tensor, Tensor> ResBlock(int inChannels, int outChannels) => AutoencoderResBlock.Plain(Shape, inChannels, outChannels);

    public override nn.Module<Tensor, Tensor> Norm(int channels) => new GroupNorm32(Shape.NormGroups, channels, Shape.NormEps);

    public override nn.Module<Tensor, Tensor> Downsample(int channels) => new AutoencoderDownsample(new Convolution(Shape.SpatialDims, channels, channels, stride: 2, padding: 0));

    public override nn.Module<Tensor, Tensor> Upsample(int channels) =>
        Shape.ConvTranspose ? new DeconvUpsample(Shape.SpatialDims, channels) : new NearestUpsample(Shape.SpatialDims, channels);
}

/// <summary>Layers of MAISI's AutoencoderKlMaisi: convolutions one module deeper, its own group norm, trilinear upsampling.</summary>
internal sealed class MaisiParts(AutoencoderShape shape) : AutoencoderParts(shape)
{
    public override nn.Module<Tensor, Tensor> Conv(int inChannels, int outChannels) => new MaisiConvolution(new Convolution(Shape.SpatialDims, inChannels, outChannels));

    public override nn.Module<Tensor, Tensor> ResBlock(int inChannels, int outChannels) => AutoencoderResBlock.Maisi(Shape, inChannels, outChannels);

    public override nn.Module<Tensor, Tensor> Norm(int channels) => new MaisiGroupNorm(Shape, channels);

    public override nn.Module<Tensor, Tensor> Downsample(int channels) =>
        new AutoencoderDownsample(new MaisiConvolution(new Convolution(Shape.SpatialDims, channels, channels, stride: 2, padding: 0)));

    public override nn.Module<Tensor, Tensor> Upsample(int channels) => new MaisiUpsample(Shape, channels);
}
