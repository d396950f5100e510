// The diffusion training of NV-Generate-CTMR, scripts/diff_model_train.py; Guo et al., "MAISI", arXiv:2409.11169.
using System.Text.Json;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>
/// The target maisi_bridge.DiffusionTrainer: encodes the images of a datalist, trains MAISI's diffusion UNet on the latents and writes its
/// checkpoint after every epoch.
/// </summary>
public sealed class BundleDiffusionTrainer
{
    private const string Name = "diffusion_unet";
    private const int WeightStream = 101, StepStream = 2, OrderStream = 7, LatentStream = 8;

    private readonly AutoencoderKlMaisi _autoencoder;
    private readonly DiffusionModelUNetMaisi _network;
    private readonly DiffusionObjective _objective;
    private readonly IReadOnlyList<TrainingRecord> _training;
    private readonly DiffusionTrainSection _section;
    private readonly DiffusionPlaces _places;
    private readonly IReadOnlyDictionary<string, int> _mapping;
    private readonly TrainerHost _host;

    internal BundleDiffusionTrainer(
        AutoencoderKlMaisi autoencoder, DiffusionModelUNetMaisi network, Scheduler scheduler, IReadOnlyList<TrainingRecord> training,
        DiffusionTrainSection section, DiffusionPlaces places, IReadOnlyDictionary<string, int> mapping, TrainerHost host)
    {
        (_autoencoder, _network, _objective, _training) = (autoencoder, network, new DiffusionObjective(scheduler), training);
        (_section, _places, _mapping, _host) = (section, places, mapping, host);
    }

    /// <summary>Encodes the images that have no latent yet; failures are told and left out.</summary>
    /// <returns>Latents written.</returns>
    public int CreateLatents()
    {
        TrainerHost.RequireWeights(_places.Autoencoder, "autoencoder");
        TrainingRecord.Require(_training, _places.Images);
        StateDictLoader.Load(_autoencoder, _places.Autoencoder);
        var extraction = new LatentExtraction(_autoencoder, _section.DimMultiple, _section.Parity, _host.Device, SampleSeed.Of(_host.Seed, LatentStream));
        var (written, failed) = extraction.Run(_training, "ct", _places.Latents, null, _host.Cancellation);
        foreach (var (file, error) in failed)
            _host.Output.WriteLine($"latents: {file}: {error}");
        _host.Output.WriteLine($"latents: {written} written, {_training.Count - written - failed.Count} there already, {failed.Count} failed");
        return written;
    }

    /// <summary>Trains; the checkpoint is the result.</summary>
    /// <exception cref="MaisiException">Data, weights or options are wrong, or the loss is not finite.</exception>
    public void Run()
    {
        List<string> latents = [.. _training.Select(r => LatentExtraction.FileOf(r.Name, _places.Latents)).Where(File.Exists)];
        if (latents.Count == 0)
            throw new MaisiException("There is no latent to learn from.", _places.Latents, "Call create_latents() first.");
        var order = new EpochOrder(latents.Count, _section.BatchSize, SampleSeed.Of(_host.Seed, OrderStream));
        var settings = _section.Settings(Name, latents.Count, order.Batches, decoupled: false, weightDecay: 0, _host.Cuda);
        settings.Check(_host.Device);
        _host.Initialise(_network, _places.Start, "unet_state_dict", WeightStream);
        var (store, log) = _host.Open(Name, _section.Resume, Identity(latents), _network);
        using var _ = log;
        _network.train();
        var random = new TrainingRandom(SampleSeed.Of(_host.Seed, StepStream));
        var cases = new PartialCache<LatentCase>(i => LatentCase.Read(latents[i], _mapping), latents.Count, _section.CacheRate);
        using var batches = new BatchLoader<LatentBatch>(n => LatentBatch.Of([.. order.Batch(n).Select(b => cases[b.Case])]), (long)settings.Iterations * settings.Accumulate);
        var scale = ScaleFactor([.. order.Batch(0).Select(b => cases[b.Case])]);
        _host.Output.WriteLine(FormattableString.Invariant($"scale factor of the latents: {scale:F6}"));
        var learner = new Learner("", _network.parameters(), settings);
        using (var stage = new TrainingStage(settings, [learner], random)
        {
            Log = log,
            Checkpoint = m => Export(m, scale),
            CheckpointEvery = settings.StepsPerEpoch,
        })
        {
            stage.Run(Body, store, _host.Epochs(settings), _host.Cancellation);
            Export(stage.Moment, scale);
        }
        _network.eval();
        var samples = new SamplePictures(_network, null, _objective.Scheduler, scale);
        _host.Finish(store, log, "Diffusion training", samples.Of(cases[0], _host.Device, _host.Seed, Decoder()));

        void Body(TrainingStep step)
        {
            using var batch = batches.Take(step.Batch);
            var images = batch.Latents.to(_host.Device) * scale;
            var (noisy, timesteps, target) = _objective.Corrupt(images, random);
            step.Show(("latents", images), ("noisy", noisy), ("timesteps", timesteps));
            Tensor loss;
            using (settings.Autocast(_host.Device))
                loss = (_network.call(noisy, timesteps, Conditions(batch, random)).to(ScalarType.Float32) - target).abs().mean();
            step.Learn(learner, "loss", loss);
        }
    }

