using Maisi.Bridge.Networks;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Evaluation;

/// <summary>Where cases are compared.</summary>
public enum DescriptorSpace
{
    /// <summary>HU on a coarse grid, at the shift that fits best: finds copies whatever a network makes of them.</summary>
    Image,

    /// <summary>The latent of the generator's autoencoder: where the diffusion model would have learned a case by heart.</summary>
    Latent,
}

/// <summary>A case as vectors of mean 0 and length 1.</summary>
/// <param name="File">The image.</param>
/// <param name="Image">In image space.</param>
/// <param name="Latent">In latent space; null where it is not looked at.</param>
internal sealed record CaseDescriptor(string File, ShiftedDistance.Image Image, float[]? Latent);

/// <summary>Describes volumes; memory holds one of them at a time.</summary>
/// <param name="preprocessing">How images are made comparable.</param>
/// <param name="autoencoder">Autoencoder for the latent space; null for the image space alone.</param>
/// <param name="device">Where the autoencoder is.</param>
internal sealed class DescriptorMaker(FidPreprocessing preprocessing, AutoencoderKlMaisi? autoencoder, Device device)
{
    // Edge of the coarse image, and of what the autoencoder sees.
    private const int ImageEdge = 32, EncoderEdge = 64;
    private readonly ShiftedDistance _shifted = new(ImageEdge);

    /// <summary>The descriptor of an image, and of its mirror image when asked for: generators are trained on mirrored cases too.</summary>
    /// <exception cref="MaisiException">The file cannot be used.</exception>
    public IReadOnlyList<CaseDescriptor> Describe(string file, bool withMirror)
    {
        using var scope = NewDisposeScope();
        var image = preprocessing.Load(file);
        return withMirror ? [Of(file, image), Of(file, image.flip([0L]))] : [Of(file, image)];
    }

    private CaseDescriptor Of(string file, Tensor image)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var latent = autoencoder is null ? null : Unit(autoencoder.Encode(((Resized(image, EncoderEdge) + 1000) / 2000).unsqueeze(0).unsqueeze(0).to(device)).Mu.cpu());
        return new(file, _shifted.Prepare(Unit(Resized(image, ImageEdge))), latent);
    }

    /// <summary>√(2 - 2·correlation) of two cases in a space.</summary>
    public double Distance(CaseDescriptor a, CaseDescriptor b, DescriptorSpace space)
    {
        if (space == DescriptorSpace.Image)
            return _shifted.Between(a.Image, b.Image);
        if (a.Latent!.Length != b.Latent!.Length)
            throw new MaisiException($"latents of {a.Latent.Length} and {b.Latent.Length} values cannot be compared", a.File);
        // Without the loss of digits that the correlation would have.
        return Math.Sqrt(a.Latent.Zip(b.Latent, (p, q) => (double)(p - q) * (p - q)).Sum());
    }

    /// <summary>[X, Y, Z] to a cube of this edge: means of the voxels below each of its own.</summary>
    private static Tensor Resized(Tensor image, int edge)
    {
        using var pool = nn.AdaptiveAvgPool3d(edge);
        return pool.call(image.unsqueeze(0).unsqueeze(0))[0][0];
    }

    private static float[] Unit(Tensor values)
    {
        var flat = values.to(ScalarType.Float64).flatten();
        flat = flat - flat.mean();
        var length = flat.pow(2).sum().sqrt().item<double>();
        return (length > 0 ? flat / length : flat).to(ScalarType.Float32).data<float>().ToArray();
    }
}
