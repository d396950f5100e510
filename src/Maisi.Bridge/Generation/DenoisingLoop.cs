using Maisi.Bridge.Schedulers;
using static TorchSharp.torch;

namespace Maisi.Bridge.Generation;

/// <summary>The reverse process of a diffusion model: predict, step, again.</summary>
internal static class DenoisingLoop
{
    /// <summary>Denoises a latent.</summary>
    /// <param name="scheduler">Timesteps and update rule.</param>
    /// <param name="noise">Where to start, [1, C, x, y, z]; left as it is.</param>
    /// <param name="stepNoise">Noise of the latent's shape for step i; asked only of schedulers that add noise in a step.</param>
    /// <param name="steps">Denoising steps.</param>
    /// <param name="predict">What the network says of a latent at step i.</param>
    /// <param name="progress">Told after every step.</param>
    /// <param name="cancellation">Checked before every step.</param>
    public static Tensor Run(
        Scheduler scheduler, Tensor noise, Func<int, Tensor> stepNoise, int steps, Func<Tensor, int, Tensor> predict, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        scheduler.SetTimesteps(steps, noise.shape[2] * noise.shape[3] * noise.shape[4]);
        var count = scheduler.Timesteps.Count;
        var clock = new StageClock("denoise", count, progress);
        var latent = noise.clone();
        for (var i = 0; i < count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var previous = scheduler.Step(predict(latent, i), i, latent, scheduler.NeedsNoise(i) ? stepNoise(i) : null).Previous.MoveToOuterDisposeScope();
            latent.Dispose();
            latent = previous;
            clock.Report(i + 1);
        }
        return latent.MoveToOuterDisposeScope();
    }
}
