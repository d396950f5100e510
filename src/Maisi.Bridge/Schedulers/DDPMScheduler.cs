// Port of monai/networks/schedulers/ddpm.py (MONAI 1.5); Ho et al., arXiv:2006.11239.
using static TorchSharp.torch;

namespace Maisi.Bridge.Schedulers;

/// <summary>Where the variance of a DDPM step comes from.</summary>
public enum VarianceType
{
    /// <summary>The posterior's variance, at least 1e-20.</summary>
    FixedSmall,

    /// <summary>Beta.</summary>
    FixedLarge,

    /// <summary>The second half of the model output's channels.</summary>
    Learned,

    /// <summary>A mix of the two fixed ones, weighted by the second half of the model output's channels.</summary>
    LearnedRange,
}

/// <summary>
/// Denoising diffusion probabilistic model. As upstream, a step at t always goes to t−1, whatever timesteps the run has: with fewer
/// steps than in training too little noise is removed, which is why MAISI's DDPM models want 1000 steps.
/// </summary>
public sealed class DDPMScheduler : DiscreteScheduler
{
    private readonly VarianceType _variance;
    private readonly SampleClip? _clip;

    /// <param name="numTrainTimesteps">Training timesteps.</param>
    /// <param name="schedule">Noise per timestep.</param>
    /// <param name="variance">Variance of a step.</param>
    /// <param name="clip">Limits of the predicted clean sample; null for none.</param>
    /// <param name="prediction">What the network predicts.</param>
    public DDPMScheduler(int numTrainTimesteps, NoiseSchedule schedule, VarianceType variance = VarianceType.FixedSmall, SampleClip? clip = null, PredictionType prediction = PredictionType.Epsilon)
        : base(numTrainTimesteps, schedule, prediction)
    {
        _variance = variance;
        _clip = clip;
        Timesteps = [.. Enumerable.Range(0, numTrainTimesteps).Reverse().Select(t => (double)t)];
    }

    /// <inheritdoc/>
    public override void SetTimesteps(int steps, long? latentVoxels = null) => Timesteps = [.. EquidistantTimesteps(steps, offset: 0).Select(t => (double)t)];

    /// <inheritdoc/>
    public override bool NeedsNoise(int index) => TimestepAt(index) > 0;

    /// <inheritdoc/>
    public override SchedulerStep Step(Tensor modelOutput, int index, Tensor sample, Tensor? noise = null) => StepAt(modelOutput, TimestepAt(index), sample, noise);

    /// <summary>As <see cref="Step"/>, at a timestep instead of an index.</summary>
    public SchedulerStep StepAt(Tensor modelOutput, int t, Tensor sample, Tensor? noise = null)
    {
        using var scope = NewDisposeScope();
        CheckedTimestep(t);
        Tensor? predictedVariance = null;
        if (_variance is VarianceType.Learned or VarianceType.LearnedRange && modelOutput.shape[1] == 2 * sample.shape[1])
        {
            var halves = modelOutput.chunk(2, 1);
            (modelOutput, predictedVariance) = (halves[0], halves[1]);
        }
        var original = Predict(modelOutput, t, sample).Original.alias();
        if (_clip is not null)
            original = original.clamp(_clip.Minimum, _clip.Maximum);
        float alpha = Schedule.AlphasCumprod[t], before = t > 0 ? Schedule.AlphasCumprod[t - 1] : 1, beta = Schedule.Betas[t];
        var previous = (original * (MathF.Sqrt(before) * beta / (1 - alpha))) + (sample * (MathF.Sqrt(Schedule.Alphas[t]) * (1 - before) / (1 - alpha)));
        if (t > 0)
            previous += Spread(beta, (1 - before) / (1 - alpha) * beta, predictedVariance, NoiseOr(noise, modelOutput));
        return new SchedulerStep(previous.MoveToOuterDisposeScope(), original.MoveToOuterDisposeScope());
    }

    /// <summary>Noise times the standard deviation of the step.</summary>
    private Tensor Spread(float beta, float posterior, Tensor? predicted, Tensor noise) => (_variance, predicted) switch
    {
        (VarianceType.FixedSmall, _) => noise * MathF.Sqrt(Math.Max(posterior, 1e-20f)),
        (VarianceType.FixedLarge, _) => noise * MathF.Sqrt(beta),
        (VarianceType.Learned, not null) => noise * predicted.sqrt(),
        (VarianceType.LearnedRange, not null) => noise * ((((predicted + 1) / 2) * beta) + ((1 - ((predicted + 1) / 2)) * posterior)).sqrt(),
        _ => noise * MathF.Sqrt(posterior),
    };
}
