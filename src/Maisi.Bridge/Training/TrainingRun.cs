using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Runtime;
using Maisi.Bridge.Schedulers;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>Trains autoencoder, diffusion UNet and ControlNet one after the other and writes them as a bundle.</summary>
/// <param name="config">What is trained, and how long.</param>
/// <param name="output">The bundle folder to make. The state of the unfinished training lies beside it, in a folder with ".training" added.</param>
/// <param name="resume">Goes on with an unfinished training.</param>
public sealed class TrainingRun(TrainingConfig config, string output, bool resume = false)
{
    /// <summary>Where the state of the unfinished training is kept.</summary>
    public string StateFolder { get; } = TrainingStore.FolderOf(output);

    /// <summary>Trains on the cases of a datalist.</summary>
    /// <exception cref="MaisiException">The output exists, the data is broken, or the loss diverges.</exception>
    public TrainingReport Execute(Datalist datalist, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        RequireFree();
        var cases = TrainingCases.Load(datalist.Training, config.Data, progress, cancellation);
        var validation = TrainingCases.Load(datalist.Validation, config.Data, null, cancellation);
        return Execute(cases, validation, progress, cancellation);
    }

    /// <summary>Trains on cases that lie on the training grid already.</summary>
    /// <inheritdoc cref="Execute(Datalist, IProgress{WorkProgress}, CancellationToken)"/>
    public TrainingReport Execute(
        IReadOnlyList<TrainingCase> cases, IReadOnlyList<TrainingCase> validation, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        RequireFree();
        var store = TrainingStore.Open(output, config, cases, resume);
        using var staging = new StagingFolder(output);
        using var autoencoder = NetworkFactory.Create<AutoencoderKlMaisi>(config.AutoencoderDef);
        using var unet = NetworkFactory.Create<DiffusionModelUNetMaisi>(config.DiffusionUnetDef);
        using var controlNet = NetworkFactory.Create<ControlNetMaisi>(config.ControlnetDef);
        foreach (var (network, index) in new nn.Module[] { autoencoder, unet, controlNet }.Select((n, i) => (n, i)))
            WeightInitialization.Draw(network, SampleSeed.Of(config.Seed, 100 + index));
        var scheduler = SchedulerFactory.Create(config.NoiseScheduler) as RFlowScheduler
            ?? throw new MaisiException("Training needs an RFlowScheduler.", "noise_scheduler", "Take the noise_scheduler of configs/train_headneck_small.json.");

        var stages = new AutoencoderTrainer(autoencoder, config.AutoencoderTrain, config.Data.Size, config.Seed)
            .Train(cases, store, progress, cancellation).ToList();
        var psnr = Psnr(autoencoder, validation);
        using var latents = LatentSet.Encode(autoencoder, cases, config.Data.Size, TrainingCase.MirrorPartners(config.Data.Labels), progress, cancellation);
        var trainer = new LatentDiffusionTrainer(unet, controlNet, scheduler, config);
        stages.Add(trainer.TrainUNet(latents, store, progress, cancellation));
        stages.Add(trainer.TrainControlNet(latents, store, progress, cancellation));
        var report = new TrainingReport
        {
            Bundle = config.Name,
            Cases = cases.Count,
            Seed = config.Seed,
            Stages = stages,
            ScaleFactor = latents.ScaleFactor,
            ValidationPsnr = psnr,
            Seconds = Math.Round(stages.Sum(s => s.Seconds), 1),
            ProcessorSeconds = Math.Round(stages.Sum(s => s.ProcessorSeconds), 1),
        };
        new BundleWriter(config, report).Write(staging, autoencoder, unet, controlNet);
        staging.Publish();
        store.Delete();
        TensorRuntime.EmptyCache(CPU);
        return report;
    }

    private double? Psnr(AutoencoderKlMaisi autoencoder, IReadOnlyList<TrainingCase> cases)
    {
        if (cases.Count == 0)
            return null;
        using var _ = no_grad();
        var size = config.Data.Size;
        return Math.Round(cases.Average(item =>
        {
            using var scope = NewDisposeScope();
            var image = tensor(item.Image, [1, 1, size[0], size[1], size[2]]);
            var (mean, _) = autoencoder.Encode(image);
            return -10 * Math.Log10((autoencoder.Decode(mean).clamp(0, 1) - image).pow(2).mean().ToDouble());
        }), 2);
    }

    private void RequireFree()
    {
        if (Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any())
            throw new MaisiException("The output folder exists and is not empty.", output, "Choose another --output, or remove the folder.");
    }
}
