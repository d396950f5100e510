using System.IO.Compression;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Training;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Experiments;

/// <summary>The trainer of this program: SegResNet with deep supervision. Cases are read once and shared by all trainings.</summary>
internal sealed class SegResNetTrainer(ExperimentConfig config, ExperimentPlan plan, ExperimentFolder folder) : ISegmentationTrainer
{
    private const string Model = "model.safetensors", Network = "network.json", Log = "training";
    private const int MostPoints = 60;
    private readonly Dictionary<string, ExperimentCase> _cases = plan.Cases.ToDictionary(c => c.CaseId, StringComparer.Ordinal);
    private readonly Dictionary<string, PreparedCase> _prepared = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <inheritdoc/>
    public Task<TrainedUnit> TrainAsync(TrainingUnit unit, IProgress<WorkProgress>? progress, CancellationToken cancellation) =>
        OnOwnThread(() => Train(unit, progress, cancellation));

    /// <inheritdoc/>
    public Task TestAsync(ArmKind arm, ulong seed, IReadOnlyList<UnitResult> units, string device, IProgress<WorkProgress>? progress, CancellationToken cancellation) =>
        OnOwnThread(() =>
        {
            var models = units.SelectMany(u => u.Models).Select(m => Path.Combine(folder.Root, m)).ToList();
            var fold = new SegResNetFold(config.Segresnet, Task(arm, seed, plan.Arms[0].Folds[0], device), config.Classes);
            Predict(fold, models, plan.Test, ExperimentFolder.Test(arm, seed), "test", progress, cancellation);
            return true;
        });

    /// <inheritdoc/>
    public void Forget(TrainingUnit unit) => SegResNetFold.Forget(Path.Combine(folder.Root, unit.Folder, Log));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private TrainedUnit Train(TrainingUnit unit, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var fold = new SegResNetFold(config.Segresnet, Task(unit.Arm, unit.Seed, unit.Fold, unit.Device), config.Classes);
        // All cases are read before anything is trained, those of the test set too: a damaged file is told now, and not after the last fold.
        foreach (var item in plan.Cases)
            Prepared(item.CaseId, progress, cancellation);
        var training = unit.Fold.TrainReal.Concat(unit.Fold.TrainSynthetic).Select(id => Prepared(id, progress, cancellation)).ToList();
        var validation = unit.Fold.Validation.Select(id => Prepared(id, progress, cancellation)).ToList();
        var model = $"{unit.Folder}/{Model}";
        var state = folder.Make($"{unit.Folder}/{Log}");
        var summary = fold.Train(training, validation, folder.Make(model), state, progress, cancellation);
        // Beside the weights, what 'maisi evaluate consistency' needs to apply them to other images.
        config.Segresnet.Described(Model, config.Classes).Save(folder.Make($"{unit.Folder}/{Network}"));
        Predict(fold, [Path.Combine(folder.Root, model)], unit.Fold.Validation, $"{unit.Folder}/validation", "validate", progress, cancellation);
        var curve = Curve(Path.Combine(state, TrainingLog.Table));
        return new TrainedUnit(summary.Seconds, summary.ProcessorSeconds, summary.Iterations, [model], curve, ProgramInfo.Versions());
    }

    // All arms of a fold start from the same weights and draw by the same numbers.
    private SegResNetTask Task(ArmKind arm, ulong seed, FoldPlan fold, string device) => new(
        fold.Steps, config.Budget.BatchSize, fold.Validations, SampleSeed.Of(seed, fold.Fold),
        arm == ArmKind.RealAugmented ? SegmentationAugmentation.Classical : SegmentationAugmentation.Light, device);

    private void Predict(
        SegResNetFold fold, IReadOnlyList<string> models, IReadOnlyList<string> cases, string target, string stage, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var (predictor, networks) = fold.Predictor(models);
        using (networks)
        {
            var clock = new StageClock(stage, cases.Count, progress);
            foreach (var (id, i) in cases.Select((id, i) => (id, i)))
            {
                var file = folder.Make($"{target}/{id}.nii.gz");
                if (!File.Exists(file))
                    VolumeFile.Write(predictor.OnImageGrid(Prepared(id, null, cancellation), cancellation), file, CompressionLevel.Fastest);
                clock.Report(i + 1);
            }
        }
    }

    private PreparedCase Prepared(string id, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        lock (_gate)
        {
            cancellation.ThrowIfCancellationRequested();
            if (_prepared.TryGetValue(id, out var known))
                return known;
            var item = _cases[id];
            var read = PreparedCase.Read(id, item.Image, item.Label, config.Classes, config.Segresnet);
            if (config.Data.RequireAllClasses && item is { Synthetic: false, Test: false })
                Require(item, read);
            _prepared[id] = read;
            progress?.Report(new WorkProgress("read", _prepared.Count, _cases.Count, null));
            return read;
        }
    }

    private void Require(ExperimentCase item, PreparedCase read)
    {
        var missing = Enumerable.Range(1, config.Classes.Length).Where(c => read.Centres[c].Length == 0).Select(c => config.Classes[c - 1].Name).ToList();
        if (missing.Count > 0)
        {
            throw new ExperimentException($"The case '{item.CaseId}' has no voxel of {string.Join(", ", missing)}.", item.Where,
                "What was not contoured is not background: leave the case out, or set data.require_all_classes to false where it is truly absent.");
        }
    }

    private static IReadOnlyList<CurvePoint> Curve(string table)
    {
        var log = TrainingLog.Read(table);
        var loss = log.Where(e => e.Name == "loss").ToList();
        var points = loss.Chunk(Math.Max(1, (loss.Count + MostPoints - 1) / MostPoints)).Select(c => new CurvePoint("loss", c[^1].Step, c.Average(e => e.Value)));
        return [.. points, .. log.Where(e => e.Name == "validation").Select(e => new CurvePoint("dice", e.Step, 1 - e.Value))];
    }

    // Tensors' scopes belong to a thread.
    private static Task<T> OnOwnThread<T>(Func<T> work) => System.Threading.Tasks.Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
