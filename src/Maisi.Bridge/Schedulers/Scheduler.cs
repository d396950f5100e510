using static TorchSharp.torch;

namespace Maisi.Bridge.Schedulers;

/// <summary>The result of one step.</summary>
/// <param name="Previous">The sample at the next, less noisy timestep.</param>
/// <param name="Original">The clean sample that the model output implies; null where the method has none.</param>
public sealed record SchedulerStep(Tensor Previous, Tensor? Original);

/// <summary>
/// The rule by which a diffusion model's output changes the sample. A scheduler has no weights; it holds the timesteps of the current
/// run, so that every run needs its own.
/// </summary>
public abstract class Scheduler
{
    /// <param name="numTrainTimesteps">Timesteps of training; networks see timesteps in [0, this].</param>
    /// <exception cref="SchedulerException">Not positive.</exception>
    protected Scheduler(int numTrainTimesteps)
    {
        if (numTrainTimesteps < 1)
            throw new SchedulerException($"num_train_timesteps is {numTrainTimesteps}, but must be at least 1");
        NumTrainTimesteps = numTrainTimesteps;
    }

    /// <summary>Timesteps of training.</summary>
    public int NumTrainTimesteps { get; }

    /// <summary>The timesteps of the run, noisiest first, as the network gets them. Empty before <see cref="SetTimesteps"/>.</summary>
    public IReadOnlyList<double> Timesteps { get; protected set; } = [];

    /// <summary>Chooses the timesteps of a run.</summary>
    /// <param name="steps">How many, at most <see cref="NumTrainTimesteps"/>.</param>
    /// <param name="latentVoxels">Product of the latent's spatial extents; needed by a scheduler whose timesteps depend on it.</param>
    /// <exception cref="SchedulerException">The count is out of range, or <paramref name="latentVoxels"/> is needed and missing.</exception>
    public abstract void SetTimesteps(int steps, long? latentVoxels = null);

    /// <summary>Whether <see cref="Step"/> at this index adds fresh noise.</summary>
    public virtual bool NeedsNoise(int index) => false;

    /// <summary>One step of the run. Steps are taken in order.</summary>
    /// <param name="modelOutput">What the network predicted at <c>Timesteps[index]</c>.</param>
    /// <param name="index">Index of the step.</param>
    /// <param name="sample">The sample that the network saw, in the same shape.</param>
    /// <param name="noise">Standard normal noise for a step that needs it; null draws it from libtorch's default generator.</param>
    public abstract SchedulerStep Step(Tensor modelOutput, int index, Tensor sample, Tensor? noise = null);

    /// <summary>Noises clean samples to given timesteps, for training.</summary>
    /// <param name="original">[B, ...].</param>
    /// <param name="noise">The same shape.</param>
    /// <param name="timesteps">[B].</param>
    public abstract Tensor AddNoise(Tensor original, Tensor noise, Tensor timesteps);

    /// <summary>The timestep at <paramref name="index"/> as the network takes it: fp32, one entry per sample.</summary>
    public Tensor TimestepTensor(int index, long batch, Device device) => full([batch], Timesteps[index], ScalarType.Float32, device);

    private protected void CheckCount(int steps)
    {
        if (steps < 1 || steps > NumTrainTimesteps)
            throw new SchedulerException(
                $"{steps} inference steps were asked for, but the model was trained with {NumTrainTimesteps} timesteps", "num_inference_steps", $"choose 1 to {NumTrainTimesteps}");
    }

    /// <summary>The given noise, or fresh noise in the shape and type of <paramref name="like"/>.</summary>
    private protected static Tensor NoiseOr(Tensor? noise, Tensor like) => noise ?? randn_like(like);
}

/// <summary>A scheduler that is asked for what it cannot do.</summary>
public sealed class SchedulerException : MaisiException
{
    /// <inheritdoc cref="MaisiException(string, string?, string?, Exception?)"/>
    public SchedulerException(string message, string? where = null, string? hint = null, Exception? inner = null)
        : base(message, where, hint, inner)
    {
    }
}
