using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Runtime;
using Maisi.Bridge.Schedulers;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>Trains autoencoder, diffusion UNet, ControlNet and, where the config has one, the mask model, and writes them as a bundle.</summary>
/// <param name="config">What is trained, and how long.</param>
/// <param name="output">The bundle folder to make. The state of the unfinished training lies beside it, in a folder with ".training" added.</param>
/// <param name="resume">Goes on with an unfinished training.</param>
public sealed class TrainingRun(TrainingConfig config, string output, bool resume = false)
{
    private const int MostPictures = 3;
    private const long PictureStream = 300;

    /// <summary>Where the state of the unfinished training is kept.</summary>
    public string StateFolder { get; } = TrainingStore.FolderOf(output);

    /// <summary>Trains on the cases of a datalist.</summary>
    /// <exception cref="MaisiException">The output exists, the data is broken, or the loss diverges.</exception>
    public TrainingReport Execute(Datalist datalist, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        RequireFree();
        var (cases, variants) = TrainingCases.LoadWithVariants(datalist.Training, config.Data, config.Seed, progress, cancellation);
        var validation = TrainingCases.Load(datalist.Validation, config.Data, null, cancellation);
        return Execute(new TrainingData(cases, validation) { Variants = variants, Source = datalist }, progress, cancellation);
    }

    /// <summary>Trains on cases that lie on the training grid already.</summary>
    /// <inheritdoc cref="Execute(Datalist, IProgress{WorkProgress}, CancellationToken)"/>
    public TrainingReport Execute(
        IReadOnlyList<TrainingCase> cases, IReadOnlyList<TrainingCase> validation, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default) =>
        Execute(new TrainingData(cases, validation), progress, cancellation);

    /// <inheritdoc cref="Execute(IReadOnlyList{TrainingCase}, IReadOnlyList{TrainingCase}, IProgress{WorkProgress}, CancellationToken)"/>
    public TrainingReport Execute(TrainingData data, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        var (cases, validation) = (data.Cases, data.Validation);
        RequireFree();
        IReadOnlyList<TrainingCase> views = [.. cases, .. data.Variants];
        var store = TrainingStore.Open(output, config, views, resume);
        using var staging = store.Stage(output);
        using var autoencoder = NetworkFactory.Create<AutoencoderKlMaisi>(config.AutoencoderDef);
        using var unet = NetworkFactory.Create<DiffusionModelUNetMaisi>(config.DiffusionUnetDef);
        using var controlNet = NetworkFactory.Create<ControlNetMaisi>(config.ControlnetDef);
        foreach (var (network, index) in new nn.Module[] { autoencoder, unet, controlNet }.Select((n, i) => (n, i)))
            WeightInitialization.Draw(network, SampleSeed.Of(config.Seed, 100 + index));
        var scheduler = SchedulerFactory.Create(config.NoiseScheduler);
        using var log = new TrainingLog(Path.Combine(store.Folder, "logs"));
        var masks = config.MaskModel is { } options ? new MaskModelTrainer(options, config.Data, cases, data.Variants, config.Seed) { Log = log } : null;
        using var maskAutoencoder = masks?.Autoencoder;
        using var maskUNet = masks?.UNet;

        var stages = new AutoencoderTrainer(autoencoder, config.AutoencoderTrain, config.Data.Size, config.Seed) { Log = log, Validation = validation }
            .Train(cases, store, progress, cancellation).ToList();
        var psnr = Psnr(autoencoder, validation);
        using var latents = LatentSet.Encode(autoencoder, views, config.Data.Size, TrainingCase.MirrorPartners(config.Data.Labels), progress, cancellation);
        var validates = validation.Count > 0 && (config.DiffusionUnetTrain.ValidateEvery ?? config.ControlnetTrain.ValidateEvery) is not null;
        using var held = validates ? LatentSet.Encode(autoencoder, validation, config.Data.Size, TrainingCase.MirrorPartners(config.Data.Labels), null, cancellation) : null;
        var trainer = new LatentDiffusionTrainer(unet, controlNet, scheduler, config) { Log = log, Validation = held?.WithScale(latents.ScaleFactor) };
        stages.Add(trainer.TrainUNet(latents, store, progress, cancellation));
        stages.Add(trainer.TrainControlNet(latents, store, progress, cancellation));
        stages.AddRange(masks?.Train(store, progress, cancellation) ?? []);
        var report = new TrainingReport
        {
            Bundle = config.Name,
            Cases = cases.Count,
            Variants = data.Variants.Count,
            Seed = config.Seed,
            Stages = stages,
            ScaleFactor = latents.ScaleFactor,
            ValidationPsnr = psnr,
            Seconds = Math.Round(stages.Sum(s => s.Seconds), 1),
            ProcessorSeconds = Math.Round(stages.Sum(s => s.ProcessorSeconds), 1),
        };
        new BundleWriter(config, report, cases, data.Source).Write(staging, autoencoder, unet, controlNet, masks);
        log.Flush();
        File.Copy(Path.Combine(log.Folder, TrainingLog.Table), staging.File($"docs/{TrainingLog.Table}"));
        TrainingPage.Write(staging.File("docs/training.html"), config.Name, TrainingLog.Read(Path.Combine(log.Folder, TrainingLog.Table)),
            Pictures(new ImageModel(autoencoder, unet, controlNet, scheduler, latents.ScaleFactor), validation.Count > 0 ? validation : cases));
        staging.Publish();
        log.Dispose();
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

    /// <summary>The first cases, what the autoencoder makes of them, an image under their label maps, and one of noise alone.</summary>
    private List<ReportPicture> Pictures(ImageModel model, IReadOnlyList<TrainingCase> cases)
    {
        using var _ = no_grad();
        var (size, spacing, range) = (config.Data.Size, config.Data.Spacing, new IntensityRange(0, 1, true));
        var grid = new VolumeGrid(size[0], size[1], size[2], Affine.Diagonal(spacing[0], spacing[1], spacing[2]));
        var synthesis = new ImageSynthesis(model);
        var pictures = cases.Take(MostPictures).SelectMany((item, i) =>
        {
            using var scope = NewDisposeScope();
            var image = tensor(item.Image, [1, 1, size[0], size[1], size[2]]);
            var mask = Volume.FromArray<byte>(item.Labels, grid);
            return new[] { (item.Id, image), ($"{item.Id}, reconstructed", model.Autoencoder.Reconstruct(image)), ($"generated under the label map of {item.Id}", Sampled(mask, i)) }
                .Select(p => ReportPictures.Of(p.Item1, p.Item2, spacing)).ToArray();
        }).ToList();
        using var last = NewDisposeScope();
        pictures.Add(ReportPictures.Of("generated of noise alone", Sampled(null, MostPictures), spacing));
        return pictures;

        Tensor Sampled(Volume? mask, int index) => synthesis.Sample(new ImageRequest
        {
            Grid = grid,
            Mask = mask,
            AirOutsideMask = config.Data.BodyLabel != 0,
            Modality = config.Data.Modality,
            Steps = config.NumInferenceSteps,
            Seed = SampleSeed.Of(config.Seed, PictureStream + index),
            Range = range,
        }).Image;
    }

    private void RequireFree()
    {
        if (Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any())
            throw new MaisiException("The output folder exists and is not empty.", output, "Choose another --output, or remove the folder.");
    }
}