    /// <summary>1 / standard deviation of the first batch's latents.</summary>
    internal static double ScaleFactor(IReadOnlyList<LatentCase> cases)
    {
        using var scope = NewDisposeScope();
        using var batch = LatentBatch.Of(cases);
        return 1 / batch.Latents.std().ToDouble();
    }

    /// <summary>
    /// Kinds of CT (2 to 7) become CT (1), kinds of MR (9 and more) become MR (8), anything becomes unknown (0), each with a probability.
    /// </summary>
    /// <param name="codes">The codes.</param>
    /// <param name="probability">The probability of each of the three.</param>
    /// <param name="draw">A number in [0, 1) for a change (0, 1 or 2) of a code by its index.</param>
    internal static long[] AugmentModalities(IReadOnlyList<long> codes, double probability, Func<int, int, double> draw) => [.. codes.Select((code, i) =>
    {
        var (ct, mr, known) = (draw(0, i) < probability, draw(1, i) < probability, draw(2, i) > probability);
        return !known ? 0 : ct && code is >= 2 and < 8 ? 1 : mr && code >= 9 ? 8 : code;
    })];

    private UNetConditions Conditions(LatentBatch batch, TrainingRandom random)
    {
        var takesRegions = _network.named_children().Any(c => c.name == "top_region_index_layer");
        var (top, bottom) = takesRegions ? batch.Regions(_host.Device) : default;
        return new UNetConditions
        {
            Spacing = batch.Spacing(_host.Device),
            TopRegionIndex = top,
            BottomRegionIndex = bottom,
            ClassLabels = _network.Shape.ClassEmbeds is null ? null
                : tensor(AugmentModalities(batch.Modalities, _section.ModalityAugmentation, (_, _) => random.NextDouble())).to(_host.Device),
        };
    }

    /// <summary>The autoencoder for the report's pictures; null where its weights are elsewhere, since latents may come from another machine.</summary>
    private AutoencoderKlMaisi? Decoder()
    {
        if (!File.Exists(_places.Autoencoder))
            return null;
        StateDictLoader.Load(_autoencoder, _places.Autoencoder);
        return _autoencoder;
    }

    private IEnumerable<string> Identity(IEnumerable<string> latents) =>
        [JsonSerializer.Serialize(_section with { Resume = false }, SectionJson.Default.DiffusionTrainSection), .. latents, _places.Start ?? ""];

    private void Export(StageMoment moment, double scale)
    {
        using var factor = tensor((float)scale);
        TorchFile.SaveNetwork(_host.File(_places.File), _network, "unet_state_dict", new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["epoch"] = (long)moment.Epoch,
            ["loss"] = moment.EpochLoss,
            ["num_train_timesteps"] = (long)_objective.Scheduler.NumTrainTimesteps,
            ["scale_factor"] = factor,
        });
    }
}

/// <summary>Where a diffusion training reads and writes.</summary>
/// <param name="Autoencoder">The autoencoder's weights.</param>
/// <param name="Images">The datalist, for errors.</param>
/// <param name="Latents">The folder of the latents.</param>
/// <param name="Start">The UNet's first weights; null for random ones.</param>
/// <param name="File">The checkpoint's name in the model folder.</param>
internal sealed record DiffusionPlaces(string Autoencoder, string Images, string Latents, string? Start, string File);
