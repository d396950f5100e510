using System.Diagnostics;
using Maisi.Bridge.Volumes;
using static TorchSharp.torch;

namespace Maisi.Bridge.Generation;

/// <summary>A label map that is ready to be an image's condition.</summary>
/// <param name="Labels">Codes, RAS.</param>
/// <param name="HasBody">Whether unlabelled voxels are air.</param>
/// <param name="Changes">What was changed, in words.</param>
/// <param name="File">Its file, for one out of a database.</param>
/// <param name="Condition">The ten relative sizes of a synthesised one.</param>
/// <param name="Seconds">Time that its synthesis took.</param>
internal sealed record SampleMask(
    Volume Labels, bool HasBody, IReadOnlyList<string> Changes, HashedFile? File = null, IReadOnlyList<double>? Condition = null, double Seconds = 0);

/// <summary>Synthesises label maps: sizes of organs, the mask model, cleaning, and the wanted grid (path A of NV-Generate's scripts/sample.py).</summary>
internal sealed class MaskMaker(ModelBundle model)
{
    private readonly IReadOnlyList<string> _order = model.Settings.AnatomySizeNames ?? AnatomySizeConditions.Order;

    private readonly Lazy<IReadOnlyList<double[]>> _patients = new(() => AnatomySizeConditions.Load(
        model.File(model.Settings.AllAnatomySizeCondtionsJson
            ?? throw new MaisiException("The bundle names no sizes of real patients.", "all_anatomy_size_condtions_json", "Give the sizes of all structures.")),
        (model.Settings.AnatomySizeNames ?? AnatomySizeConditions.Order).Count));

    private readonly IReadOnlyDictionary<int, int> _codes = MaskSynthesis.CodesOf(model.Settings.LabelDictRemapJson is { } path ? model.File(path) : null);

    /// <summary>Makes a label map.</summary>
    /// <param name="options">Resolved options.</param>
    /// <param name="seed">The seed of the attempt.</param>
    /// <param name="progress">Told after every step and slab.</param>
    /// <param name="cancellation">Checked between steps and slabs.</param>
    /// <returns>The label map and how it was decoded.</returns>
    /// <exception cref="MaisiException">The bundle has no mask model, or its files are missing.</exception>
    public (SampleMask Mask, DecodeRecord Decode) Make(GenerationOptions options, ulong seed, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var (settings, networks) = (model.Settings, model.MaskModel);
        var clock = Stopwatch.StartNew();
        var condition = Condition(options, seed);
        long[] shape = [1, .. settings.MaskGenerationLatentShape.Select(n => (long)n)];
        var synthesis = new MaskSynthesis(networks, _codes);
        var latent = synthesis.Denoise(condition, Noise(0), step => Noise(step + 1), options.MaskSteps!.Value, progress, cancellation);
        var (plan, record) = DecodePlanning.Plan(networks.Autoencoder, shape[2..], options, progress, streamed: true);
        var labels = synthesis.Decode(latent, settings.MaskGenerationSpacing, plan is null ? settings.Windows() : null, plan, progress, cancellation);
        labels = settings.HasMaisiLabels ? labels.PostProcess(AnatomySizeConditions.TargetTumour(condition)) : labels.KeepWholeStructures(settings.BodyLabel);
        var changes = new List<string>();
        if (options is { Size: { } size, Spacing: { } spacing })
        {
            var before = labels.Grid;
            labels = labels.ToRequestedGrid(size, spacing);
            if (!ReferenceEquals(before, labels.Grid))
                changes.Add($"the synthesised map of {before} was resampled to {labels.Grid}");
        }
        var hasBody = labels.CountLabels().ContainsKey(settings.BodyLabel);
        return (new SampleMask(labels, hasBody, changes, null, condition, clock.Elapsed.TotalSeconds), record);

        Tensor Noise(int draw) => PhiloxNoise.Normal(shape, SampleSeed.Stream(seed, SeedStream.MaskLatent, draw)).to(model.Device);
    }

    // With given sizes: the closest patient's for the rest. With none: those of a patient drawn by the sample's own stream of mask choice.
    private double[] Condition(GenerationOptions options, ulong seed)
    {
        var given = options.AnatomySizes.Select(s => (s.Name, s.Size)).ToArray();
        if (given.Length == _order.Count)
            return AnatomySizeConditions.Prepare(given, [new double[given.Length]], order: _order);
        if (given.Length > 0 || options.Parity)
            return AnatomySizeConditions.Prepare(given, _patients.Value, order: _order);
        var patients = _patients.Value;
        return [.. patients[(int)(PhiloxNoise.Uniform(SampleSeed.Stream(seed, SeedStream.MaskChoice), 0) * patients.Count)]];
    }
}
