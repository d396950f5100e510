// Port of monai/losses/adversarial_loss.py (MONAI 1.5); Isola et al., arXiv:1611.07004; Mao et al., arXiv:1611.04076.
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>How a discriminator's logits are scored.</summary>
public enum AdversarialCriterion
{
    /// <summary>Squared distance to the label.</summary>
    LeastSquares,

    /// <summary>Cross-entropy of the sigmoid.</summary>
    BinaryCrossEntropy,

    /// <summary>Hinge on the hyperbolic tangent.</summary>
    Hinge,
}

/// <summary>
/// The adversarial loss of patch discriminators. As upstream, least squares are taken of the logits after a leaky ReLU of slope 0.05
/// (unless that is switched off), and a generator always aims at real.
/// </summary>
/// <param name="Criterion">How logits are scored.</param>
/// <param name="Sum">Whether elements and discriminators are summed instead of averaged.</param>
/// <param name="NoActivation">Whether least squares take the logits as they are.</param>
public sealed record PatchAdversarialLoss(AdversarialCriterion Criterion = AdversarialCriterion.LeastSquares, bool Sum = false, bool NoActivation = false)
{
    private const double LeastSquaresSlope = 0.05;

    /// <summary>The loss of the logits of one or several discriminators.</summary>
    /// <param name="logits">Logits of any shape, one tensor per discriminator.</param>
    /// <param name="targetIsReal">Whether they are of real images.</param>
    /// <param name="forDiscriminator">Whether the discriminator is trained; a generator always aims at real.</param>
    /// <returns>A single number.</returns>
    public Tensor Compute(IReadOnlyList<Tensor> logits, bool targetIsReal, bool forDiscriminator)
    {
        using var scope = NewDisposeScope();
        var real = targetIsReal || !forDiscriminator;
        var losses = stack(logits.Select(l => One(l, real)).ToArray());
        return (Sum ? losses.sum() : losses.mean()).MoveToOuterDisposeScope();
    }

    private Tensor One(Tensor logits, bool real)
    {
        switch (Criterion)
        {
            case AdversarialCriterion.BinaryCrossEntropy:
                var probability = logits.sigmoid();
                // PyTorch's binary cross-entropy bounds the logarithm at -100
                return Reduced(-(real ? probability : 1 - probability).log().clamp_min(-100));
            case AdversarialCriterion.Hinge:
                var squashed = logits.tanh();
                return -((real ? squashed : -squashed) - 1).clamp_max(0).mean(); // upstream averages whatever the reduction
            default:
                var activated = NoActivation ? logits : nn.functional.leaky_relu(logits, LeastSquaresSlope);
                return Reduced((activated - (real ? 1.0 : 0.0)).pow(2));
        }
    }

    private Tensor Reduced(Tensor losses) => Sum ? losses.sum() : losses.mean();
}
