// Port of monai/networks/schedulers/rectified_flow.py (MONAI 1.5); Liu et al., arXiv:2209.03003; Esser et al., arXiv:2403.03206.
using static TorchSharp.torch;

namespace Maisi.Bridge.Schedulers;

/// <summary>How training timesteps are drawn.</summary>
public enum TimestepSampling
{
    /// <summary>Evenly.</summary>
    Uniform,

    /// <summary>sigmoid(loc + scale·n) for standard normal n.</summary>
    LogitNormal,
}

/// <summary>Arguments of MONAI 1.5's <c>RFlowScheduler</c>, and one of our own.</summary>
public sealed record RFlowSchedulerConfig
{
    public int NumTrainTimesteps { get; init; } = 1000;
    public bool UseDiscreteTimesteps { get; init; } = true;
    public string SampleMethod { get; init; } = "uniform";
    public double Loc { get; init; }
    public double Scale { get; init; } = 1;
    public bool UseTimestepTransform { get; init; }

    /// <summary>Accepted: upstream stores it and never uses it.</summary>
    public double TransformScale { get; init; } = 1;
    public int StepsOffset { get; init; }
    public long BaseImgSizeNumel { get; init; } = 32 * 32 * 32;
    public int SpatialDim { get; init; } = 3;

    /// <summary>Our own: whether a step ends at the next timestep itself, instead of at that timestep rounded down as upstream's does.</summary>
    public bool Corrected { get; init; }
}

/// <summary>
/// Rectified flow: the network predicts the velocity from noise to image, and a step follows it. In parity with upstream, timesteps are
/// rounded to half precision, and the next timestep of a step is rounded down to an integer, so that the steps of a run do not sum to
/// exactly 1 (1.0096 for 30 steps at 64³); <see cref="RFlowSchedulerConfig.Corrected"/> repairs the latter.
/// </summary>
public sealed class RFlowScheduler : Scheduler
{
    private readonly RFlowSchedulerConfig _config;

    /// <param name="config">The arguments of the definition.</param>
    /// <exception cref="SchedulerException">An unknown sample method.</exception>
    public RFlowScheduler(RFlowSchedulerConfig config)
        : base(config.NumTrainTimesteps)
    {
        _config = config;
        Sampling = config.SampleMethod switch
        {
            "uniform" => TimestepSampling.Uniform,
            "logit-normal" => TimestepSampling.LogitNormal,
            _ => throw new SchedulerException($"unknown sample_method '{config.SampleMethod}'", "sample_method", "use uniform or logit-normal"),
        };
    }

    /// <summary>How training timesteps are drawn.</summary>
    public TimestepSampling Sampling { get; }

    /// <inheritdoc/>
    public override void SetTimesteps(int steps, long? latentVoxels = null)
    {
        CheckCount(steps);
        if (_config.UseTimestepTransform && latentVoxels is null)
            throw new SchedulerException("the timestep transform needs the number of latent voxels", "input_img_size_numel", "pass the product of the latent's spatial extents");
        Timesteps = [.. Enumerable.Range(0, steps).Select(i => Timestep((1.0 - ((double)i / steps)) * NumTrainTimesteps, latentVoxels ?? 0))];
    }

    /// <inheritdoc/>
    public override SchedulerStep Step(Tensor modelOutput, int index, Tensor sample, Tensor? noise = null)
    {
        if (index < 0 || index >= Timesteps.Count)
            throw new SchedulerException($"step {index} was asked for, but the run has {Timesteps.Count} steps", "timesteps", "call SetTimesteps first");
        return StepAt(modelOutput, Timesteps[index], sample, index + 1 < Timesteps.Count ? Timesteps[index + 1] : 0);
    }

    /// <summary>As <see cref="Step"/>, from one timestep to another; without the other, by 1 / steps of the run.</summary>
    public SchedulerStep StepAt(Tensor modelOutput, double t, Tensor sample, double? next = null)
    {
        using var scope = NewDisposeScope();
        var dt = next is { } target ? Difference(t, target) / NumTrainTimesteps : 1.0 / Timesteps.Count;
        var previous = sample + (modelOutput * dt);
        var original = sample + (modelOutput * t / NumTrainTimesteps);
        return new SchedulerStep(previous.MoveToOuterDisposeScope(), original.MoveToOuterDisposeScope());
    }

    /// <inheritdoc/>
    public override Tensor AddNoise(Tensor original, Tensor noise, Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var share = 1 - (timesteps.to(ScalarType.Float32) / (double)NumTrainTimesteps);
        share = share.reshape([-1, .. Enumerable.Repeat(1L, (int)noise.dim() - 1)]);
        return ((share * original) + ((1 - share) * noise)).MoveToOuterDisposeScope();
    }

    /// <summary>Timesteps for a training batch.</summary>
    /// <param name="draws">[B]: uniform in [0, 1), or standard normal for logit-normal sampling.</param>
    /// <param name="latent">The batch, for its spatial extents: [B, C, X, Y(, Z)].</param>
    /// <returns>[B].</returns>
    public Tensor SampleTimesteps(Tensor draws, Tensor latent)
    {
        using var scope = NewDisposeScope();
        var t = (Sampling == TimestepSampling.Uniform ? draws : ((draws * _config.Scale) + _config.Loc).sigmoid()) * (double)NumTrainTimesteps;
        if (_config.UseDiscreteTimesteps)
            t = t.to(ScalarType.Int64);
        if (_config.UseTimestepTransform)
        {
            var spatial = latent.shape[2..];
            var ratio = (double)Ratio(spatial.Aggregate(1L, (a, b) => a * b), spatial.Length);
            t /= (double)NumTrainTimesteps;
            t = t * ratio / ((t * (ratio - 1)) + 1) * (double)NumTrainTimesteps;
        }
        return t.MoveToOuterDisposeScope();
    }

    /// <summary>As <see cref="SampleTimesteps(Tensor, Tensor)"/>, with draws from libtorch's default generator.</summary>
    public Tensor SampleTimesteps(Tensor latent)
    {
        using var draws = Sampling == TimestepSampling.Uniform ? rand(latent.shape[0], device: latent.device) : randn(latent.shape[0], device: latent.device);
        return SampleTimesteps(draws, latent);
    }

    /// <summary>Upstream computes with the latent's voxel count as a tensor, hence in fp32, and then rounds to half.</summary>
    private double Timestep(double t, long latentVoxels)
    {
        if (_config.UseDiscreteTimesteps)
            t = Math.Round(t, MidpointRounding.ToEven);
        if (_config.UseTimestepTransform)
        {
            float ratio = Ratio(latentVoxels, _config.SpatialDim), share = (float)(t / NumTrainTimesteps);
            t = ratio * share / (1 + ((ratio - 1) * share)) * NumTrainTimesteps;
        }
        var rounded = (double)(Half)t;
        return _config.UseDiscreteTimesteps ? Math.Truncate(rounded) + _config.StepsOffset : (double)(Half)(rounded + _config.StepsOffset);
    }

    private float Ratio(long voxels, int spatialDims) => MathF.Pow((float)voxels / _config.BaseImgSizeNumel, (float)(1.0 / spatialDims));

    private double Difference(double t, double next)
    {
        if (_config.Corrected)
            return t - next;
        var difference = t - Math.Truncate(next);
        return _config.UseDiscreteTimesteps ? difference : (double)(Half)difference;
    }
}
