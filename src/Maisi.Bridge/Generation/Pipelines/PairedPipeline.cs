namespace Maisi.Bridge.Generation;

/// <summary>
/// A label map, synthesised with wanted sizes of organs or chosen from a database, and its image (NV-Generate's scripts/sample.py,
/// LDMSampler; P. Guo et al., "MAISI", arXiv:2409.11169).
/// </summary>
internal sealed class PairedPipeline(ModelBundle model) : ISynthesisPipeline
{
    private readonly Lazy<MaskMaker> _maker = new(() => new MaskMaker(model));
    private (GenerationOptions Options, CandidateMasks Masks)? _candidates;

    /// <inheritdoc/>
    public PipelineKind Kind => PipelineKind.Paired;

    /// <inheritdoc/>
    public GenerationOptions Resolve(GenerationOptions options)
    {
        var resolved = OptionRules.Resolve(options with { Kind = Kind }, model.Settings);
        model.Require(Kind, resolved.UsesMaskModel);
        if (!resolved.UsesMaskModel)
            Candidates(resolved);
        return resolved;
    }

    /// <inheritdoc/>
    public SynthesisSample Make(GenerationOptions options, SampleInput input, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        options = Resolve(options);
        var synthesis = new CheckedSynthesis(model);
        if (options.UsesMaskModel)
        {
            // Upstream makes as many attempts as samples are wanted and keeps each.
            var attempts = options.Parity ? 1 : 1 + options.Retries;
            return synthesis.Make(options, input.Seed, attempts, (_, seed) => Synthesised(options, seed, progress, cancellation), (_, _, passed) => passed, progress, cancellation);
        }
        var masks = Candidates(options);
        if (!options.Parity)
        {
            var candidates = masks.Of(input);
            return synthesis.Make(
                options, input.Seed, candidates.Count + options.Retries, (attempt, seed) => Opened(masks, candidates[attempt % candidates.Count], seed),
                (_, images, passed) => passed || images > options.Retries, progress, cancellation);
        }
        var list = masks.OfRun(input.RunSeed, options.Count);
        var left = list.Count - input.UsedCandidates;
        // With too few candidates left an image is kept whatever the check says.
        return synthesis.Make(options, input.Seed, left, (attempt, seed) => Opened(masks, list[input.UsedCandidates + attempt], seed),
            (attempt, _, passed) => passed || options.Count - input.Index >= left - attempt, progress, cancellation);
    }

    private (SampleMask? Mask, string? Candidate, string? Why) Synthesised(GenerationOptions options, ulong seed, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var (mask, _) = _maker.Value.Make(options, seed, progress, cancellation);
        var missing = mask.Labels.Missing(Expected(options));
        return missing.Length == 0 ? (mask, null, null) : (null, null, $"Resampled mask does not contain required class labels {string.Join(", ", missing)}");
    }

    // A structure that was asked to be absent need not be there.
    private int[] Expected(GenerationOptions options) => options.AnatomySizes.Count == 0 ? OptionRules.AnatomyCodes(options, model.Settings)
        : [.. OptionRules.AnatomyCodes(options, model.Settings).Zip(options.AnatomySizes).Where(p => p.Second.Size >= 0).Select(p => p.First)];

    private (SampleMask? Mask, string? Candidate, string? Why) Opened(CandidateMasks masks, Volumes.MaskRecord record, ulong seed)
    {
        var mask = masks.Open(record, seed, model.Settings, out var why);
        return (mask, record.PseudoLabelFilename, why);
    }

    private CandidateMasks Candidates(GenerationOptions options)
    {
        if (_candidates is not { } known || known.Options != options)
            _candidates = known = (options, new CandidateMasks(options, model.Settings, model.File));
        return known.Masks;
    }
}
