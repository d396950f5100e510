// The ControlNet training of NV-Generate-CTMR, scripts/train_controlnet.py; Guo et al., "MAISI", arXiv:2409.11169; Zhang et al.,
// "ControlNet", arXiv:2302.05543.
using System.Text.Json;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>
/// The target maisi_bridge.ControlNetTrainer: trains a ControlNet under a frozen diffusion UNet, with heavier lesions and, if asked for, the
/// region-contrastive loss, and writes {exp_name}_current.pt after every epoch and {exp_name}_best.pt after the best.
/// </summary>
public sealed class BundleControlNetTrainer
{
    private const string Name = "controlnet";
    private const double WeightDecay = 0.01;
    private const int WeightStream = 102, StepStream = 3, OrderStream = 9;

    private readonly DiffusionModelUNetMaisi _unet;
    private readonly ControlNetMaisi _network;
    private readonly DiffusionObjective _objective;
    private readonly IReadOnlyList<TrainingRecord> _training;
    private readonly ControlNetTrainSection _section;
    private readonly string _diffusionPath, _experiment;
    private readonly string? _start;
    private readonly IReadOnlyDictionary<string, int> _mapping;
    private readonly TrainerHost _host;

    internal BundleControlNetTrainer(
        DiffusionModelUNetMaisi unet, ControlNetMaisi network, Scheduler scheduler, IReadOnlyList<TrainingRecord> records, ControlNetTrainSection section,
        string diffusionPath, string? start, string experiment, IReadOnlyDictionary<string, int> mapping, TrainerHost host)
    {
        (_unet, _network, _objective, _section) = (unet, network, new DiffusionObjective(scheduler), section);
        (_diffusionPath, _start, _experiment, _mapping, _host) = (diffusionPath, start, experiment, mapping, host);
        _training = [.. records.Where(r => r.Fold != section.Fold)];
        if (_training.Count == 0)
            throw new MaisiException($"Every case is in fold {section.Fold}, which is held back.", "controlnet_train.fold", "Choose another fold, or add cases.");
    }

    /// <summary>Trains; the checkpoints are the result.</summary>
    /// <exception cref="MaisiException">Data, weights or options are wrong, or the loss is not finite.</exception>
    public void Run()
    {
        var order = new EpochOrder(_training.Count, _section.BatchSize, SampleSeed.Of(_host.Seed, OrderStream));
        var settings = _section.Settings(Name, _training.Count, order.Batches, decoupled: true, WeightDecay, _host.Cuda);
        settings = settings with { ValidateEvery = settings.StepsPerEpoch };
        settings.Check(_host.Device);
        var scale = Prepare();
        var (store, log) = _host.Open(Name, _section.Resume, Identity(), _network);
        using var _ = log;
        var random = new TrainingRandom(SampleSeed.Of(_host.Seed, StepStream));
        var cases = new PartialCache<LatentCase>(i => LatentCase.Read(_training[i], _mapping), _training.Count, _section.CacheRate);
        using var batches = new BatchLoader<LatentBatch>(n => LatentBatch.Of([.. order.Batch(n).Select(b => cases[b.Case])]), (long)settings.Iterations * settings.Accumulate);
        var learner = new Learner("", _network.parameters(), settings);
        using (var stage = new TrainingStage(settings, [learner], random)
        {
            Log = log,
            Validate = m => m.EpochLoss, // upstream's best epoch is the one with the smallest mean of the training loss
            Checkpoint = Export,
        })
        {
            stage.Run(Body, store, _host.Epochs(settings), _host.Cancellation);
            Export(stage.Moment with { Best = false });
        }
        _network.eval();
        var samples = new SamplePictures(_unet, _network, _objective.Scheduler, scale);
        _host.Finish(store, log, "ControlNet training", samples.Of(cases[0], _host.Device, _host.Seed));

        void Body(TrainingStep step)
        {
            using var batch = batches.Take(step.Batch);
            var images = batch.Latents.to(_host.Device) * scale;
            var labels = batch.Labels!.to(_host.Device);
            var noised = _objective.Corrupt(images, random);
            step.Show(("latents", images), ("labels", labels), ("noisy", noised.Noisy), ("timesteps", noised.Timesteps));
            step.Learn(learner, "loss", Loss(step, settings, batch, labels, noised));
        }
    }

