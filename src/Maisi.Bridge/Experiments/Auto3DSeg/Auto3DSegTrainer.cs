using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Maisi.Bridge.Python;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maisi.Bridge.Experiments;

/// <summary>
/// MONAI's Auto3DSeg as a trainer. Each stage is a call into a Python process of its own: the analysis with the generation of the
/// algorithms once per arm and seed, then the training and the validation of each fold, then the ensemble. Auto3DSeg is handed images,
/// label maps and folds alone; it never sees a label map of the test set.
/// </summary>
internal sealed class Auto3DSegTrainer : ISegmentationTrainer
{
    private const string Module = "maisi_bridge.auto3dseg.stages", Ready = "prepared.json";
    private readonly ExperimentConfig _config;
    private readonly Auto3DSegSection _section;
    private readonly ExperimentPlan _plan;
    private readonly ExperimentFolder _folder;
    private readonly Auto3DSegFiles _files;
    private readonly Dictionary<string, PythonRuntime> _runtimes;
    private readonly SemaphoreSlim _preparing = new(1, 1);

    public Auto3DSegTrainer(ExperimentConfig config, ExperimentPlan plan, ExperimentFolder folder)
    {
        (_config, _section, _plan, _folder) = (config, config.Auto3dseg!, plan, folder);
        if (folder.Root.Any(char.IsWhiteSpace))
            throw new MaisiException("The experiment's folder has a blank in its path, at which Auto3DSeg splits its command lines.", folder.Root, "Choose another --output.");
        if (!Directory.Exists(config.PathOf(_section.Templates)))
            throw new MaisiException("There are no algorithm templates.", config.PathOf(_section.Templates), "Clone Project-MONAI/research-contributions and name its auto3dseg/algorithm_templates in auto3dseg.templates.");
        _files = new Auto3DSegFiles(config, plan, folder);
        _runtimes = config.Devices.ToDictionary(d => d, Runtime, StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public async Task<TrainedUnit> TrainAsync(TrainingUnit unit, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var versions = await PrepareAsync(unit.Arm, unit.Seed, unit.Device, progress, cancellation);
        var clock = Stopwatch.StartNew();
        var curve = new List<CurvePoint>();
        var work = Work(unit.Arm, unit.Seed);
        var limits = new PythonCallOptions { Timeout = _section.FoldTimeout is { } seconds ? TimeSpan.FromSeconds(seconds) : null };
        var steps = _files.Steps(unit.Fold);
        double trained = 0;
        foreach (var algorithm in _section.Algorithms)
        {
            var folder = Path.Combine(work, $"{algorithm}_{unit.Fold.Fold}");
            // A training that was killed starts its fold anew: what it appended to its history would be read as this one's.
            var model = Path.Combine(folder, "model");
            if (Directory.Exists(model))
                Directory.Delete(model, recursive: true);
            var scalars = await CallAsync(unit.Device, "train", [folder, (long)(unit.Seed & long.MaxValue)], limits, progress, cancellation);
            curve.AddRange(Curve(scalars.AsArray(), _files.StepsPerEpoch(unit.Fold)));
            trained += clock.Elapsed.TotalSeconds;
            var output = Path.Combine(folder, "prediction_validation");
            await CallAsync(unit.Device, "validate", [folder, output], limits, progress, cancellation);
            clock.Restart();
        }
        var best = Path.Combine(work, $"{_section.Algorithms[0]}_{unit.Fold.Fold}", "prediction_validation");
        foreach (var id in unit.Fold.Validation)
            File.Copy(Path.Combine(best, Auto3DSegFiles.ImageOf(id)), _folder.Make($"{unit.Folder}/validation/{id}.nii.gz"), overwrite: true);
        return new TrainedUnit(Math.Round(trained, 1), null, steps, [], curve, versions);
    }

    /// <inheritdoc/>
    public async Task TestAsync(ArmKind arm, ulong seed, IReadOnlyList<UnitResult> units, string device, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var work = Work(arm, seed);
        await CallAsync(device, "ensemble", [work, device == "cpu" ? "cpu" : Number(device)], new PythonCallOptions(), progress, cancellation);
        foreach (var id in _plan.Test)
            File.Copy(Path.Combine(work, "ensemble_output", $"{id}_ensemble.nii.gz"), _folder.Make($"{ExperimentFolder.Test(arm, seed)}/{id}.nii.gz"), overwrite: true);
    }

    /// <inheritdoc/>
    public void Forget(TrainingUnit unit)
    {
        // The templates keep no state apart from the checkpoints, which the ensemble needs.
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var runtime in _runtimes.Values)
            await runtime.DisposeAsync();
        _preparing.Dispose();
    }

    private async Task<IReadOnlyDictionary<string, string>> PrepareAsync(ArmKind arm, ulong seed, string device, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        await _preparing.WaitAsync(cancellation);
        try
        {
            var ready = Path.Combine(Work(arm, seed), Ready);
            if (!File.Exists(ready))
            {
                var stats = _files.Statistics;
                if (!File.Exists(stats) && arm != _config.Arms[0])
                    await PrepareAsync(_config.Arms[0], _config.Seeds[0], device, ready: null, progress, cancellation);
                await PrepareAsync(arm, seed, device, ready, progress, cancellation);
            }
            return JsonSerializer.Deserialize(await File.ReadAllBytesAsync(ready, cancellation), Auto3DSegJson.Default.DictionaryStringString)!;
        }
        finally
        {
            _preparing.Release();
        }
    }

    // Intensity bounds, spacing and default epochs come from the data: all arms take those of the first arm.
    private async Task PrepareAsync(ArmKind arm, ulong seed, string device, string? ready, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var work = Work(arm, seed);
        if (Directory.Exists(work))
            Directory.Delete(work, recursive: true);
        var settings = _files.Settings(arm, work, device);
        var versions = await CallAsync(device, "prepare", [settings], new PythonCallOptions(), progress, cancellation);
        if (!File.Exists(_files.Statistics))
            File.Copy(Path.Combine(work, "datastats.yaml"), _files.Statistics);
        AtomicFile.Write(ready ?? Path.Combine(work, Ready), stream => stream.Write(JsonSerializer.SerializeToUtf8Bytes(versions, Auto3DSegJson.Default.JsonNode)));
    }

    private async Task<JsonNode> CallAsync(
        string device, string function, object?[] arguments, PythonCallOptions limits, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var told = progress is null ? null : new Told(function, progress);
        var text = (string?)await _runtimes[device].CallAsync($"{Module}:{function}", PythonArguments.Of(arguments), told, limits, cancellation);
        return JsonNode.Parse(text!)!;
    }

    private PythonRuntime Runtime(string device)
    {
        var options = new PythonOptions { HeartbeatTimeout = TimeSpan.FromMinutes(10) };
        foreach (var path in _section.PythonPath)
            options.Paths.Add(_config.PathOf(path));
        options.Environment["CUDA_VISIBLE_DEVICES"] = device == "cpu" ? "" : Number(device);
        options.Environment["MPLBACKEND"] = "Agg";
        options.Modules.Add("torch");
        options.Modules.Add("nibabel");
        return new PythonRuntime(options, NullLoggerFactory.Instance, TimeProvider.System);
    }

    private string Work(ArmKind arm, ulong seed) => _folder.Make($"{ExperimentFolder.Ensemble(arm, seed)}/auto3dseg");

    private static string Number(string device) => device[(device.IndexOf(':', StringComparison.Ordinal) + 1)..];

    private static IEnumerable<CurvePoint> Curve(JsonArray scalars, int stepsPerEpoch) => scalars.Select(s => s!.AsArray()).Select(s => (Tag: s[0]!.GetValue<string>(), Epoch: s[1]!.GetValue<int>(), Value: s[2]!.GetValue<double>()))
        .Where(s => s.Tag is "train/loss" or "val/acc").Select(s => new CurvePoint(s.Tag == "val/acc" ? "dice" : "loss", (s.Epoch + 1) * stepsPerEpoch, s.Value));

    private sealed class Told(string stage, IProgress<WorkProgress> target) : IProgress<PythonProgress>
    {
        public void Report(PythonProgress value) => target.Report(new WorkProgress(
            stage, (long)(100 * (value.Fraction ?? 0)), 100, null, string.Join(", ", value.Values.Select(v => FormattableString.Invariant($"{v.Key} {v.Value:F4}")))));
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(Dictionary<string, string>))]
[System.Text.Json.Serialization.JsonSerializable(typeof(JsonNode))]
internal sealed partial class Auto3DSegJson : System.Text.Json.Serialization.JsonSerializerContext;
