// Common part of monai/networks/schedulers/ddpm.py, ddim.py and pndm.py (MONAI 1.5).
using static TorchSharp.torch;

namespace Maisi.Bridge.Schedulers;

/// <summary>What a network predicts.</summary>
public enum PredictionType
{
    /// <summary>The noise.</summary>
    Epsilon,

    /// <summary>The clean sample.</summary>
    Sample,

    /// <summary>sqrt(ᾱ)·noise − sqrt(1−ᾱ)·sample.</summary>
    VPrediction,
}

/// <summary>A scheduler over integer timesteps and a noise schedule.</summary>
public abstract class DiscreteScheduler : Scheduler
{
    private protected DiscreteScheduler(int numTrainTimesteps, NoiseSchedule schedule, PredictionType prediction)
        : base(numTrainTimesteps)
    {
        Schedule = schedule;
        Prediction = prediction;
    }

    /// <summary>The noise of each training timestep.</summary>
    public NoiseSchedule Schedule { get; }

    /// <summary>What the network predicts.</summary>
    public PredictionType Prediction { get; }

    /// <inheritdoc/>
    public override Tensor AddNoise(Tensor original, Tensor noise, Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var (signal, spread) = Levels(original, timesteps);
        return ((signal * original) + (spread * noise)).MoveToOuterDisposeScope();
    }

    /// <summary>The target of v-prediction: sqrt(ᾱ)·noise − sqrt(1−ᾱ)·sample.</summary>
    public Tensor GetVelocity(Tensor sample, Tensor noise, Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var (signal, spread) = Levels(sample, timesteps);
        return ((signal * noise) - (spread * sample)).MoveToOuterDisposeScope();
    }

    /// <summary>sqrt(ᾱ) and sqrt(1−ᾱ) at the timesteps [B], shaped to multiply [B, ...].</summary>
    private (Tensor Signal, Tensor Spread) Levels(Tensor sample, Tensor timesteps)
    {
        var cumulative = tensor(Schedule.AlphasCumprod, device: sample.device).to(sample.dtype);
        var at = cumulative.index_select(0, timesteps.to(ScalarType.Int64).to(sample.device)).reshape([-1, .. Enumerable.Repeat(1L, (int)sample.dim() - 1)]);
        return (at.sqrt(), (1 - at).sqrt());
    }

    /// <summary>The clean sample and the noise that a model output implies at timestep <paramref name="t"/>.</summary>
    private protected (Tensor Original, Tensor Epsilon) Predict(Tensor modelOutput, int t, Tensor sample)
    {
        var alpha = Schedule.AlphasCumprod[t];
        float signal = MathF.Sqrt(alpha), spread = MathF.Sqrt(1 - alpha);
        return Prediction switch
        {
            PredictionType.Epsilon => ((sample - (modelOutput * spread)) / signal, modelOutput),
            PredictionType.Sample => (modelOutput, (sample - (modelOutput * signal)) / spread),
            _ => ((sample * signal) - (modelOutput * spread), (modelOutput * signal) + (sample * spread)),
        };
    }

    /// <summary>0, ratio, 2·ratio ... reversed and shifted, for ratio = training timesteps / steps rounded down.</summary>
    private protected int[] EquidistantTimesteps(int steps, int offset)
    {
        CheckCount(steps);
        var ratio = NumTrainTimesteps / steps;
        return [.. Enumerable.Range(0, steps).Select(i => (i * ratio) + offset).Reverse()];
    }

    private protected int TimestepAt(int index)
    {
        if (index < 0 || index >= Timesteps.Count)
            throw new SchedulerException($"step {index} was asked for, but the run has {Timesteps.Count} steps", "timesteps", "call SetTimesteps first");
        return (int)Timesteps[index];
    }

    private protected int CheckedTimestep(int t) =>
        t >= 0 && t < NumTrainTimesteps ? t : throw new SchedulerException($"timestep {t} is outside of 0..{NumTrainTimesteps - 1}", "timestep", "lower steps_offset or the number of steps");
}

/// <summary>Limits of the predicted clean sample.</summary>
public sealed record SampleClip(double Minimum = -1, double Maximum = 1);
