// The mask diffusion model of MAISI (Guo et al., arXiv:2409.11169): DDPM over latents of label maps, ten anatomy sizes by cross-attention.
using System.Text.Json;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>
/// The target maisi_bridge.MaskDiffusionTrainer: encodes the label maps of a datalist and trains the UNet that samples such latents under
/// ten anatomy sizes. Writes mask_generation_diffusion_unet.pt after every epoch.
/// </summary>
public sealed class BundleMaskDiffusionTrainer
{
    private const string Name = "mask_diffusion";
    private const int WeightStream = 105, StepStream = 12, OrderStream = 13;

    private readonly AutoencoderKlMaisi _autoencoder;
    private readonly DiffusionModelUNet _network;
    private readonly DiffusionObjective _objective;
    private readonly IReadOnlyList<TrainingRecord> _training;
    private readonly MaskTrainSection _section;
    private readonly string _autoencoderPath;
    private readonly string? _start;
    private readonly MaskCases _cases;
    private readonly TrainerHost _host;

    internal BundleMaskDiffusionTrainer(
        AutoencoderKlMaisi autoencoder, string autoencoderPath, DiffusionModelUNet network, Scheduler scheduler, IReadOnlyList<TrainingRecord> training,
        MaskTrainSection section, IReadOnlyDictionary<string, int[]> remap, string? start, TrainerHost host)
    {
        (_autoencoder, _autoencoderPath, _network, _objective) = (autoencoder, autoencoderPath, network, new DiffusionObjective(scheduler));
        (_training, _section, _start, _host) = (training, section, start, host);
        _cases = new MaskCases(remap, autoencoder.Downsampling);
    }

    /// <summary>Trains; the checkpoint is the result.</summary>
    /// <exception cref="MaisiException">Data, weights or options are wrong, or the loss is not finite.</exception>
    public void Run()
    {
        TrainerHost.RequireWeights(_autoencoderPath, "mask autoencoder");
        StateDictLoader.Load(_autoencoder, _autoencoderPath);
        var order = new EpochOrder(_training.Count, _section.BatchSize, SampleSeed.Of(_host.Seed, OrderStream));
        var settings = _section.Settings(Name, _training.Count, order.Batches, decoupled: false, weightDecay: 0, _host.Cuda);
        settings.Check(_host.Device);
        _host.Initialise(_network, _start, "unet_state_dict", WeightStream);
        var (store, log) = _host.Open(Name, _section.Resume, Identity(), _network);
        using var _ = log;
        var sizes = MaskCases.Sizes(_training);
        var latents = _training.Select(Encode).ToList();
        var deviation = cat([.. order.Batch(0).Select(b => latents[b.Case].Mu.reshape(-1))], 0).std().ToDouble();
        var scale = 1 / deviation;
        _host.Output.WriteLine(FormattableString.Invariant($"scale factor of the latents: {scale:F6}"));
        _network.train();
        var random = new TrainingRandom(SampleSeed.Of(_host.Seed, StepStream));
        var learner = new Learner("", _network.parameters(), settings);
        using (var stage = new TrainingStage(settings, [learner], random) { Log = log, Checkpoint = m => Export(m, scale), CheckpointEvery = settings.StepsPerEpoch })
        {
            stage.Run(Body, store, _host.Epochs(settings), _host.Cancellation);
            Export(stage.Moment, scale);
        }
        _host.Finish(store, log, "Mask diffusion training", []);

        void Body(TrainingStep step)
        {
            (LatentDistribution, float[])[] batch = [.. order.Batch(step.Batch).Select(b => (latents[b.Case], sizes[b.Case]))];
            step.Learn(learner, "loss", MaskDiffusionLoss.Of(_network, _objective, batch, scale, settings, step, random, _host.Device));
        }
    }

    private LatentDistribution Encode(TrainingRecord record)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _autoencoder.eval();
        using var classes = _cases.Read(record.Label ?? record.Image);
        var (mu, sigma) = _autoencoder.Encode(ConditionPlanes.Of(classes).to(_host.Device));
        return new LatentDistribution(mu.MoveToOuterDisposeScope(), sigma.MoveToOuterDisposeScope());
    }

    private IEnumerable<string> Identity() =>
    [
        JsonSerializer.Serialize(_section with { Resume = false }, SectionJson.Default.MaskTrainSection), .. _training.Select(r => r.Label ?? r.Image), _autoencoderPath, _start ?? "",
    ];

    private void Export(StageMoment moment, double scale)
    {
        using var factor = tensor((float)scale);
        TorchFile.SaveNetwork(_host.File("mask_generation_diffusion_unet.pt"), _network, "unet_state_dict", new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["epoch"] = (long)moment.Epoch,
            ["loss"] = moment.EpochLoss,
            ["num_train_timesteps"] = (long)_objective.Scheduler.NumTrainTimesteps,
            ["scale_factor"] = factor,
        });
    }
}
