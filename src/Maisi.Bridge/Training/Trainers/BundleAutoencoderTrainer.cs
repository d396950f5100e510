// The autoencoder training of MAISI (NV-Generate-CTMR, train_vae_tutorial and configs/config_maisi_vae_train.json); Guo et al., arXiv:2409.11169.
using System.Text.Json;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>
/// The target maisi_bridge.AutoencoderTrainer: trains MAISI's autoencoder against a patch discriminator and writes autoencoder.pt,
/// discriminator.pt and, after a validation that is the best so far, autoencoder_epoch{N}.pt.
/// </summary>
public sealed class BundleAutoencoderTrainer
{
    private const string Name = "autoencoder";
    private const int WeightStream = 100, DiscriminatorStream = 103, StepStream = 1, OrderStream = 6, ValidationStream = 4;

    private readonly AutoencoderKlMaisi _network;
    private readonly PatchDiscriminator _discriminator;
    private readonly IReadOnlyList<TrainingRecord> _training, _validation;
    private readonly string _modality;
    private readonly string? _pretrained;
    private readonly AutoencoderTrainSection _section;
    private readonly AugmentationSection _augmentation;
    private readonly TrainerHost _host;
    private readonly AutoencoderTransforms _transforms;

    internal BundleAutoencoderTrainer(
        AutoencoderKlMaisi network, PatchDiscriminator discriminator, IReadOnlyList<TrainingRecord> training, IReadOnlyList<TrainingRecord> validation,
        string modality, string? pretrained, AutoencoderTrainSection section, AugmentationSection augmentation, TrainerHost host)
    {
        (_network, _discriminator, _training, _validation) = (network, discriminator, training, validation);
        (_modality, _pretrained, _section, _augmentation, _host) = (modality, pretrained, section, augmentation, host);
        _transforms = new AutoencoderTransforms(augmentation, section.PatchSize, section.ValPatchSize, network.Downsampling, section.Parity);
        if (section.PatchSize is not { Length: 3 } patch || patch.Any(n => n < network.Downsampling || n % network.Downsampling != 0))
            throw new MaisiException($"patch_size is [{string.Join(", ", section.PatchSize)}].", "autoencoder_train.patch_size", $"Give three multiples of {network.Downsampling}.");
        if (section.ReconLoss is not ("l1" or "l2"))
            throw new MaisiException($"recon_loss is '{section.ReconLoss}'.", "autoencoder_train.recon_loss", "Take l1 or l2.");
    }

    /// <summary>Trains; the checkpoints are the result.</summary>
    /// <exception cref="MaisiException">Data, weights or options are wrong, or a loss is not finite.</exception>
    public void Run()
    {
        var order = new EpochOrder(_training.Count, _section.BatchSize, SampleSeed.Of(_host.Seed, OrderStream));
        var settings = Settings(order);
        settings.Check(_host.Device);
        _host.Initialise(_network, _pretrained, null, WeightStream);
        WeightInitialization.DrawDiscriminator(_discriminator, SampleSeed.Of(_host.Seed, DiscriminatorStream));
        var (store, log) = _host.Open(Name, _section.Resume, Identity(), _network, _discriminator);
        using var _ = log;
        _network.train();
        _discriminator.train();
        var random = new TrainingRandom(SampleSeed.Of(_host.Seed, StepStream));
        using var lpips = Perceptual();
        var objective = Objective(lpips);
        var images = new PartialCache<VolumeTensor>(i => _transforms.Load(_training[i].Image, ModalityOf(_training[i])), _training.Count, _section.Cache);
        using var batches = new BatchLoader<Tensor>(n => Batch(order, images, n), (long)settings.Iterations * settings.Accumulate);
        var generator = new Learner("", _network.parameters(), settings);
        var critic = _section.AdvWeight > 0 ? new Learner("discriminator", _discriminator.parameters(), settings) : null;
        using (var stage = new TrainingStage(settings, critic is null ? [generator] : [generator, critic], random)
        {
            Log = log,
            Validate = _validation.Count > 0 ? m => Validation(objective, log, m.Step) : null,
            Checkpoint = Export,
            CheckpointEvery = settings.StepsPerEpoch * _section.ValInterval,
        })
        {
            stage.Run(Body, store, _host.Epochs(settings), _host.Cancellation);
            Export(stage.Moment with { Best = false });
        }
        _host.Finish(store, log, "Autoencoder training", Pictures());

        void Body(TrainingStep step)
        {
            using var batch = batches.Take(step.Batch);
            objective.Learn(step, generator, critic, batch.to(_host.Device), random, settings);
        }
    }

