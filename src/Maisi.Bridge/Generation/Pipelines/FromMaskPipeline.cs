namespace Maisi.Bridge.Generation;

/// <summary>An image of a label map that the caller gives (NV-Generate's scripts/infer_image_from_mask.py).</summary>
internal sealed class FromMaskPipeline(ModelBundle model) : ISynthesisPipeline
{
    /// <inheritdoc/>
    public PipelineKind Kind => PipelineKind.FromMask;

    /// <inheritdoc/>
    public GenerationOptions Resolve(GenerationOptions options)
    {
        var resolved = OptionRules.Resolve(options with { Kind = Kind }, model.Settings);
        model.Require(Kind);
        return resolved;
    }

    /// <summary>The label map as the networks get it.</summary>
    /// <exception cref="MaisiException">It cannot be used; the message says why.</exception>
    public static ConditionMask Condition(Volumes.Volume mask, string name, GenerationOptions options, BundleSettings settings) =>
        ConditionMask.Of(mask, name, settings, options.Grid, ModelBundle.DivisorOf(settings), options.Force);

    /// <inheritdoc/>
    public SynthesisSample Make(GenerationOptions options, SampleInput input, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        options = Resolve(options);
        var given = input.Mask ?? throw new MaisiException("No label map was given.", "--mask");
        var condition = Condition(given, input.MaskName ?? "the label map", options, model.Settings);
        var mask = new SampleMask(condition.Labels, condition.HasBody, condition.Changes);
        var attempts = options.Parity ? 1 : 1 + options.Retries;
        return new CheckedSynthesis(model).Make(options, input.Seed, attempts, (_, _) => (mask, null, null), (_, _, passed) => passed, progress, cancellation);
    }
}
