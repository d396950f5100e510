using static TorchSharp.torch;

namespace Maisi.Bridge.Volumes;

/// <summary>Adds normal noise of a random strength. Source of all in this file: monai/transforms/intensity/array.py.</summary>
/// <param name="prob">Probability.</param>
/// <param name="mean">Mean of the noise.</param>
/// <param name="std">Largest standard deviation.</param>
public sealed class RandGaussianNoise(double prob = 0.1, double mean = 0, double std = 0.1) : RandomTransform(prob)
{
    /// <inheritdoc/>
    protected override VolumeTensor Transform(VolumeTensor input)
    {
        using var scope = NewDisposeScope();
        var deviation = Random.Uniform(0, std);
        var noise = new float[input.Data.numel()];
        for (var i = 0; i < noise.Length; i++)
            noise[i] = (float)(mean + deviation * Random.Normal());
        return input with { Data = (input.Data.to(ScalarType.Float32) + tensor(noise, input.Data.shape).to(input.Data.device)).MoveToOuterDisposeScope() };
    }
}

/// <summary>Blurs with random widths.</summary>
/// <param name="prob">Probability.</param>
/// <param name="sigma">Smallest and largest width in voxels along each axis; null for 0.25 to 1.5.</param>
public sealed class RandGaussianSmooth(double prob = 0.1, (double Low, double High)[]? sigma = null) : RandomTransform(prob)
{
    /// <summary>MONAI's default range of a width.</summary>
    public static (double Low, double High) DefaultSigma { get; } = (0.25, 1.5);

    /// <inheritdoc/>
    protected override VolumeTensor Transform(VolumeTensor input)
    {
        var widths = Array.ConvertAll(sigma ?? [DefaultSigma, DefaultSigma, DefaultSigma], s => Random.Uniform(s.Low, s.High));
        return input with { Data = Sampling.Blur(input.Data.to(ScalarType.Float32), widths, truncated: 4) };
    }
}

/// <summary>Multiplies by one plus a random factor: with (0.9, 1.1), as in MAISI's training, by 1.9 to 2.1.</summary>
/// <param name="low">Smallest factor.</param>
/// <param name="high">Largest factor.</param>
/// <param name="prob">Probability.</param>
public sealed class RandScaleIntensity(double low, double high, double prob = 0.1) : RandomTransform(prob)
{
    /// <inheritdoc/>
    protected override VolumeTensor Transform(VolumeTensor input) => input with { Data = input.Data.to(ScalarType.Float32) * (1 + Random.Uniform(low, high)) };
}

/// <summary>Adds a random offset.</summary>
/// <param name="low">Smallest offset.</param>
/// <param name="high">Largest offset.</param>
/// <param name="prob">Probability.</param>
public sealed class RandShiftIntensity(double low, double high, double prob = 0.1) : RandomTransform(prob)
{
    /// <inheritdoc/>
    protected override VolumeTensor Transform(VolumeTensor input) => input with { Data = input.Data.to(ScalarType.Float32) + Random.Uniform(low, high) };
}

/// <summary>Raises the values, scaled to 0 to 1, to a random power.</summary>
/// <param name="prob">Probability.</param>
/// <param name="low">Smallest power.</param>
/// <param name="high">Largest power.</param>
public sealed class RandAdjustContrast(double prob = 0.1, double low = 0.5, double high = 4.5) : RandomTransform(prob)
{
    /// <inheritdoc/>
    protected override VolumeTensor Transform(VolumeTensor input)
    {
        using var scope = NewDisposeScope();
        var gamma = Random.Uniform(low, high);
        var x = input.Data.to(ScalarType.Float32);
        var (least, range) = (x.min(), x.max() - x.min());
        return input with { Data = (((x - least) / (range + 1e-7)).pow(gamma) * range + least).MoveToOuterDisposeScope() };
    }
}
