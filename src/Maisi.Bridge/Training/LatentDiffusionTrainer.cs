using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>
/// Trains the diffusion UNet and then, with the UNet frozen, the ControlNet. Both minimise the mean absolute error of what the scheduler
/// makes them predict, as NV-Generate's training scripts do: the velocity (images − noise) of rectified flow, or DDPM's noise, sample or v.
/// </summary>
internal sealed class LatentDiffusionTrainer(DiffusionModelUNetMaisi unet, ControlNetMaisi controlNet, Scheduler scheduler, TrainingConfig config)
{
    private const long ValidationStream = 5;
    private readonly DiffusionObjective _objective = new(scheduler);

    /// <summary>Where losses are logged.</summary>
    public TrainingLog? Log { get; init; }

    /// <summary>Latents to validate on, when the options say how often.</summary>
    public LatentSet? Validation { get; init; }

    /// <summary>Trains the UNet on latents alone.</summary>
    public StageSummary TrainUNet(LatentSet latents, TrainingStore store, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var random = new TrainingRandom(SampleSeed.Of(config.Seed, 2));
        var options = config.DiffusionUnetTrain;
        unet.train();
        var settings = options.Settings("diffusion-unet", options.Iterations, options.Lr);
        using var stage = Stage(settings, unet, random, Loss);
        var summary = stage.Run(() => Loss(latents, random), store, progress, cancellation);
        unet.eval();
        return summary;

        Tensor Loss(LatentSet from, TrainingRandom draws)
        {
            var (images, _) = from.Batch(options.BatchSize, draws);
            var (noisy, timesteps, target) = _objective.Corrupt(images, draws);
            using var _ = settings.Autocast(images.device);
            return (unet.call(noisy, timesteps, Conditions(options.BatchSize)) - target).abs().mean();
        }
    }

    /// <summary>Trains the ControlNet, which starts from the UNet's weights where names and shapes agree.</summary>
    public StageSummary TrainControlNet(LatentSet latents, TrainingStore store, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var random = new TrainingRandom(SampleSeed.Of(config.Seed, 3));
        var options = config.ControlnetTrain;
        StateDictLoader.CopyMatching(controlNet, unet);
        StartAware();
        foreach (var parameter in unet.parameters())
            parameter.requires_grad = false;
        controlNet.train();
        var settings = options.Settings("controlnet", options.Iterations, options.Lr);
        using var stage = Stage(settings, controlNet, random, Loss);
        var summary = stage.Run(() => Loss(latents, random), store, progress, cancellation);
        controlNet.eval();
        return summary;

        Tensor Loss(LatentSet from, TrainingRandom draws)
        {
            var (images, labels) = from.Batch(options.BatchSize, draws);
            if (draws.NextDouble() < config.Data.BodyDropout)
                labels = labels.masked_fill(labels.eq(config.Data.BodyLabel), 0);
            var (noisy, timesteps, target) = _objective.Corrupt(images, draws);
            using var _ = settings.Autocast(images.device);
            var conditions = Conditions(options.BatchSize);
            var residuals = controlNet.call(noisy, timesteps, ConditionPlanes.Of(labels), new ControlNetConditions { ClassLabels = conditions.ClassLabels });
            var prediction = unet.call(noisy, timesteps, conditions with { DownBlockAdditionalResiduals = residuals.Down, MidBlockAdditionalResidual = residuals.Mid });
            return (prediction - target).abs().mean();
        }
    }

    /// <summary>
    /// Draws the last convolution of the mask's embedding. MAISI starts it at zero behind outputs that are zero too, so that it learns
    /// nothing until those have grown; a short training cannot wait for that. The ControlNet's outputs still start at zero.
    /// </summary>
    private void StartAware()
    {
        using var _ = no_grad();
        var weight = controlNet.named_parameters().First(p => p.name == "controlnet_cond_embedding.conv_out.conv.weight").parameter;
        weight.copy_(PhiloxNoise.Uniform(weight.shape, SampleSeed.Of(config.Seed, 103), 1 / Math.Sqrt(weight.numel() / (double)weight.shape[0])));
    }

    private TrainingStage Stage(StageSettings settings, nn.Module network, TrainingRandom random, Func<LatentSet, TrainingRandom, Tensor> loss) =>
        new(settings, [new Learner("", network.parameters(), settings)], random)
        {
            Log = Log,
            Validate = Validation is null ? null : _ => Error(loss),
        };

    /// <summary>Mean loss over as many batches as there are validation cases, with the same cases and noise each time.</summary>
    private double Error(Func<LatentSet, TrainingRandom, Tensor> loss)
    {
        var random = new TrainingRandom(SampleSeed.Of(config.Seed, ValidationStream));
        return Enumerable.Range(0, Validation!.Count).Average(_ =>
        {
            using var scope = NewDisposeScope();
            return loss(Validation, random).ToDouble();
        });
    }

    private UNetConditions Conditions(int batch) => new()
    {
        ClassLabels = full([batch], config.Data.Modality, ScalarType.Int64),
        Spacing = tensor(config.Data.Spacing.Select(s => (float)(s * 100)).ToArray(), [1, 3]).repeat(batch, 1),
    };
}
