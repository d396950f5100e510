// The training targets of NV-Generate-CTMR (scripts/diff_model_train.py, scripts/train_controlnet.py); Guo et al., arXiv:2409.11169.
// Rectified flow: Liu et al., arXiv:2209.03003. Epsilon and sample: Ho et al., arXiv:2006.11239. v: Salimans and Ho, arXiv:2202.00512.
using Maisi.Bridge.Generation;
using Maisi.Bridge.Schedulers;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>A noised batch and what the network should say to it.</summary>
/// <param name="Noisy">[B, C, x, y, z].</param>
/// <param name="Timesteps">[B].</param>
/// <param name="Target">The shape of <paramref name="Noisy"/>.</param>
internal sealed record DiffusionBatch(Tensor Noisy, Tensor Timesteps, Tensor Target);

/// <summary>
/// Noises latents for training. With rectified flow the network learns images − noise; with DDPM the noise, the clean sample or the
/// velocity, as the scheduler's prediction_type says.
/// </summary>
/// <param name="scheduler">An RFlowScheduler, or a DDPM-like one.</param>
internal sealed class DiffusionObjective(Scheduler scheduler)
{
    /// <summary>The scheduler.</summary>
    public Scheduler Scheduler => scheduler;

    /// <summary>Noises a batch to random timesteps.</summary>
    /// <param name="images">Clean latents [B, C, x, y, z].</param>
    /// <param name="random">Where noise and timesteps come from; noise first.</param>
    public DiffusionBatch Corrupt(Tensor images, TrainingRandom random)
    {
        var noise = PhiloxNoise.Normal(images.shape, random.NextSeed()).to(images.device);
        return At(images, noise, Timesteps(images, random));
    }

    /// <summary>Noises a batch to given timesteps.</summary>
    public DiffusionBatch At(Tensor images, Tensor noise, Tensor timesteps) =>
        new(scheduler.AddNoise(images, noise, timesteps), timesteps, Target(images, noise, timesteps));

    /// <summary>What the network should predict.</summary>
    public Tensor Target(Tensor images, Tensor noise, Tensor timesteps) => scheduler switch
    {
        RFlowScheduler => images - noise,
        DiscreteScheduler { Prediction: PredictionType.Epsilon } => noise,
        DiscreteScheduler { Prediction: PredictionType.Sample } => images,
        DiscreteScheduler discrete => discrete.GetVelocity(images, noise, timesteps),
        _ => throw new MaisiException($"There is no training target for a {scheduler.GetType().Name}.", "noise_scheduler", "Take RFlowScheduler or DDPMScheduler."),
    };

    private Tensor Timesteps(Tensor images, TrainingRandom random)
    {
        var batch = (int)images.shape[0];
        if (scheduler is not RFlowScheduler flow)
            return tensor(Enumerable.Range(0, batch).Select(_ => (long)random.Next(scheduler.NumTrainTimesteps)).ToArray()).to(images.device);
        var draws = flow.Sampling == TimestepSampling.Uniform
            ? tensor(Enumerable.Range(0, batch).Select(_ => (float)random.NextDouble()).ToArray())
            : PhiloxNoise.Normal([batch], random.NextSeed());
        return flow.SampleTimesteps(draws.to(images.device), images);
    }
}
