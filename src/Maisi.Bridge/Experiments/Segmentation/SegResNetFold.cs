using System.Security.Cryptography;
using System.Text;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Evaluation;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Runtime;
using Maisi.Bridge.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Experiments;

/// <summary>What one training of the native trainer is told.</summary>
/// <param name="Steps">Optimizer steps.</param>
/// <param name="BatchSize">Patches per step.</param>
/// <param name="Validations">Validations in all; the weights of the best one are kept.</param>
/// <param name="Seed">Seed of weights and patches.</param>
/// <param name="Augmentation">How patches are varied.</param>
/// <param name="Device">Where to compute.</param>
internal sealed record SegResNetTask(int Steps, int BatchSize, int Validations, ulong Seed, SegmentationAugmentation Augmentation, string Device);

/// <summary>
/// Trains a SegResNet with deep supervision on some cases and validates it on others. Progress is saved about once a minute; a training
/// that was stopped goes on and ends with the very weights of an undisturbed one.
/// </summary>
internal sealed class SegResNetFold(SegResNetOptions options, SegResNetTask task, IReadOnlyList<ExperimentClass> classes)
{
    private const string Stage = "segresnet";
    private readonly byte[] _mirror = ClassMap.Mirror(classes);
    private readonly Device _device = ComputeDevice.Parse(task.Device, "devices");

    /// <summary>Forgets the state of a training whose results are in place; its log stays.</summary>
    public static void Forget(string state)
    {
        if (Directory.Exists(StateOf(state)))
            Directory.Delete(StateOf(state), recursive: true);
    }

    /// <summary>Trains and writes the weights of the best validation.</summary>
    /// <param name="training">Cases to learn from.</param>
    /// <param name="validation">Cases to choose the weights by.</param>
    /// <param name="model">The safetensors file to write.</param>
    /// <param name="state">Folder of the unfinished training and of its log.</param>
    public StageSummary Train(
        IReadOnlyList<PreparedCase> training, IReadOnlyList<PreparedCase> validation, string model, string state, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        options.Check();
        using var network = Create();
        WeightInitialization.Draw(network, SampleSeed.Of(task.Seed, 0));
        network.to(_device);
        network.train();
        var store = TrainingStore.Open(StateOf(state), Fingerprint(training, validation), resume: true);
        using var log = new TrainingLog(state);
        var random = new TrainingRandom(SampleSeed.Of(task.Seed, 1));
        var settings = Settings();
        var learner = new Learner("", network.parameters(), settings);
        var sampler = new PatchSampler(training, options, _mirror, task.Augmentation);
        using var stage = new TrainingStage(settings, [learner], random) { Log = log, Validate = _ => 1 - MeanDice(network, validation, cancellation) };
        var summary = stage.Run(step => Learn(step, learner, network, sampler, random, settings), store, progress, cancellation);
        SafetensorsFile.Save(model, network.state_dict());
        log.Flush();
        TensorRuntime.EmptyCache(_device);
        return summary;
    }

    /// <summary>A predictor with the weights of some trainings.</summary>
    /// <param name="models">Files that <see cref="Train"/> wrote.</param>
    public (SegmentationPredictor Predictor, IDisposable Networks) Predictor(IReadOnlyList<string> models)
    {
        var networks = models.Select(model =>
        {
            var network = Create();
            StateDictLoader.Load(network, model);
            network.to(_device);
            network.eval();
            return network;
        }).ToList();
        return (new SegmentationPredictor(networks, options, _mirror, _device), new Owned(networks));
    }

    private static string StateOf(string folder) => Path.Combine(folder, "state");

    private SegResNetDS Create() => new(options.Network(classes.Count));

    private StageSettings Settings() => options.Over(new StageSettings
    {
        Name = Stage,
        Iterations = task.Steps,
        Rate = options.Lr,
        WeightDecay = options.WeightDecay,
        Schedule = RateSchedule.WarmupCosine,
        ClipNorm = 5,
        EmaDecay = 0.99,
        // As many as there are: the training never ends early, and the best weights are kept.
        Patience = task.Validations,
        ValidateEvery = Math.Max(1, task.Steps / task.Validations),
    });

    private void Learn(TrainingStep step, Learner learner, SegResNetDS network, PatchSampler sampler, TrainingRandom random, StageSettings settings)
    {
        var size = options.PatchSize;
        var count = size[0] * size[1] * size[2];
        var (image, codes) = (new float[task.BatchSize * count], new long[task.BatchSize * count]);
        for (var b = 0; b < task.BatchSize; b++)
            sampler.Draw(random, image.AsSpan(b * count, count), codes.AsSpan(b * count, count));
        var x = tensor(image, [task.BatchSize, 1, size[0], size[1], size[2]]).to(_device);
        var y = tensor(codes, [task.BatchSize, size[0], size[1], size[2]]).to(_device);
        step.Show(("image", x), ("classes", y));
        Tensor loss;
        using (settings.Autocast(_device))
            loss = DiceCrossEntropy.Supervised(network.call(x), y);
        step.Learn(learner, "loss", loss);
    }

    /// <summary>Mean over cases and classes of the Dice on the network's grid; a class that the truth has not is left out.</summary>
    private double MeanDice(SegResNetDS network, IReadOnlyList<PreparedCase> cases, CancellationToken cancellation)
    {
        network.eval();
        var quick = options with { Mirror = false };
        var predictor = new SegmentationPredictor([network], quick, _mirror, _device);
        var scores = new List<double>();
        int[] labels = [.. Enumerable.Range(1, classes.Count)];
        foreach (var item in cases)
        {
            var found = predictor.OnNetworkGrid(item, options.ValidationOverlap, cancellation);
            var size = (item.Grid.SizeZ, item.Grid.SizeY, item.Grid.SizeX);
            scores.AddRange(SegmentationMetrics.Compute(
                Array.ConvertAll(found, f => (int)f), Array.ConvertAll(item.Classes, c => (int)c), size, [1, 1, 1], labels, new SegmentationOptions { Surfaces = false })
                .Where(s => s.TruthVoxels > 0).Select(s => s.Dice));
        }
        network.train();
        return scores.Count == 0 ? 0 : scores.Average();
    }

    private string Fingerprint(IReadOnlyList<PreparedCase> training, IReadOnlyList<PreparedCase> validation)
    {
        var text = new StringBuilder().Append(task).AppendJoin(',', options.PatchSize).AppendJoin(',', options.BlocksDown).AppendJoin(',', options.Spacing)
            .AppendJoin(',', options.Intensity).Append(options with { PatchSize = [], BlocksDown = [], Spacing = [], Intensity = [] })
            .AppendJoin(',', training.Select(c => c.Id)).Append('|').AppendJoin(',', validation.Select(c => c.Id));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private sealed class Owned(IReadOnlyList<IDisposable> items) : IDisposable
    {
        public void Dispose()
        {
            foreach (var item in items)
                item.Dispose();
        }
    }
}
