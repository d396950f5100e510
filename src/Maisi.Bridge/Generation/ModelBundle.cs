using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Runtime;
using Maisi.Bridge.Schedulers;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Generation;

/// <summary>A bundle with weights, ready to sample. Each network is built and loaded when it is first asked for, then kept.</summary>
public sealed class ModelBundle : IDisposable
{
    private readonly string _path;
    private readonly Lazy<AutoencoderKlMaisi> _autoencoder;
    private readonly Lazy<DiffusionModelUNetMaisi> _unet;
    private readonly Lazy<ControlNetMaisi> _controlNet;
    private readonly Lazy<Scheduler> _scheduler;
    private readonly Lazy<double> _scaleFactor;
    private readonly Lazy<MaskModel> _maskModel;
    private readonly ConcurrentDictionary<string, HashedFile> _hashes = new(StringComparer.Ordinal);

    private ModelBundle(string path, BundleSettings settings, Device device)
    {
        (_path, Settings, Device) = (path, settings, device);
        _autoencoder = new(() => Create<AutoencoderKlMaisi>(settings.AutoencoderDef, settings.TrainedAutoencoderPath));
        _unet = new(() => Create<DiffusionModelUNetMaisi>(settings.DiffusionUnetDef, settings.TrainedDiffusionPath, "unet_state_dict"));
        _controlNet = new(() => Create<ControlNetMaisi>(
            Needed(settings.ControlnetDef, "ControlNet, which label maps need"), settings.TrainedControlnetPath, "controlnet_state_dict"));
        _scheduler = new(() => SchedulerFactory.Create(settings.NoiseScheduler));
        _scaleFactor = new(() => ScaleFactorOf(settings.TrainedDiffusionPath));
        _maskModel = new(CreateMaskModel);
    }

    /// <summary>configs/inference.json.</summary>
    public BundleSettings Settings { get; }

    /// <summary>Where the networks lie.</summary>
    public Device Device { get; }

    /// <summary>Between images and latents.</summary>
    public AutoencoderKlMaisi Autoencoder => _autoencoder.Value;

    /// <summary>Predicts the velocity of a noisy latent.</summary>
    public DiffusionModelUNetMaisi UNet => _unet.Value;

    /// <summary>Steers the UNet by a label map.</summary>
    /// <exception cref="MaisiException">The bundle has none.</exception>
    public ControlNetMaisi ControlNet => _controlNet.Value;

    /// <summary>Timesteps and update rule.</summary>
    public Scheduler Scheduler => _scheduler.Value;

    /// <summary>What latents were multiplied with before diffusion.</summary>
    public double ScaleFactor => _scaleFactor.Value;

    /// <summary>The networks that make label maps.</summary>
    /// <exception cref="MaisiException">The bundle has none.</exception>
    public MaskModel MaskModel => _maskModel.Value;

    /// <summary>Opens a bundle; the checkpoints of its images must be there, and every key must fit when they are loaded.</summary>
    /// <param name="path">The bundle's folder.</param>
    /// <param name="settings">Its configs/inference.json.</param>
    /// <param name="device">Where the networks go; the CPU when null.</param>
    /// <exception cref="MaisiException">A file is missing.</exception>
    public static ModelBundle Load(string path, BundleSettings settings, Device? device = null)
    {
        var bundle = Open(path, settings, device);
        bundle.Require(PipelineKind.Image);
        return bundle;
    }

    /// <summary>Opens a bundle, whatever checkpoints it has.</summary>
    internal static ModelBundle Open(string path, BundleSettings settings, Device? device = null) => new(path, settings, device ?? CPU);

    /// <summary>What every extent of a mask must be divisible by: the autoencoder's stride times the UNet's.</summary>
    public static int DivisorOf(BundleSettings settings)
    {
        static int Levels(JsonObject definition) => definition["num_channels"]!.AsArray().Count;
        return 1 << (Levels(settings.AutoencoderDef) - 1 + Levels(settings.DiffusionUnetDef) - 1);
    }

    /// <summary>The networks that make an image.</summary>
    /// <param name="underMask">Whether a label map steers them.</param>
    /// <exception cref="MaisiException">A file is missing, or weights and definition do not fit.</exception>
    public ImageModel ImageModel(bool underMask) => new(Autoencoder, UNet, underMask ? ControlNet : null, Scheduler, ScaleFactor);

    /// <summary>A file of the bundle, from a path of its settings.</summary>
    public string File(string path) => Path.Combine(_path, path);

