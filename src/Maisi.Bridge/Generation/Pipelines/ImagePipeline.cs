using Maisi.Bridge.Volumes;
using static TorchSharp.torch;

namespace Maisi.Bridge.Generation;

/// <summary>An image of noise alone: CT, MR or brain MR (NV-Generate's scripts/diff_model_infer.py).</summary>
internal sealed class ImagePipeline(ModelBundle model) : ISynthesisPipeline
{
    /// <inheritdoc/>
    public PipelineKind Kind => PipelineKind.Image;

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
        using var scope = NewDisposeScope();
        var (size, spacing) = (options.Size!, options.Spacing!);
        var grid = new VolumeGrid(size[0], size[1], size[2], Affine.Diagonal(spacing[0], spacing[1], spacing[2]));
        var networks = model.ImageModel(underMask: false);
        var (plan, record) = DecodePlanning.Plan(networks.Autoencoder, networks.LatentShape(size)[2..], options, progress);
        var made = new ImageSynthesis(networks, model.Device).Sample(new ImageRequest
        {
            Grid = grid,
            Modality = options.Modality!.Value,
            Regions = options.BodyRegions.Count > 0 ? LabelOperations.RegionSpan(options.BodyRegions) : null,
            Steps = options.Steps!.Value,
            Guidance = options.GuidanceScale!.Value,
            Seed = input.Seed,
            Range = model.Settings.RangeOf(options.Modality.Value),
            Windows = plan is null ? model.Settings.Windows() : null,
            Plan = plan,
        }, progress, cancellation);
        return new SynthesisSample
        {
            Image = ImageSynthesis.ToInt16(made.Image, grid, truncate: options.Parity),
            Attempts = [new AttemptRecord { Seed = input.Seed, Kept = true }],
            Decode = record,
            Seconds = new SampleTimings(Math.Round(made.Denoise.TotalSeconds, 3), Math.Round(made.Decode.TotalSeconds, 3)),
        };
    }
}
