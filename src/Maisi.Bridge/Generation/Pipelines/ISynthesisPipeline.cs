using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Generation;

/// <summary>One way to make synthetic samples with a bundle. A sample depends on its input and the options alone.</summary>
public interface ISynthesisPipeline
{
    /// <summary>What it makes.</summary>
    PipelineKind Kind { get; }

    /// <summary>Fills what options leave open from the bundle, and refuses what cannot be made, before any network is loaded.</summary>
    /// <exception cref="MaisiException">The first thing that is wrong.</exception>
    GenerationOptions Resolve(GenerationOptions options);

    /// <summary>Makes one sample.</summary>
    /// <param name="options">What is asked for; resolved or not.</param>
    /// <param name="input">Which sample.</param>
    /// <param name="progress">Told after every step and slab.</param>
    /// <param name="cancellation">Checked between steps, slabs and windows.</param>
    /// <exception cref="MaisiException">An input is wrong, or no label map fits.</exception>
    SynthesisSample Make(GenerationOptions options, SampleInput input, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default);
}

/// <summary>Which sample of a run is made, and what it is made of.</summary>
public sealed record SampleInput
{
    /// <summary>Seed of the run.</summary>
    public ulong RunSeed { get; init; }

    /// <summary>Index in the run, from 0.</summary>
    public int Index { get; init; }

    /// <summary>The seed of this sample alone.</summary>
    public ulong Seed => SampleSeed.Of(RunSeed, Index);

    /// <summary>The label map that an image is made of, as it was read; for <see cref="PipelineKind.FromMask"/> alone.</summary>
    public Volume? Mask { get; init; }

    /// <summary>Where the label map comes from, for errors.</summary>
    public string? MaskName { get; init; }

    /// <summary>How many candidates earlier samples of the run have used up; counts in parity mode alone, as upstream goes through one list.</summary>
    public int UsedCandidates { get; init; }
}

/// <summary>A sample in memory.</summary>
public sealed record SynthesisSample
{
    /// <summary>The image: int16, or float32 where upstream saves it so; null where a label map was made alone.</summary>
    public Volume? Image { get; init; }

    /// <summary>The label map on the same grid, in the bundle's codes; null where there is none.</summary>
    public Volume? Labels { get; init; }

    /// <summary>The file of the label map, for one out of a database.</summary>
    public HashedFile? Mask { get; init; }

    /// <summary>The ten relative sizes of a synthesised label map.</summary>
    public IReadOnlyList<double>? AnatomyCondition { get; init; }

    /// <summary>What was changed in the label map before it was used, in words.</summary>
    public IReadOnlyList<string> Changes { get; init; } = [];

    /// <summary>Every attempt, the kept one included.</summary>
    public IReadOnlyList<AttemptRecord> Attempts { get; init; } = [];

    /// <summary>How the image, or the label map, was decoded.</summary>
    public required DecodeRecord Decode { get; init; }

    /// <summary>Seconds for denoising and for decoding.</summary>
    public required SampleTimings Seconds { get; init; }
}
