// Port of monai/networks/schedulers/ddim.py (MONAI 1.5); Song et al., arXiv:2010.02502.
using static TorchSharp.torch;

namespace Maisi.Bridge.Schedulers;

/// <summary>Denoising diffusion implicit model: deterministic unless eta is positive, and made for fewer steps than in training.</summary>
public sealed class DDIMScheduler : DiscreteScheduler
{
    private readonly SampleClip? _clip;
    private readonly float _finalAlpha;
    private readonly int _offset;
    private int _ratio = 1;

    /// <param name="numTrainTimesteps">Training timesteps.</param>
    /// <param name="schedule">Noise per timestep.</param>
    /// <param name="clip">Limits of the predicted clean sample; null for none.</param>
    /// <param name="setAlphaToOne">Whether the step below timestep 0 ends without noise, instead of with that of timestep 0.</param>
    /// <param name="stepsOffset">Added to every timestep. As upstream, an offset of 1 or more cannot be built.</param>
    /// <param name="prediction">What the network predicts.</param>
    /// <param name="eta">Weight of fresh noise in <see cref="Step"/>, 0 to 1.</param>
    /// <exception cref="SchedulerException">The offset is out of range.</exception>
    public DDIMScheduler(
        int numTrainTimesteps, NoiseSchedule schedule, SampleClip? clip = null, bool setAlphaToOne = true, int stepsOffset = 0,
        PredictionType prediction = PredictionType.Epsilon, double eta = 0)
        : base(numTrainTimesteps, schedule, prediction)
    {
        _clip = clip;
        _finalAlpha = setAlphaToOne ? 1 : schedule.AlphasCumprod[0];
        _offset = stepsOffset;
        Eta = eta;
        SetTimesteps(numTrainTimesteps);
    }

    /// <summary>Weight of fresh noise in <see cref="Step"/>.</summary>
    public double Eta { get; }

    /// <inheritdoc/>
    public override void SetTimesteps(int steps, long? latentVoxels = null)
    {
        CheckCount(steps);
        var ratio = NumTrainTimesteps / steps;
        if (_offset >= ratio)
            throw new SchedulerException($"steps_offset is {_offset}, but must be below {ratio}, which is {NumTrainTimesteps} timesteps divided by {steps} steps", "steps_offset", "lower the offset or the number of steps");
        Timesteps = [.. EquidistantTimesteps(steps, _offset).Select(t => (double)t)];
        _ratio = ratio;
    }

    /// <inheritdoc/>
    public override bool NeedsNoise(int index) => Eta > 0;

    /// <inheritdoc/>
    public override SchedulerStep Step(Tensor modelOutput, int index, Tensor sample, Tensor? noise = null) => StepAt(modelOutput, TimestepAt(index), sample, Eta, noise);

    /// <summary>As <see cref="Step"/>, at a timestep instead of an index, with its own <paramref name="eta"/>.</summary>
    public SchedulerStep StepAt(Tensor modelOutput, int t, Tensor sample, double eta = 0, Tensor? noise = null)
    {
        float alpha = Schedule.AlphasCumprod[CheckedTimestep(t)], before = AlphaAt(t - _ratio);
        var variance = (1 - before) / (1 - alpha) * (1 - (alpha / before));
        var deviation = (float)(eta * Math.Sqrt(variance));
        return Move(modelOutput, t, sample, before, deviation, eta > 0 ? NoiseOr(noise, modelOutput) : null);
    }

    /// <summary>The step in the other direction: from t to the next, noisier timestep of the run.</summary>
    public SchedulerStep ReversedStep(Tensor modelOutput, int t, Tensor sample) => Move(modelOutput, CheckedTimestep(t), sample, AlphaAt(CheckedTimestep(t + _ratio)), deviation: 0, noise: null);

    private float AlphaAt(int t) => t >= 0 ? Schedule.AlphasCumprod[t] : _finalAlpha;

    private SchedulerStep Move(Tensor modelOutput, int t, Tensor sample, float targetAlpha, float deviation, Tensor? noise)
    {
        using var scope = NewDisposeScope();
        var (original, epsilon) = Predict(modelOutput, t, sample);
        original = _clip is null ? original.alias() : original.clamp(_clip.Minimum, _clip.Maximum);
        var moved = (original * MathF.Sqrt(targetAlpha)) + (epsilon * MathF.Sqrt(1 - targetAlpha - (deviation * deviation)));
        if (noise is not null)
            moved += noise * deviation;
        return new SchedulerStep(moved.MoveToOuterDisposeScope(), original.MoveToOuterDisposeScope());
    }
}
