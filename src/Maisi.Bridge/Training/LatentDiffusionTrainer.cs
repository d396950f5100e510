using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>
/// Trains the diffusion UNet and then, with the UNet frozen, the ControlNet. Both minimise the mean absolute error of the velocity
/// (images − noise) of rectified flow, as SPEC 12 of NV-Generate's training scripts has it.
/// </summary>
internal sealed class LatentDiffusionTrainer(DiffusionModelUNetMaisi unet, ControlNetMaisi controlNet, RFlowScheduler scheduler, TrainingConfig config)
{
    /// <summary>Trains the UNet on latents alone.</summary>
    public StageSummary TrainUNet(LatentSet latents, TrainingStore store, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var random = new TrainingRandom(SampleSeed.Of(config.Seed, 2));
        var options = config.DiffusionUnetTrain;
        unet.train();
        var summary = new TrainingStage("diffusion-unet", [.. unet.parameters()], options, options.Iterations, options.Lr, random)
            .Run(Step, store, progress, cancellation);
        unet.eval();
        return summary;

        Tensor Step()
        {
            var (images, _) = latents.Batch(options.BatchSize, random);
            var (noisy, timesteps, target) = Corrupt(images, random);
            return (unet.call(noisy, timesteps, Conditions(options.BatchSize)) - target).abs().mean();
        }
    }

    /// <summary>Trains the ControlNet, which starts from the UNet's weights where names and shapes agree.</summary>
    public StageSummary TrainControlNet(LatentSet latents, TrainingStore store, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var random = new TrainingRandom(SampleSeed.Of(config.Seed, 3));
        var options = config.ControlnetTrain;
        StateDictLoader.CopyMatching(controlNet, unet);
        foreach (var parameter in unet.parameters())
            parameter.requires_grad = false;
        controlNet.train();
        var summary = new TrainingStage("controlnet", [.. controlNet.parameters()], options, options.Iterations, options.Lr, random)
            .Run(Step, store, progress, cancellation);
        controlNet.eval();
        return summary;

        Tensor Step()
        {
            var (images, labels) = latents.Batch(options.BatchSize, random);
            if (random.NextDouble() < config.Data.BodyDropout)
                labels = labels.masked_fill(labels.eq(config.Data.BodyLabel), 0);
            var (noisy, timesteps, target) = Corrupt(images, random);
            var conditions = Conditions(options.BatchSize);
            var residuals = controlNet.call(noisy, timesteps, ConditionPlanes.Of(labels), new ControlNetConditions { ClassLabels = conditions.ClassLabels });
            var prediction = unet.call(noisy, timesteps, conditions with { DownBlockAdditionalResiduals = residuals.Down, MidBlockAdditionalResidual = residuals.Mid });
            return (prediction - target).abs().mean();
        }
    }

    private (Tensor Noisy, Tensor Timesteps, Tensor Target) Corrupt(Tensor images, TrainingRandom random)
    {
        var noise = PhiloxNoise.Normal(images.shape, random.NextSeed());
        var uniform = Enumerable.Range(0, (int)images.shape[0]).Select(_ => (float)random.NextDouble()).ToArray();
        var timesteps = scheduler.SampleTimesteps(tensor(uniform), images);
        return (scheduler.AddNoise(images, noise, timesteps), timesteps, images - noise);
    }

    private UNetConditions Conditions(int batch) => new()
    {
        ClassLabels = full([batch], config.Data.Modality, ScalarType.Int64),
        Spacing = tensor(config.Data.Spacing.Select(s => (float)(s * 100)).ToArray(), [1, 3]).repeat(batch, 1),
    };
}
