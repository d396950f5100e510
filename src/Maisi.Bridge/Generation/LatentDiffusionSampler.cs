using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using static TorchSharp.torch;

namespace Maisi.Bridge.Generation;

/// <summary>What an image is sampled from.</summary>
public sealed record ImageConditions
{
    /// <summary>Label codes [1, 1, X, Y, Z]; null samples without a ControlNet.</summary>
    public Tensor? Mask { get; init; }

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
/// Denoises a latent, under a label map or freely: for every step the ControlNet's residuals, the UNet's velocity, optional
/// classifier-free guidance, and the scheduler's update. NV-Generate's `ldm_conditional_sample_one_image` (scripts/sample.py) and
/// `run_inference` (scripts/diff_model_infer.py); Guo et al., "MAISI", arXiv:2409.11169.
/// </summary>
public sealed class LatentDiffusionSampler(DiffusionModelUNetMaisi unet, ControlNetMaisi? controlNet, Scheduler scheduler)
{
    /// <summary>Samples a latent.</summary>
    /// <param name="conditions">Mask, spacing, modality, regions.</param>
    /// <param name="noise">Standard normal [1, C, x, y, z]; with a label map it is rounded to half precision first, as upstream does.</param>
    /// <param name="stepNoise">Noise of the latent's shape for step i; asked only of schedulers that add noise in a step.</param>
    /// <param name="steps">Denoising steps.</param>
    /// <param name="guidance">Guidance scale; 0 evaluates the networks once a step.</param>
    /// <param name="progress">Told after every step.</param>
    /// <param name="cancellation">Checked before every step.</param>
    /// <returns>The scaled latent, of the noise's shape.</returns>
    /// <exception cref="MaisiException">A scale below 0, fewer than one step, or a label map without a ControlNet.</exception>
    public Tensor Sample(
        ImageConditions conditions, Tensor noise, Func<int, Tensor> stepNoise, int steps, double guidance, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (guidance < 0 || !double.IsFinite(guidance))
            throw new MaisiException($"The guidance scale must be 0 or more, not {guidance}.", "guidance");
        if (steps < 1)
            throw new MaisiException($"At least one denoising step is needed, not {steps}.", "steps");
        if (conditions.Mask is not null && controlNet is null)
            throw new MaisiException("A label map was given, but the model has no ControlNet that could follow it.", "mask", "Take a bundle with a ControlNet.");
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var inputs = Prepare(conditions, guidance > 0, noise.device);
        var start = conditions.Mask is null ? noise : noise.to(ScalarType.Float16).to(ScalarType.Float32);
        return DenoisingLoop.Run(scheduler, start, stepNoise, steps, (latent, i) => Predict(latent, i, inputs, guidance), progress, cancellation).MoveToOuterDisposeScope();
    }

    private Tensor Predict(Tensor latent, int step, Inputs inputs, double guidance)
    {
        var x = inputs.Batch == 1 ? latent : cat([latent, latent], 0);
        var t = scheduler.TimestepTensor(step, inputs.Batch, latent.device);
        var told = inputs.UNet;
        if (inputs.Condition is { } condition)
        {
            var residuals = controlNet!.CallEmbedded(x, t, condition, new ControlNetConditions { ClassLabels = told.ClassLabels });
            told = told with { DownBlockAdditionalResiduals = residuals.Down, MidBlockAdditionalResidual = residuals.Mid };
        }
        var output = unet.call(x, t, told);
        if (inputs.Batch == 1)
            return output;
        var (conditional, unconditional) = (output.narrow(0, 0, 1), output.narrow(0, 1, 1));
        return unconditional + ((conditional - unconditional) * guidance);
    }

    /// <summary>Everything that stays the same over the steps; with guidance a batch of two, conditional first.</summary>
    private Inputs Prepare(ImageConditions conditions, bool guided, Device device)
    {
        var batch = guided ? 2 : 1;
        var planes = conditions.Mask is { } mask ? ConditionPlanes.Of(mask) : null;
        if (guided && planes is not null)
            planes = cat([planes, conditions.UnconditionalMask is { } other ? ConditionPlanes.Of(other) : planes], 0);
        Tensor? Row(float[]? values) => values is null ? null : tensor(values, [1, values.Length]).repeat(batch, 1).to(device);
        // Guidance goes away from class 0, which stands for any modality.
        var classes = conditions.Modality is not { } code ? null : tensor(guided ? [code, 0L] : new long[] { code }, [batch]).to(device);
        return new Inputs(batch, planes is null ? null : controlNet!.EmbedCondition(planes), new UNetConditions
        {
            ClassLabels = classes,
            Spacing = Row([.. conditions.Spacing.Select(s => (float)(s * 100))]),
            TopRegionIndex = Row(conditions.TopRegion),
            BottomRegionIndex = Row(conditions.BottomRegion),
        });
    }

    private sealed record Inputs(int Batch, Tensor? Condition, UNetConditions UNet);
}
