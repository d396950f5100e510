using Maisi.Bridge.Networks;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Evaluation;

/// <summary>Where cases are compared.</summary>
public enum DescriptorSpace
{
    /// <summary>HU on a coarse grid: finds copies whatever a network makes of them.</summary>
    Image,

    /// <summary>The latent of the generator's autoencoder: where the diffusion model would have learned a case by heart.</summary>
    Latent,
}

/// <summary>A case as a vector of mean 0 and length 1, so that the product of two is their correlation.</summary>
/// <param name="File">The image.</param>
/// <param name="Vectors">By space.</param>
internal sealed record CaseDescriptor(string File, IReadOnlyDictionary<DescriptorSpace, float[]> Vectors);

/// <summary>Describes volumes; memory holds one of them at a time.</summary>
/// <param name="preprocessing">How images are made comparable.</param>
/// <param name="autoencoder">Autoencoder for the latent space; null for the image space alone.</param>
/// <param name="device">Where the autoencoder is.</param>
internal sealed class DescriptorMaker(FidPreprocessing preprocessing, AutoencoderKlMaisi? autoencoder, Device device)
{
    // Edge of the coarse image, and of what the autoencoder sees.
    private const int ImageEdge = 32, EncoderEdge = 64;

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
        var vectors = new Dictionary<DescriptorSpace, float[]> { [DescriptorSpace.Image] = Unit(Resized(image, ImageEdge)) };
        if (autoencoder is not null)
            vectors[DescriptorSpace.Latent] = Unit(autoencoder.Encode(((Resized(image, EncoderEdge) + 1000) / 2000).unsqueeze(0).unsqueeze(0).to(device)).Mu.cpu());
        return new(file, vectors);
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
