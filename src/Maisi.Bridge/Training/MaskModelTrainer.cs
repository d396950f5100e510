using System.Globalization;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>
/// Trains the networks that make label maps: an autoencoder over classes, and the UNet that denoises its latents under ten sizes of organs
/// (P. Guo et al., "MAISI", arXiv:2409.11169), or under sizes of the labels that the options name. Sees every view of a case and its mirror image.
/// </summary>
internal sealed class MaskModelTrainer
{
    private const int Codes = 256;
    private readonly MaskModelOptions _options;
    private readonly DataOptions _data;
    private readonly ulong _seed;
    private readonly List<byte[]> _classes = [];
    private readonly List<float[]> _sizes = [];
    private readonly int _cases;

    /// <param name="options">Definitions and lengths.</param>
    /// <param name="data">The grid and its labels.</param>
    /// <param name="cases">Training cases.</param>
    /// <param name="variants">Further views of them.</param>
    /// <param name="seed">The run's seed.</param>
    /// <exception cref="MaisiException">The autoencoder has too few channels for the labels.</exception>
    public MaskModelTrainer(MaskModelOptions options, DataOptions data, IReadOnlyList<TrainingCase> cases, IReadOnlyList<TrainingCase> variants, ulong seed)
    {
        (_options, _data, _seed) = (options, data, seed);
        var table = new byte[Codes];
        foreach (var (_, (number, code)) in Classes(data))
            table[code] = (byte)number;
        var partner = TrainingCase.MirrorPartners(data.Labels);
        _cases = cases.Count;
        var sizes = new MaskSizes(options.SizeLabels, data, cases);
        foreach (var item in cases.Concat(variants))
        {
            foreach (var view in new[] { item, item.Mirrored(data.Size, partner) })
            {
                _classes.Add(Array.ConvertAll(view.Labels, code => table[code]));
                _sizes.Add(sizes.Of(view));
            }
        }
        Autoencoder = NetworkFactory.Create<AutoencoderKlMaisi>(options.AutoencoderDef);
        UNet = NetworkFactory.Create<DiffusionModelUNet>(options.DiffusionDef);
        Scheduler = SchedulerFactory.Create(options.NoiseScheduler);
        var wanted = data.Labels.Count + 1;
        if (Autoencoder.Shape.InChannels != 8 || Autoencoder.Shape.OutChannels < wanted)
        {
            throw new MaisiException($"The mask autoencoder has {Autoencoder.Shape.InChannels} input and {Autoencoder.Shape.OutChannels} output channels, but there are 8 bit planes and {wanted} classes.",
                "mask_model.autoencoder_def", "Set in_channels to 8 and out_channels to the number of labels and background.");
        }
        var dimension = options.DiffusionDef["cross_attention_dim"]?.GetValue<int>();
        if (dimension != sizes.Count)
        {
            throw new MaisiException($"The mask UNet takes {dimension?.ToString(CultureInfo.InvariantCulture) ?? "no"} numbers, but {sizes.Count} sizes steer it.", "mask_model.diffusion_def",
                $"Set cross_attention_dim to {sizes.Count}.");
        }
        WeightInitialization.Draw(Autoencoder, SampleSeed.Of(seed, 104));
        WeightInitialization.Draw(UNet, SampleSeed.Of(seed, 105));
    }

    /// <summary>The mask autoencoder.</summary>
    public AutoencoderKlMaisi Autoencoder { get; }

    /// <summary>The mask UNet.</summary>
    public DiffusionModelUNet UNet { get; }

    /// <summary>Its scheduler.</summary>
    public Scheduler Scheduler { get; }

    /// <summary>1 / standard deviation of the latents; known when the UNet is trained.</summary>
    public double ScaleFactor { get; private set; }

    /// <summary>Sizes of the training cases, from which pipelines draw.</summary>
    public IEnumerable<float[]> PatientSizes => _sizes.Take(2 * _cases).Where((_, i) => i % 2 == 0);

    /// <summary>Where losses are logged.</summary>
    public TrainingLog? Log { get; init; }

    /// <summary>Class and code of every label, background included: the classes are the codes in order.</summary>
    public static IReadOnlyDictionary<string, (int Class, int Code)> Classes(DataOptions data) =>
        data.Labels.OrderBy(l => l.Value).Select((l, i) => (l.Key, (i + 1, l.Value))).Prepend(("background", (0, 0))).ToDictionary(p => p.Item1, p => p.Item2, StringComparer.Ordinal);

    /// <summary>Trains both.</summary>
    public IReadOnlyList<StageSummary> Train(TrainingStore store, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var first = TrainAutoencoder(store, progress, cancellation);
        var latents = Encode(cancellation);
        try
        {
            return [first, TrainUNet(latents, store, progress, cancellation)];
        }
        finally
        {
            latents.ForEach(l => l.Mu.Dispose());
            latents.ForEach(l => l.Sigma.Dispose());
        }
    }

    private StageSummary TrainAutoencoder(TrainingStore store, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var random = new TrainingRandom(SampleSeed.Of(_seed, 10));
        var train = _options.AutoencoderTrain;
        var settings = train.Settings("mask-autoencoder", train.Iterations, train.Lr);
        Autoencoder.train();
        var learner = new Learner("", Autoencoder.parameters(), settings);
        using var stage = new TrainingStage(settings, [learner], random) { Log = Log };
        var summary = stage.Run(
            step =>
            {
                var classes = cat([.. Enumerable.Range(0, train.BatchSize).Select(_ => ClassesOf(random.Next(_classes.Count)))], 0);
                step.Show(("classes", classes));
                using var _ = settings.Autocast(classes.device);
                step.Learn(learner, "loss", MaskAutoencoderLoss.Of(Autoencoder, classes, train.KlWeight, step, random));
            },
            store, progress, cancellation);
        Autoencoder.eval();
        return summary;
    }

    private StageSummary TrainUNet(List<LatentDistribution> latents, TrainingStore store, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        using (NewDisposeScope())
            ScaleFactor = 1 / cat([.. latents.Select(l => l.Mu.reshape(-1))], 0).std().ToDouble();
        var random = new TrainingRandom(SampleSeed.Of(_seed, 12));
        var train = _options.DiffusionTrain;
        var settings = train.Settings("mask-diffusion", train.Iterations, train.Lr);
        var objective = new DiffusionObjective(Scheduler);
        UNet.train();
        var learner = new Learner("", UNet.parameters(), settings);
        using var stage = new TrainingStage(settings, [learner], random) { Log = Log };
        var summary = stage.Run(
            step =>
            {
                var drawn = Enumerable.Range(0, train.BatchSize).Select(_ => random.Next(latents.Count)).ToArray();
                step.Learn(learner, "loss", MaskDiffusionLoss.Of(UNet, objective, [.. drawn.Select(i => (latents[i], _sizes[i]))], ScaleFactor, settings, step, random, CPU));
            },
            store, progress, cancellation);
        UNet.eval();
        return summary;
    }

    private List<LatentDistribution> Encode(CancellationToken cancellation)
    {
        using var _ = no_grad();
        return [.. Enumerable.Range(0, _classes.Count).Select(i =>
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var (mu, sigma) = Autoencoder.Encode(ConditionPlanes.Of(ClassesOf(i)));
            return new LatentDistribution(mu.MoveToOuterDisposeScope(), sigma.MoveToOuterDisposeScope());
        })];
    }

    private Tensor ClassesOf(int index) =>
        tensor(Array.ConvertAll(_classes[index], c => (long)c), [1, 1, _data.Size[0], _data.Size[1], _data.Size[2]]);
}
