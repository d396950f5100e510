// The losses of MAISI's autoencoder training (MONAI tutorials, generation/maisi/maisi_train_vae_tutorial; NV-Generate-CTMR); Guo et al.,
// arXiv:2409.11169. VAE: Kingma and Welling, arXiv:1312.6114; adversarial part: Rombach et al., arXiv:2112.10752.
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>Weights of the autoencoder's losses.</summary>
internal sealed record AutoencoderWeights
{
    /// <summary>Mean squared instead of mean absolute errors.</summary>
    public bool Squared { get; init; }

    public double Kl { get; init; } = 1e-7;

    public double Perceptual { get; init; }

    public double Adversarial { get; init; }

    /// <summary>
    /// As upstream, bugs included: the discriminator's scores go through a leaky ReLU before the squares, the discriminator also learns from
    /// the gradients that the generator's pass leaves in it, and the perceptual network sees [0, 1] instead of the [-1, 1] that it knows.
    /// </summary>
    public bool Parity { get; init; }
}

/// <summary>
/// The losses of an autoencoder and, where it is used, of its discriminator: reconstruction, Kullback-Leibler, perceptual (the user's
/// weights) and adversarial (least squares). Both learn from the same batch.
/// </summary>
/// <param name="network">The autoencoder.</param>
/// <param name="weights">Weights of the losses.</param>
/// <param name="discriminator">Needed with an adversarial weight.</param>
/// <param name="perceptual">Needed with a perceptual weight.</param>
internal sealed class AutoencoderObjective(
    AutoencoderKlMaisi network, AutoencoderWeights weights, PatchDiscriminator? discriminator = null, SlicePerceptualLoss? perceptual = null)
{
    private readonly PatchAdversarialLoss _adversarial = new(NoActivation: !weights.Parity);

    /// <summary>Computes a batch's losses and gradients.</summary>
    /// <param name="step">Takes the losses.</param>
    /// <param name="generator">Learns the autoencoder's parameters.</param>
    /// <param name="critic">Learns the discriminator's; null without one.</param>
    /// <param name="images">[B, 1, X, Y, Z].</param>
    /// <param name="random">Draws the latent's noise and the perceptual loss's slices.</param>
    /// <param name="settings">For the precision.</param>
    public void Learn(TrainingStep step, Learner generator, Learner? critic, Tensor images, TrainingRandom random, StageSettings settings)
    {
        step.Show(("images", images));
        Tensor reconstruction, loss;
        Require(critic, learns: weights.Parity);
        using (settings.Autocast(generator.Device))
        {
            (reconstruction, var mu, var sigma) = network.Forward(images, PhiloxNoise.Normal(LatentShape(images), random.NextSeed()).to(images.device));
            loss = Parts(step, images, reconstruction, mu, sigma, random);
            if (critic is not null)
            {
                var fooled = _adversarial.Compute([Judge(reconstruction)], targetIsReal: true, forDiscriminator: false);
                step.Note("adversarial", fooled);
                loss += fooled * weights.Adversarial;
            }
        }
        step.Learn(generator, "loss", loss);
        if (critic is null)
            return;
        Require(critic, learns: true);
        using (settings.Autocast(generator.Device))
        {
            var fake = _adversarial.Compute([Judge(reconstruction.detach())], targetIsReal: false, forDiscriminator: true);
            var real = _adversarial.Compute([Judge(images)], targetIsReal: true, forDiscriminator: true);
            loss = (fake + real) * 0.5;
        }
        step.Learn(critic, "discriminator", loss);
    }

    /// <summary>Reconstruction plus weighted KL and perceptual loss of images that the network does not learn from.</summary>
    /// <param name="images">[B, 1, X, Y, Z].</param>
    /// <param name="reconstruct">The reconstruction with the distribution, for instance window by window.</param>
    /// <param name="random">Draws the perceptual loss's slices.</param>
    public Tensor Validate(Tensor images, Func<Tensor, AutoencoderOutput> reconstruct, TrainingRandom random)
    {
        var (reconstruction, mu, sigma) = reconstruct(images);
        return Parts(null, images, reconstruction, mu, sigma, random);
    }

    private Tensor Parts(TrainingStep? step, Tensor images, Tensor reconstruction, Tensor mu, Tensor sigma, TrainingRandom random)
    {
        var error = reconstruction.to(ScalarType.Float32) - images.to(ScalarType.Float32);
        var similar = weights.Squared ? error.pow(2).mean() : error.abs().mean();
        var divergence = KlLoss.Compute(mu.to(ScalarType.Float32), sigma.to(ScalarType.Float32));
        step?.Note("reconstruction", similar);
        step?.Note("kl", divergence);
        var loss = similar + (divergence * weights.Kl);
        if (perceptual is null || weights.Perceptual == 0)
            return loss;
        var looks = perceptual.Compute(Seen(reconstruction), Seen(images), n => Order(n, random));
        step?.Note("perceptual", looks);
        return loss + (looks * weights.Perceptual);
    }

    private Tensor Seen(Tensor images) => weights.Parity ? images : (images * 2) - 1;

    private static Tensor Order(long count, TrainingRandom random)
    {
        var order = new long[count];
        for (var i = 0; i < order.Length; i++)
        {
            var j = random.Next(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return tensor(order);
    }

    private Tensor Judge(Tensor images) => discriminator!.call(images.contiguous())[^1];

    /// <summary>Without gradients of its own the discriminator's pass for the generator is cheaper, and leaves nothing behind in it.</summary>
    private static void Require(Learner? critic, bool learns)
    {
        foreach (var parameter in critic?.Parameters ?? [])
            parameter.requires_grad = learns;
    }

    private long[] LatentShape(Tensor images) =>
        [images.shape[0], network.Shape.LatentChannels, .. images.shape[2..].Select(n => n / network.Downsampling)];
}
