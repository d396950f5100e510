using Maisi.Bridge.Client;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Runtime;

namespace Maisi.Bridge.Server;

/// <summary>The bundle that is served: its settings and rules at once, its weights when a device's thread has loaded them.</summary>
internal sealed class LoadedBundle : IDisposable
{
    private readonly Lock _gate = new();
    private readonly ModelBundle _rules;
    private readonly Dictionary<PipelineKind, ISynthesisPipeline> _pipelines = [];
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly bool _preload;
    private int _loading;

    /// <param name="options">Which bundle.</param>
    /// <exception cref="MaisiException">The bundle is none, or lacks the weights of its image networks.</exception>
    public LoadedBundle(MaisiServerOptions options)
    {
        Path = System.IO.Path.GetFullPath(options.Bundle);
        Settings = BundleSettings.Read(Path);
        _rules = ModelBundle.Load(Path, Settings);
        HasMaskDatabase = options.MaskDatabase is not null || (Settings.AllMaskFilesJson is { } own && File.Exists(_rules.File(own)));
        Kinds = [.. Enum.GetValues<PipelineKind>().Where(Offers).Select(KindOf)];
        Limits = new BundleLimits(Settings, options, Kinds);
        _preload = options.Preload;
        _loading = Math.Max(1, options.Devices.Count);
    }

    /// <summary>Its folder.</summary>
    public string Path { get; }

    /// <summary>Its name.</summary>
    public string Name => System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(Path));

    /// <summary>configs/inference.json.</summary>
    public BundleSettings Settings { get; }

    /// <summary>What it makes.</summary>
    public IReadOnlyList<JobKind> Kinds { get; }

    /// <summary>What can be asked of it.</summary>
    public BundleLimits Limits { get; }

    /// <summary>Whether label maps are chosen from a database.</summary>
    public bool HasMaskDatabase { get; }

    /// <summary>Done when every device has its weights; failed when one could not load them.</summary>
    public Task Ready => _ready.Task;

    /// <summary>The wire's name of a pipeline.</summary>
    public static JobKind KindOf(PipelineKind kind) => kind switch
    {
        PipelineKind.Paired => JobKind.Paired,
        PipelineKind.FromMask => JobKind.FromMask,
        PipelineKind.Mask => JobKind.Mask,
        _ => JobKind.Image,
    };

    /// <summary>Fills what options leave open and refuses what cannot be made.</summary>
    /// <exception cref="MaisiException">The first thing that is wrong.</exception>
    public GenerationOptions Resolve(GenerationOptions options)
    {
        lock (_gate)
        {
            if (!_pipelines.TryGetValue(options.Kind, out var pipeline))
                _pipelines[options.Kind] = pipeline = SynthesisPipelines.Create(options.Kind, _rules);
            return pipeline.Resolve(options);
        }
    }

    /// <summary>Opens the bundle for a device and loads its weights, on the thread that will use them.</summary>
    /// <exception cref="MaisiException">Weights and definition do not fit.</exception>
    public ModelBundle Load(string device)
    {
        var model = ModelBundle.Load(Path, Settings, ComputeDevice.Parse(device));
        try
        {
            if (_preload)
                model.Warm(Kinds.Contains(JobKind.FromMask) ? PipelineKind.FromMask : PipelineKind.Image);
            if (_preload && Kinds.Contains(JobKind.Mask))
                model.Warm(PipelineKind.Mask);
            if (Interlocked.Decrement(ref _loading) == 0)
                _ready.TrySetResult();
            return model;
        }
        catch (Exception e)
        {
            model.Dispose();
            _ready.TrySetException(e);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _rules.Dispose();

    private bool Offers(PipelineKind kind) => kind switch
    {
        PipelineKind.Image => true,
        PipelineKind.FromMask => HasControlNet(),
        PipelineKind.Mask => HasMaskModel(),
        _ => HasControlNet() && (HasMaskDatabase || HasMaskModel()),
    };

    private bool HasControlNet() => Settings.ControlnetDef is not null && Has(Settings.TrainedControlnetPath);

    private bool HasMaskModel() =>
        Settings.MaskGenerationDiffusionDef is not null && Has(Settings.TrainedMaskGenerationAutoencoderPath) && Has(Settings.TrainedMaskGenerationDiffusionPath);

    private bool Has(string? file) => !string.IsNullOrEmpty(file) && File.Exists(_rules.File(file));
}
