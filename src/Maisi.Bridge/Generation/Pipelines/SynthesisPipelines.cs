namespace Maisi.Bridge.Generation;

/// <summary>The pipelines of a bundle.</summary>
public static class SynthesisPipelines
{
    /// <summary>A pipeline over a bundle's networks, which it loads when it needs them.</summary>
    /// <param name="kind">What to make.</param>
    /// <param name="model">The bundle; it stays the caller's.</param>
    public static ISynthesisPipeline Create(PipelineKind kind, ModelBundle model) => kind switch
    {
        PipelineKind.FromMask => new FromMaskPipeline(model),
        PipelineKind.Paired => new PairedPipeline(model),
        PipelineKind.Mask => new MaskPipeline(model),
        PipelineKind.Image => new ImagePipeline(model),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