    /// <summary>Checks, before any work, that a pipeline's networks are defined and that their checkpoints are there.</summary>
    /// <exception cref="MaisiException">Something is missing; the message names it.</exception>
    internal void Require(PipelineKind kind, bool withMaskModel = false)
    {
        if (kind is PipelineKind.FromMask or PipelineKind.Paired)
            Needed(Settings.ControlnetDef, "ControlNet, which label maps need");
        if (kind == PipelineKind.Mask || withMaskModel)
            Needed(Settings.MaskGenerationDiffusionDef, "mask model");
        foreach (var file in Checkpoints(kind, withMaskModel).Where(file => !System.IO.File.Exists(File(file))))
            throw new MaisiException("The bundle has no weights: a checkpoint is missing.", File(file), "Train the bundle with 'maisi train', or put its weights there.");
    }

    /// <summary>Loads the networks that a pipeline needs, which it would otherwise load with its first sample, and hashes their files.</summary>
    /// <exception cref="MaisiException">A file is missing, or weights and definition do not fit.</exception>
    public void Warm(PipelineKind kind, bool withMaskModel = false)
    {
        Require(kind, withMaskModel);
        Hashes(kind, withMaskModel);
        if (kind != PipelineKind.Mask)
            _ = ImageModel(underMask: kind != PipelineKind.Image);
        if (kind == PipelineKind.Mask || withMaskModel)
            _ = MaskModel;
    }

    /// <summary>SHA-256 of the settings and of the checkpoints of a pipeline. A bundle that is kept open hashes each file once.</summary>
    internal IReadOnlyList<HashedFile> Hashes(PipelineKind kind, bool withMaskModel = false) =>
        [.. Checkpoints(kind, withMaskModel).Prepend(Path.Combine("configs", "inference.json")).Select(file => _hashes.GetOrAdd(file, f => HashedFile.Of(File(f), f)))];

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_autoencoder.IsValueCreated)
            _autoencoder.Value.Dispose();
        if (_unet.IsValueCreated)
            _unet.Value.Dispose();
        if (_controlNet.IsValueCreated)
            _controlNet.Value.Dispose();
        if (_maskModel.IsValueCreated)
            _maskModel.Value.Dispose();
    }

    private IEnumerable<string> Checkpoints(PipelineKind kind, bool withMaskModel)
    {
        string?[] image = [Settings.TrainedAutoencoderPath, Settings.TrainedDiffusionPath], mask = [Settings.TrainedMaskGenerationAutoencoderPath, Settings.TrainedMaskGenerationDiffusionPath];
        var files = kind == PipelineKind.Mask ? mask : kind == PipelineKind.Image ? image : [.. image, Settings.TrainedControlnetPath, .. withMaskModel ? mask : []];
        return files.Select(file => Needed(string.IsNullOrEmpty(file) ? null : file, "path for one of its checkpoints"));
    }

    private MaskModel CreateMaskModel()
    {
        var path = Settings.TrainedMaskGenerationDiffusionPath;
        return new MaskModel(
            Create<AutoencoderKlMaisi>(Needed(Settings.MaskGenerationAutoencoderDef, "mask model"), Settings.TrainedMaskGenerationAutoencoderPath),
            Create<DiffusionModelUNet>(Needed(Settings.MaskGenerationDiffusionDef, "mask model"), path, "unet_state_dict"),
            SchedulerFactory.Create(Needed(Settings.MaskGenerationNoiseScheduler, "scheduler for its mask model")), ScaleFactorOf(Needed(path, "mask model")));
    }

    private T Create<T>(JsonObject definition, string? checkpoint, string? key = null)
        where T : nn.Module
    {
        using var skip = TensorRuntime.SkipInitialization();
        var network = NetworkFactory.Create<T>(definition);
        try
        {
            StateDictLoader.Load(network, File(Needed(checkpoint, "path for one of its checkpoints")), key);
        }
        catch
        {
            network.Dispose();
            throw;
        }
        network.eval();
        network.to(Device);
        return network;
    }

    private double ScaleFactorOf(string path)
    {
        using var checkpoint = CheckpointFile.Open(File(path));
        return checkpoint.Number("scale_factor")
            ?? throw new CheckpointException("the checkpoint has no scale_factor", File(path), "use a diffusion checkpoint as NV-Generate or 'maisi train' writes it");
    }

    private T Needed<T>(T? part, string what)
        where T : class => part ?? throw new MaisiException($"The bundle has no {what}.", _path, "Take a bundle that has it; configs/inference.json names its parts.");
}
