// The rules of torch.cuda.amp.GradScaler (PyTorch 2.6); Micikevicius et al., "Mixed Precision Training", arXiv:1710.03740.
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>
/// Multiplies losses so that small gradients survive in half, and divides the gradients again. A step with a gradient that is not finite
/// is left out and the factor halved; after enough good steps the factor grows.
/// </summary>
/// <param name="scale">The first factor.</param>
/// <param name="growth">What it grows by.</param>
/// <param name="interval">Good steps in a row before it grows.</param>
internal sealed class GradientScaler(double scale, double growth = 2, int interval = 2000)
{
    private const double Backoff = 0.5;

    /// <summary>The factor on losses.</summary>
    public double Scale { get; set; } = scale;

    /// <summary>Good steps since the factor last changed.</summary>
    public int GoodSteps { get; set; }

    /// <summary>Divides the gradients by the factor.</summary>
    /// <returns>Whether all of them are finite.</returns>
    public bool Unscale(IReadOnlyList<Parameter> parameters)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        Tensor? finite = null;
        foreach (var gradient in parameters.Select(p => p.grad).OfType<Tensor>())
        {
            gradient.mul_(1 / Scale);
            var here = gradient.isfinite().all();
            finite = finite is null ? here : finite.logical_and(here);
        }
        return finite is null || finite.ToBoolean();
    }

    /// <summary>Adapts the factor after a step.</summary>
    /// <param name="finite">Whether the gradients were finite.</param>
    public void Update(bool finite)
    {
        if (!finite)
            (Scale, GoodSteps) = (Scale * Backoff, 0);
        else if (++GoodSteps == interval)
            (Scale, GoodSteps) = (Scale * growth, 0);
    }
}
