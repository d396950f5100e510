// The mask autoencoder of MAISI (Guo et al., arXiv:2409.11169).
using System.Text.Json;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>
/// The target maisi_bridge.MaskAutoencoderTrainer: label maps as bit planes to a latent and back to the scores of every class. Writes
/// mask_generation_autoencoder.pt after every epoch.
/// </summary>
public sealed class BundleMaskAutoencoderTrainer
{
    private const string Name = "mask_autoencoder";
    private const int WeightStream = 104, StepStream = 10, OrderStream = 11;

    private readonly AutoencoderKlMaisi _network;
    private readonly IReadOnlyList<TrainingRecord> _training;
    private readonly MaskTrainSection _section;
    private readonly string? _start;
    private readonly MaskCases _cases;
    private readonly TrainerHost _host;

    internal BundleMaskAutoencoderTrainer(
        AutoencoderKlMaisi network, IReadOnlyList<TrainingRecord> training, MaskTrainSection section, IReadOnlyDictionary<string, int[]> remap, string? start, TrainerHost host)
    {
        (_network, _training, _section, _start, _host) = (network, training, section, start, host);
        _cases = new MaskCases(remap, network.Downsampling);
        var classes = remap.Values.Max(p => p[0]) + 1;
        if (network.Shape.InChannels != 8 || network.Shape.OutChannels < classes)
        {
            throw new MaisiException($"The mask autoencoder has {network.Shape.InChannels} input and {network.Shape.OutChannels} output channels, but there are 8 bit planes and {classes} classes.",
                "mask_generation_autoencoder_def", "Set in_channels to 8 and out_channels to the number of classes.");
        }
    }

    /// <summary>Trains; the checkpoint is the result.</summary>
    /// <exception cref="MaisiException">Data, weights or options are wrong, or the loss is not finite.</exception>
    public void Run()
    {
        var order = new EpochOrder(_training.Count, _section.BatchSize, SampleSeed.Of(_host.Seed, OrderStream));
        var settings = _section.Settings(Name, _training.Count, order.Batches, decoupled: false, weightDecay: 0, _host.Cuda);
        settings.Check(_host.Device);
        _host.Initialise(_network, _start, null, WeightStream);
        var (store, log) = _host.Open(Name, _section.Resume, Identity(), _network);
        using var _ = log;
        _network.train();
        var random = new TrainingRandom(SampleSeed.Of(_host.Seed, StepStream));
        var masks = new PartialCache<Tensor>(i => _cases.Read(_training[i].Label ?? _training[i].Image), _training.Count, _section.CacheRate);
        using var batches = new BatchLoader<Tensor>(n => Batch(order, masks, n), (long)settings.Iterations * settings.Accumulate);
        var learner = new Learner("", _network.parameters(), settings);
        using (var stage = new TrainingStage(settings, [learner], random) { Log = log, Checkpoint = _ => Export(), CheckpointEvery = settings.StepsPerEpoch })
        {
            stage.Run(Body, store, _host.Epochs(settings), _host.Cancellation);
            Export();
        }
        _host.Finish(store, log, "Mask autoencoder training", []);

        void Body(TrainingStep step)
        {
            using var batch = batches.Take(step.Batch);
            var classes = batch.to(_host.Device);
            step.Show(("classes", classes));
            Tensor loss;
            using (settings.Autocast(_host.Device))
                loss = MaskAutoencoderLoss.Of(_network, classes, _section.KlWeight, step, random);
            step.Learn(learner, "loss", loss);
        }
    }

    /// <summary>Masks, or the same random box of each where a patch size is set: [B, 1, X, Y, Z].</summary>
    private Tensor Batch(EpochOrder order, PartialCache<Tensor> masks, long number)
    {
        using var scope = NewDisposeScope();
        var parts = order.Batch(number).Select(b =>
        {
            var mask = masks[b.Case].alias();
            if (_section.PatchSize is not { } patch)
                return mask;
            var random = new TrainingRandom(b.Seed);
            for (var axis = 0; axis < 3; axis++)
                mask = mask.narrow(axis + 2, random.Next((int)mask.shape[axis + 2] - patch[axis] + 1), patch[axis]);
            return mask;
        }).ToArray();
        if (parts.Any(p => !p.shape.SequenceEqual(parts[0].shape)))
            throw new MaisiException("The masks of a batch have different sizes.", "batch_size", "Set batch_size to 1 or a patch_size.");
        return cat(parts, 0).DetachFromDisposeScope();
    }

    private IEnumerable<string> Identity() =>
        [JsonSerializer.Serialize(_section with { Resume = false }, SectionJson.Default.MaskTrainSection), .. _training.Select(r => r.Label ?? r.Image), _start ?? ""];

    private void Export() => TorchFile.SaveNetwork(_host.File("mask_generation_autoencoder.pt"), _network);
}