    private Tensor Loss(TrainingStep step, StageSettings settings, LatentBatch batch, Tensor labels, DiffusionBatch noised)
    {
        var predicted = Predict(settings, batch, labels, noised);
        var loss = _section.WeightedLoss > 1
            ? ControlNetLosses.WeightedL1(predicted, noised.Target, ControlNetLosses.Weights(labels, predicted, _section.WeightedLossLabel, _section.WeightedLoss))
            : (predicted - noised.Target).abs().mean();
        if (!_section.UseRegionContrasiveLoss)
            return loss;
        var healthy = ControlNetLosses.Healthy(labels);
        var without = Predict(settings, batch, healthy, noised);
        var (contrast, outside) = ControlNetLosses.RegionContrast(
            predicted, without, noised.Target, ControlNetLosses.Regions(labels, healthy), _section.RegionContrasiveLossDelta, perCase: !_section.Parity);
        step.Note("region_contrast", contrast);
        step.Note("region_outside", outside);
        return loss + ((contrast + outside) * _section.RegionContrasiveLossWeight);
    }

    private Tensor Predict(StageSettings settings, LatentBatch batch, Tensor labels, DiffusionBatch noised)
    {
        using var autocast = settings.Autocast(_host.Device);
        var takesRegions = _unet.named_children().Any(c => c.name == "top_region_index_layer");
        var (top, bottom) = takesRegions ? batch.Regions(_host.Device) : default;
        var classes = _unet.Shape.ClassEmbeds is null ? null : tensor(batch.Modalities).to(_host.Device);
        var residuals = _network.call(noised.Noisy, noised.Timesteps, ConditionPlanes.Of(labels), new ControlNetConditions { ClassLabels = classes });
        return _unet.call(noised.Noisy, noised.Timesteps, new UNetConditions
        {
            Spacing = batch.Spacing(_host.Device),
            TopRegionIndex = top,
            BottomRegionIndex = bottom,
            ClassLabels = classes,
            DownBlockAdditionalResiduals = residuals.Down,
            MidBlockAdditionalResidual = residuals.Mid,
        }).to(ScalarType.Float32);
    }

    /// <summary>Loads and freezes the UNet, and starts the ControlNet from it or from weights of its own.</summary>
    /// <returns>The scale factor of the latents.</returns>
    private double Prepare()
    {
        TrainerHost.RequireWeights(_diffusionPath, "diffusion UNet");
        using (var file = CheckpointFile.Open(_diffusionPath))
        {
            StateDictLoader.Load(_unet, file.StateDict("unet_state_dict"), _diffusionPath);
            foreach (var parameter in _unet.parameters())
                parameter.requires_grad = false;
            _unet.eval();
            _host.Initialise(_network, null, null, WeightStream);
            StateDictLoader.CopyMatching(_network, _unet);
            if (_start is not null)
                _host.Initialise(_network, _start, "controlnet_state_dict", WeightStream);
            _network.train();
            return file.Number("scale_factor")
                ?? throw new MaisiException("The diffusion checkpoint has no scale_factor.", _diffusionPath, "Take one that a diffusion training wrote.");
        }
    }

    private IEnumerable<string> Identity() =>
    [
        JsonSerializer.Serialize(_section with { Resume = false }, SectionJson.Default.ControlNetTrainSection), .. _training.Select(r => r.Image), _diffusionPath, _start ?? "",
    ];

    private void Export(StageMoment moment)
    {
        Save($"{_experiment}_current.pt");
        if (!moment.Best)
            return;
        Save($"{_experiment}_best.pt");
        _host.Output.WriteLine(FormattableString.Invariant($"best so far: {_experiment}_best.pt, loss {moment.EpochLoss:F5}"));

        void Save(string name) => TorchFile.SaveNetwork(_host.File(name), _network, "controlnet_state_dict", new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["epoch"] = (long)moment.Epoch,
            ["loss"] = moment.EpochLoss,
        });
    }
}
