using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using static TorchSharp.torch;

namespace Maisi.Bridge.Generation;

/// <summary>What an image is sampled from.</summary>
public sealed record ImageConditions
{
    /// <summary>Label codes [1, 1, X, Y, Z].</summary>
    public required Tensor Mask { get; init; }

    /// <summary>The same map without tumours, for guidance; null takes the map itself.</summary>
    public Tensor? UnconditionalMask { get; init; }

    /// <summary>Millimetres along x, y, z.</summary>
    public required IReadOnlyList<double> Spacing { get; init; }

    /// <summary>Modality code; null where the UNet has no class embedding.</summary>
    public int? Modality { get; init; }

    /// <summary>One-hot of the topmost body region, times 100; null where the UNet takes none.</summary>
    public float[]? TopRegion { get; init; }

    /// <summary>One-hot of the lowest body region, times 100.</summary>
    public float[]? BottomRegion { get; init; }
}

/// <summary>
/// Denoises a latent under a label map: for every step the ControlNet's residuals, the UNet's velocity, optional classifier-free
/// guidance, and the scheduler's update. NV-Generate's `ldm_conditional_sample_one_image` (scripts/sample.py); Guo et al., "MAISI",
/// arXiv:2409.11169.
/// </summary>
public sealed class LatentDiffusionSampler(DiffusionModelUNetMaisi unet, ControlNetMaisi controlNet, Scheduler scheduler)
{
    /// <summary>Samples a latent.</summary>
    /// <param name="conditions">Mask, spacing, modality, regions.</param>
    /// <param name="noise">Standard normal [1, C, x, y, z]; rounded to half precision first, as upstream does.</param>
    /// <param name="stepNoise">Noise of the latent's shape for step i; asked only of schedulers that add noise in a step.</param>
    /// <param name="steps">Denoising steps.</param>
    /// <param name="guidance">Guidance scale; 0 evaluates the networks once a step.</param>
    /// <param name="progress">Told after every step.</param>
    /// <param name="cancellation">Checked before every step.</param>
    /// <returns>The scaled latent, of the noise's shape.</returns>
    /// <exception cref="MaisiException">A scale below 0, or fewer than one step.</exception>
    public Tensor Sample(
        ImageConditions conditions, Tensor noise, Func<int, Tensor> stepNoise, int steps, double guidance, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (guidance < 0 || !double.IsFinite(guidance))
            throw new MaisiException($"The guidance scale must be 0 or more, not {guidance}.", "guidance");
        if (steps < 1)
            throw new MaisiException($"At least one denoising step is needed, not {steps}.", "steps");
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        scheduler.SetTimesteps(steps, noise.shape[2] * noise.shape[3] * noise.shape[4]);
        var count = scheduler.Timesteps.Count;
        var inputs = Prepare(conditions, guidance > 0);
        var clock = new StageClock("denoise", count, progress);
        var latent = noise.to(ScalarType.Float16).to(ScalarType.Float32);
        for (var i = 0; i < count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var velocity = Predict(latent, i, inputs, guidance);
            var previous = scheduler.Step(velocity, i, latent, scheduler.NeedsNoise(i) ? stepNoise(i) : null).Previous.MoveToOuterDisposeScope();
            latent.Dispose();
            latent = previous;
            clock.Report(i + 1);
        }
        return latent.MoveToOuterDisposeScope();
    }

    private Tensor Predict(Tensor latent, int step, Inputs inputs, double guidance)
    {
        var x = inputs.Batch == 1 ? latent : cat([latent, latent], 0);
        var t = scheduler.TimestepTensor(step, inputs.Batch, latent.device);
        var residuals = controlNet.call(x, t, inputs.Planes, new ControlNetConditions { ClassLabels = inputs.UNet.ClassLabels });
        var output = unet.call(x, t, inputs.UNet with { DownBlockAdditionalResiduals = residuals.Down, MidBlockAdditionalResidual = residuals.Mid });
        if (inputs.Batch == 1)
            return output;
        var (conditional, unconditional) = (output.narrow(0, 0, 1), output.narrow(0, 1, 1));
        return unconditional + ((conditional - unconditional) * guidance);
    }

    /// <summary>Everything that stays the same over the steps; with guidance a batch of two, conditional first.</summary>
    private static Inputs Prepare(ImageConditions conditions, bool guided)
    {
        var batch = guided ? 2 : 1;
        var planes = ConditionPlanes.Of(conditions.Mask);
        if (guided)
            planes = cat([planes, ConditionPlanes.Of(conditions.UnconditionalMask ?? conditions.Mask)], 0);
        Tensor? Row(float[]? values) => values is null ? null : tensor(values, [1, values.Length]).repeat(batch, 1);
        var classes = conditions.Modality is not { } code ? null : guided ? tensor(new long[] { code, 0 }, [2]) : tensor(new long[] { code }, [1]);
        return new Inputs(batch, planes, new UNetConditions
        {
            ClassLabels = classes,
            Spacing = Row([.. conditions.Spacing.Select(s => (float)(s * 100))]),
            TopRegionIndex = Row(conditions.TopRegion),
            BottomRegionIndex = Row(conditions.BottomRegion),
        });
    }

    private sealed record Inputs(int Batch, Tensor Planes, UNetConditions UNet);
}
