using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>
/// Trains the autoencoder of a small bundle: mean absolute error plus a small Kullback-Leibler term; perceptual and adversarial losses
/// where the options ask for them.
/// </summary>
internal sealed class AutoencoderTrainer(AutoencoderKlMaisi network, AutoencoderTrainOptions options, int[] size, ulong seed)
{
    private const float Body = 0.25f;
    private const int MostTries = 32, DiscriminatorStream = 103;
    private const ulong ValidationStream = 4;
    private readonly TrainingRandom _random = new(SampleSeed.Of(seed, 1));

    /// <summary>Where losses are logged.</summary>
    public TrainingLog? Log { get; init; }

    /// <summary>Cases to validate on, when the options say how often.</summary>
    public IReadOnlyList<TrainingCase> Validation { get; init; } = [];

    /// <summary>Runs both parts and leaves the network in evaluation mode.</summary>
    public IReadOnlyList<StageSummary> Train(
        IReadOnlyList<TrainingCase> cases, TrainingStore store, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        network.train();
        StartSharp();
        using var discriminator = options.AdvWeight > 0 ? Discriminator() : null;
        using var lpips = options.PerceptualWeight > 0 ? PerceptualNetwork.Load(options.PerceptualTrunk, options.PerceptualLinear, network.parameters().First().device) : null;
        var objective = new AutoencoderObjective(network, Weights(), discriminator, lpips is null ? null : new SlicePerceptualLoss(lpips, PerceptualNetwork.SliceRatio));
        List<StageSummary> summaries = [Run("autoencoder", options.Iterations, options.Lr, options.BatchSize, options.PatchSize ?? size)];
        if (options.WholeIterations > 0)
            summaries.Add(Run("autoencoder-whole", options.WholeIterations, options.Lr / 4, 1, size));
        network.eval();
        return summaries;

        StageSummary Run(string name, int iterations, double rate, int batch, int[] patch)
        {
            var settings = options.Settings(name, iterations, rate);
            var generator = new Learner("", network.parameters(), settings);
            var critic = discriminator is null ? null : new Learner("discriminator", discriminator.parameters(), settings);
            using var stage = new TrainingStage(settings, critic is null ? [generator] : [generator, critic], _random)
            {
                Log = Log,
                Validate = Validation.Count > 0 ? _ => Error(objective) : null,
            };
            return stage.Run(step => objective.Learn(step, generator, critic, Batch(cases, batch, patch), _random, settings), store, progress, cancellation);
        }
    }

    private AutoencoderWeights Weights() => new()
    {
        Kl = options.KlWeight,
        Adversarial = options.AdvWeight ?? 0,
        Perceptual = options.PerceptualWeight ?? 0,
    };

    private PatchDiscriminator Discriminator()
    {
        var made = NetworkFactory.Create<PatchDiscriminator>(options.DiscriminatorDef
            ?? throw new MaisiException("adv_weight needs a discriminator.", "autoencoder_train.discriminator_def", "Add the MONAI definition of a PatchDiscriminator."));
        WeightInitialization.DrawDiscriminator(made, SampleSeed.Of(seed, DiscriminatorStream));
        made.train();
        return made;
    }

    /// <summary>Mean loss over the validation cases, whole volumes, with the same noise each time.</summary>
    private double Error(AutoencoderObjective objective)
    {
        var random = new TrainingRandom(SampleSeed.Of(seed, (long)ValidationStream));
        return Validation.Average(item =>
        {
            using var scope = NewDisposeScope();
            return objective.Validate(tensor(item.Image, [1, 1, size[0], size[1], size[2]]), Reconstruct, random).ToDouble();
        });
    }

    private AutoencoderOutput Reconstruct(Tensor images)
    {
        var latent = network.Encode(images);
        return new AutoencoderOutput(network.Decode(latent.Mu), latent.Mu, latent.Sigma);
    }

    /// <summary>
    /// Starts with a standard deviation of exp(-3) everywhere. The usual initial weights give 1, which drowns the latent in noise and
    /// makes the first hundreds of steps learn nothing.
    /// </summary>
    private void StartSharp()
    {
        using var _ = no_grad();
        foreach (var (name, parameter) in network.named_parameters().Where(p => p.name.StartsWith("quant_conv_log_sigma.", StringComparison.Ordinal)))
            parameter.fill_(name.EndsWith("bias", StringComparison.Ordinal) ? -6 : 0);
    }

    /// <summary>
    /// Random patches of random cases, about every other one seen in a mirror; [B, 1, X, Y, Z]. The centre of a patch lies in the body:
    /// a patch of nothing but air has no spread, and group norms would make an image of its rounding errors.
    /// </summary>
    private Tensor Batch(IReadOnlyList<TrainingCase> cases, int batchSize, int[] patch)
    {
        var voxels = new float[batchSize * patch[0] * patch[1] * patch[2]];
        var at = 0;
        for (var b = 0; b < batchSize; b++)
        {
            var image = cases[_random.Next(cases.Count)].Image;
            var (x0, y0, z0) = Corner(image, patch);
            var mirrored = _random.Next(2) == 1;
            for (var x = 0; x < patch[0]; x++)
            {
                var row = mirrored ? size[0] - 1 - x0 - x : x0 + x;
                for (var y = 0; y < patch[1]; y++)
                {
                    image.AsSpan((((row * size[1]) + y0 + y) * size[2]) + z0, patch[2]).CopyTo(voxels.AsSpan(at));
                    at += patch[2];
                }
            }
        }
        return tensor(voxels, [batchSize, 1, patch[0], patch[1], patch[2]]);
    }

    private (int X, int Y, int Z) Corner(float[] image, int[] patch)
    {
        for (var tries = 0; ; tries++)
        {
            var (x, y, z) = (_random.Next(size[0] - patch[0] + 1), _random.Next(size[1] - patch[1] + 1), _random.Next(size[2] - patch[2] + 1));
            var centre = image[((((x + (patch[0] / 2)) * size[1]) + y + (patch[1] / 2)) * size[2]) + z + (patch[2] / 2)];
            if (centre > Body || tries == MostTries)
                return (x, y, z);
        }
    }
}