    private StageSettings Settings(EpochOrder order)
    {
        var perEpoch = (order.Batches + (_section.Accumulate ?? 1) - 1) / (_section.Accumulate ?? 1);
        return _section.Over(new StageSettings
        {
            Name = Name,
            Iterations = _section.NEpochs * perEpoch,
            Rate = _section.Lr,
            Decoupled = false,
            Epsilon = _section.Amp ? 1e-6 : 1e-8,
            Schedule = RateSchedule.EpochSteps,
            StepsPerEpoch = perEpoch,
            Precision = _section.Amp && _host.Cuda ? TrainingPrecision.Float16 : TrainingPrecision.Float32,
            InitialScale = 256,
            ScaleGrowth = 1.5,
            ValidateEvery = perEpoch * _section.ValInterval,
        });
    }

    private IEnumerable<string> Identity() =>
    [
        JsonSerializer.Serialize(_section with { Resume = false }, SectionJson.Default.AutoencoderTrainSection),
        JsonSerializer.Serialize(_augmentation, SectionJson.Default.AugmentationSection),
        .. _training.Concat(_validation).Select(r => r.Image), _modality, _pretrained ?? "",
    ];

    private LpipsSqueeze? Perceptual()
    {
        if (_section.PerceptualWeight == 0)
            return null;
        if (_section.PerceptualTrunk is not null || _section.PerceptualLinear is not null)
            return PerceptualNetwork.Load(_section.PerceptualTrunk, _section.PerceptualLinear, _host.Device);
        _host.Output.WriteLine("perceptual loss: left out, since its weights are not given (perceptual_trunk, perceptual_linear)");
        return null;
    }

    private AutoencoderObjective Objective(LpipsSqueeze? lpips) => new(_network, new AutoencoderWeights
    {
        Squared = _section.ReconLoss == "l2",
        Kl = _section.KlWeight,
        Perceptual = _section.PerceptualWeight,
        Adversarial = _section.AdvWeight,
        Parity = _section.Parity,
    }, _discriminator, lpips is null ? null : new SlicePerceptualLoss(lpips, PerceptualNetwork.SliceRatio));

    private string ModalityOf(TrainingRecord record) => record.Modality ?? _modality;

    private Tensor Batch(EpochOrder order, PartialCache<VolumeTensor> images, long number)
    {
        using var scope = NewDisposeScope();
        return cat([.. order.Batch(number).Select(b => _transforms.Patch(images[b.Case], ModalityOf(_training[b.Case]), b.Seed))], 0).DetachFromDisposeScope();
    }

    private double Validation(AutoencoderObjective objective, TrainingLog log, int step)
    {
        var random = new TrainingRandom(SampleSeed.Of(_host.Seed, ValidationStream));
        var deviation = 0.0;
        var mean = _validation.Average(record =>
        {
            using var scope = NewDisposeScope();
            var image = _transforms.Whole(_transforms.Load(record.Image, ModalityOf(record))).to(_host.Device);
            return objective.Validate(image, x =>
            {
                var output = Windows(x, random);
                deviation += output.Mu.std().ToDouble() / _validation.Count;
                return output;
            }, random).ToDouble();
        });
        _host.Output.WriteLine(FormattableString.Invariant($"validation: {mean:F5}, scale factor of the latents {1 / deviation:F4}"));
        log.Add(Name, step, "latent_scale", 1 / deviation);
        return mean;
    }

    /// <summary>The network window by window, evenly blended, as upstream validates.</summary>
    private AutoencoderOutput Windows(Tensor image, TrainingRandom random)
    {
        long[] roi = [.. _section.ValSlidingWindowPatchSize.Zip(image.shape[2..], Math.Min)];
        var outputs = SlidingWindow.Run(image, window =>
        {
            var noise = PhiloxNoise.Normal([1, _network.Shape.LatentChannels, .. window.shape[2..].Select(n => n / _network.Downsampling)], random.NextSeed());
            var (reconstruction, mu, sigma) = _network.Forward(window, noise.to(_host.Device));
            return [reconstruction, mu, sigma];
        }, new SlidingWindowOptions(roi, [0, 0, 0], WindowBlending.Constant));
        return new AutoencoderOutput(outputs[0], outputs[1], outputs[2]);
    }

    private void Export(StageMoment moment)
    {
        TorchFile.SaveNetwork(_host.File("autoencoder.pt"), _network);
        TorchFile.SaveNetwork(_host.File("discriminator.pt"), _discriminator);
        if (!moment.Best)
            return;
        TorchFile.SaveNetwork(_host.File($"autoencoder_epoch{moment.Epoch}.pt"), _network);
        _host.Output.WriteLine($"best so far: autoencoder_epoch{moment.Epoch}.pt");
    }

    private IReadOnlyList<ReportPicture> Pictures()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _network.eval();
        var record = _validation.Count > 0 ? _validation[0] : _training[0];
        var image = _transforms.Load(record.Image, ModalityOf(record));
        var whole = _transforms.Whole(image).to(_host.Device);
        double[] spacing = [.. image.Affine.Spacing];
        return [ReportPictures.Of(record.Name, whole, spacing), ReportPictures.Of($"{record.Name}, reconstructed", Windows(whole, new TrainingRandom(0)).Reconstruction, spacing)];
    }
}
