using System.Text.Json.Nodes;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Runtime;
using Maisi.Bridge.Schedulers;

namespace Maisi.Bridge.Generation;

/// <summary>A bundle with its networks built and their weights loaded, ready to sample.</summary>
public sealed class ModelBundle : IDisposable
{
    private readonly string _path;

    private ModelBundle(string path, BundleSettings settings)
    {
        _path = path;
        Settings = settings;
        using var skip = TensorRuntime.SkipInitialization();
        Autoencoder = NetworkFactory.Create<AutoencoderKlMaisi>(settings.AutoencoderDef);
        UNet = NetworkFactory.Create<DiffusionModelUNetMaisi>(settings.DiffusionUnetDef);
        ControlNet = NetworkFactory.Create<ControlNetMaisi>(settings.ControlnetDef);
        Scheduler = SchedulerFactory.Create(settings.NoiseScheduler);
    }

    /// <summary>configs/inference.json.</summary>
    public BundleSettings Settings { get; }

    /// <summary>Between images and latents.</summary>
    public AutoencoderKlMaisi Autoencoder { get; }

    /// <summary>Predicts the velocity of a noisy latent.</summary>
    public DiffusionModelUNetMaisi UNet { get; }

    /// <summary>Steers the UNet by a label map.</summary>
    public ControlNetMaisi ControlNet { get; }

    /// <summary>Timesteps and update rule.</summary>
    public Scheduler Scheduler { get; }

    /// <summary>What latents were multiplied with before diffusion.</summary>
    public double ScaleFactor { get; private set; } = 1;

    /// <summary>Builds the networks of a bundle and loads their weights; every key must fit.</summary>
    /// <exception cref="MaisiException">A file is missing, or weights and definition do not fit.</exception>
    public static ModelBundle Load(string path, BundleSettings settings)
    {
        foreach (var file in new[] { settings.TrainedAutoencoderPath, settings.TrainedDiffusionPath, settings.TrainedControlnetPath })
        {
            if (!File.Exists(Path.Combine(path, file)))
                throw new MaisiException("The bundle has no weights: a checkpoint is missing.", Path.Combine(path, file), "Train the bundle with 'maisi train', or put its weights there.");
        }
        var bundle = new ModelBundle(path, settings);
        try
        {
            bundle.LoadWeights();
            return bundle;
        }
        catch
        {
            bundle.Dispose();
            throw;
        }
    }

    /// <summary>What every extent of a mask must be divisible by: the autoencoder's stride times the UNet's.</summary>
    public static int DivisorOf(BundleSettings settings)
    {
        static int Levels(JsonObject definition) => definition["num_channels"]!.AsArray().Count;
        return 1 << (Levels(settings.AutoencoderDef) - 1 + Levels(settings.DiffusionUnetDef) - 1);
    }

    /// <summary>SHA-256 of the settings and the three checkpoints.</summary>
    public IReadOnlyList<HashedFile> Hashes() =>
        [.. new[] { Path.Combine("configs", "inference.json"), Settings.TrainedAutoencoderPath, Settings.TrainedDiffusionPath, Settings.TrainedControlnetPath }
            .Select(file => HashedFile.Of(Path.Combine(_path, file), file))];

    /// <inheritdoc/>
    public void Dispose()
    {
        Autoencoder.Dispose();
        UNet.Dispose();
        ControlNet.Dispose();
    }

    private void LoadWeights()
    {
        StateDictLoader.Load(Autoencoder, Path.Combine(_path, Settings.TrainedAutoencoderPath));
        var diffusion = Path.Combine(_path, Settings.TrainedDiffusionPath);
        StateDictLoader.Load(UNet, diffusion, "unet_state_dict");
        using (var checkpoint = CheckpointFile.Open(diffusion))
        {
            ScaleFactor = checkpoint.Number("scale_factor")
                ?? throw new CheckpointException("the checkpoint has no scale_factor", diffusion, "use a diffusion checkpoint as NV-Generate or 'maisi train' writes it");
        }
        StateDictLoader.Load(ControlNet, Path.Combine(_path, Settings.TrainedControlnetPath), "controlnet_state_dict");
        Autoencoder.eval();
        UNet.eval();
        ControlNet.eval();
    }
}
