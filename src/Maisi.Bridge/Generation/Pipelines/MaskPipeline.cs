using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Generation;

/// <summary>A synthesised label map alone.</summary>
internal sealed class MaskPipeline(ModelBundle model) : ISynthesisPipeline
{
    private readonly Lazy<MaskMaker> _maker = new(() => new MaskMaker(model));

    /// <inheritdoc/>
    public PipelineKind Kind => PipelineKind.Mask;

    /// <inheritdoc/>
    public GenerationOptions Resolve(GenerationOptions options)
    {
        var resolved = OptionRules.Resolve(options with { Kind = Kind }, model.Settings);
        model.Require(Kind);
        return resolved;
    }

    /// <inheritdoc/>
    public SynthesisSample Make(GenerationOptions options, SampleInput input, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        options = Resolve(options);
        var (mask, record) = _maker.Value.Make(options, input.Seed, progress, cancellation);
        return new SynthesisSample
        {
            Labels = mask.Labels,
            AnatomyCondition = mask.Condition,
            Changes = mask.Changes,
            Attempts = [new AttemptRecord { Seed = input.Seed, Kept = true }],
            Decode = record,
            Seconds = new SampleTimings(0, 0, Math.Round(mask.Seconds, 3)),
        };
    }
}
