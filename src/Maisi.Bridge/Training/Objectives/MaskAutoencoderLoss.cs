// Cross-entropy and a small KL term, after Pinaya et al., arXiv:2209.07162, for label maps; MAISI's own loss was not published.
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>The loss of a mask autoencoder: bit planes of classes in, scores of every class out.</summary>
internal static class MaskAutoencoderLoss
{
    /// <summary>The loss of a batch.</summary>
    /// <param name="network">The autoencoder.</param>
    /// <param name="classes">[B, 1, X, Y, Z], int64.</param>
    /// <param name="klWeight">Weight of the KL term.</param>
    /// <param name="step">Notes the parts.</param>
    /// <param name="random">Draws the latent's noise.</param>
    public static Tensor Of(AutoencoderKlMaisi network, Tensor classes, double klWeight, TrainingStep step, TrainingRandom random)
    {
        long[] shape = [classes.shape[0], network.Shape.LatentChannels, .. classes.shape[2..].Select(n => n / network.Downsampling)];
        var (scores, mu, sigma) = network.Forward(ConditionPlanes.Of(classes), PhiloxNoise.Normal(shape, random.NextSeed()).to(classes.device));
        var wrong = nn.functional.cross_entropy(scores.to(ScalarType.Float32), classes.squeeze(1));
        var divergence = KlLoss.Compute(mu.to(ScalarType.Float32), sigma.to(ScalarType.Float32));
        step.Note("cross_entropy", wrong);
        step.Note("kl", divergence);
        step.Note("accuracy", scores.detach().argmax(1).eq(classes.squeeze(1)).to(ScalarType.Float32).mean());
        return wrong + (divergence * klWeight);
    }
}
