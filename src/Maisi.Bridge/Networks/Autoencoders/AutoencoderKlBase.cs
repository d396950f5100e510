// Common part of monai/networks/nets/autoencoderkl.py and monai/apps/generation/maisi/networks/autoencoderkl_maisi.py (MONAI 1.5);
// Rombach et al., arXiv:2112.10752; Pinaya et al., arXiv:2209.07162.
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Mean and standard deviation of the latent of an image, each [B, latent, X/2ⁿ, ...].</summary>
public sealed record LatentDistribution(Tensor Mu, Tensor Sigma);

/// <summary>What a training step of an autoencoder needs: the reconstruction and the distribution it was sampled from.</summary>
public sealed record AutoencoderOutput(Tensor Reconstruction, Tensor Mu, Tensor Sigma);

/// <summary>
/// An autoencoder whose latent is a normal distribution. Image [B, in, X, Y(, Z)], latent [B, latent, X/2ⁿ, Y/2ⁿ(, Z/2ⁿ)] for n+1 levels.
/// </summary>
public abstract class AutoencoderKlBase : nn.Module<Tensor, AutoencoderOutput>
{
    private protected readonly AutoencoderCascade encoder;
    private protected readonly AutoencoderCascade decoder;
    private protected readonly Convolution quant_conv_mu;
    private protected readonly Convolution quant_conv_log_sigma;
    private protected readonly Convolution post_quant_conv;
    private readonly bool _checkpoint;

    private protected AutoencoderKlBase(string name, AutoencoderShape shape, AutoencoderParts parts, bool checkpoint)
        : base(name)
    {
        Shape = shape;
        _checkpoint = checkpoint;
        encoder = AutoencoderCascade.Encoder(shape, parts);
        decoder = AutoencoderCascade.Decoder(shape, parts);
        quant_conv_mu = Convolution.Pointwise(shape.SpatialDims, shape.LatentChannels, shape.LatentChannels);
        quant_conv_log_sigma = Convolution.Pointwise(shape.SpatialDims, shape.LatentChannels, shape.LatentChannels);
        post_quant_conv = Convolution.Pointwise(shape.SpatialDims, shape.LatentChannels, shape.LatentChannels);
        RegisterComponents();
    }

    /// <summary>The definition that the network was built from.</summary>
    public AutoencoderShape Shape { get; }

    /// <summary>Extent of the image over extent of the latent: 2^(levels - 1).</summary>
    public int Downsampling => 1 << (Shape.Channels.Count - 1);

    /// <summary>The encoder's blocks, in order.</summary>
    internal IReadOnlyList<nn.Module<Tensor, Tensor>> EncoderBlocks => encoder.Blocks;

    /// <summary>The decoder's blocks after <see cref="PostQuantize"/>, in order.</summary>
    internal IReadOnlyList<nn.Module<Tensor, Tensor>> DecoderBlocks => decoder.Blocks;

    /// <summary>Image to the distribution of its latent; the logarithm of the variance is clamped to [-30, 20].</summary>
    public LatentDistribution Encode(Tensor image)
    {
        using var scope = NewDisposeScope();
        var latent = Distribution(Checkpointing.Run(_checkpoint, encoder, image));
        return new LatentDistribution(latent.Mu.MoveToOuterDisposeScope(), latent.Sigma.MoveToOuterDisposeScope());
    }

    /// <summary>The pointwise convolutions behind the encoder.</summary>
    internal LatentDistribution Distribution(Tensor h)
    {
        using var scope = NewDisposeScope();
        var mu = quant_conv_mu.call(h);
        var sigma = quant_conv_log_sigma.call(h).clamp(-30.0, 20.0).div(2.0).exp();
        return new LatentDistribution(mu.MoveToOuterDisposeScope(), sigma.MoveToOuterDisposeScope());
    }

    /// <summary>mu + noise·sigma.</summary>
    /// <param name="latent">The distribution.</param>
    /// <param name="noise">Standard normal noise in the shape of the latent; null draws it from libtorch's default generator.</param>
    public static Tensor Sample(LatentDistribution latent, Tensor? noise = null)
    {
        using var scope = NewDisposeScope();
        return (latent.Mu + (noise ?? randn_like(latent.Sigma)) * latent.Sigma).MoveToOuterDisposeScope();
    }

    /// <summary>Latent to image.</summary>
    public Tensor Decode(Tensor latent)
    {
        using var scope = NewDisposeScope();
        return Checkpointing.Run(_checkpoint, decoder, post_quant_conv.call(latent)).MoveToOuterDisposeScope();
    }

    /// <summary>The pointwise convolution in front of the decoder.</summary>
    internal Tensor PostQuantize(Tensor latent) => post_quant_conv.call(latent);

    /// <summary>Image to image through the mean of the latent.</summary>
    public Tensor Reconstruct(Tensor image)
    {
        using var scope = NewDisposeScope();
        return Decode(Encode(image).Mu).MoveToOuterDisposeScope();
    }

    /// <summary>Image to a sample of its latent, which is what a diffusion model is trained on (before scaling).</summary>
    public Tensor EncodeStage2Inputs(Tensor image, Tensor? noise = null)
    {
        using var scope = NewDisposeScope();
        return Sample(Encode(image), noise).MoveToOuterDisposeScope();
    }

    /// <summary>A diffusion model's latent (after unscaling) to an image; the same as <see cref="Decode"/>.</summary>
    public Tensor DecodeStage2Outputs(Tensor latent) => Decode(latent);

    /// <summary>Image to reconstruction through a random sample of the latent.</summary>
    public override AutoencoderOutput forward(Tensor image) => Forward(image, null);

    /// <summary>As <see cref="forward"/>, with given noise.</summary>
    public AutoencoderOutput Forward(Tensor image, Tensor? noise)
    {
        using var scope = NewDisposeScope();
        var latent = Encode(image);
        var reconstruction = Decode(Sample(latent, noise));
        return new AutoencoderOutput(
            reconstruction.MoveToOuterDisposeScope(), latent.Mu.MoveToOuterDisposeScope(), latent.Sigma.MoveToOuterDisposeScope());
    }
}
