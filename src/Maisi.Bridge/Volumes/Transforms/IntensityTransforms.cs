using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Volumes;

/// <summary>Maps a range of values linearly to another. Source: monai/transforms/intensity/array.py.</summary>
/// <param name="aMin">Becomes <paramref name="bMin"/>.</param>
/// <param name="aMax">Becomes <paramref name="bMax"/>; equal to <paramref name="aMin"/> only shifts.</param>
/// <param name="bMin">Null leaves 0 to 1.</param>
/// <param name="bMax">Null leaves 0 to 1.</param>
/// <param name="clip">Cut off what falls outside the new range.</param>
public sealed class ScaleIntensityRange(double aMin, double aMax, double? bMin = null, double? bMax = null, bool clip = false) : IVolumeTransform
{
    /// <inheritdoc/>
    public VolumeTensor Apply(VolumeTensor input) => input with { Data = Scale(input.Data, aMin, aMax, bMin, bMax, clip) };

    internal static Tensor Scale(Tensor data, double aMin, double aMax, double? bMin, double? bMax, bool clip)
    {
        using var scope = NewDisposeScope();
        var x = data.to(ScalarType.Float32);
        if (aMax == aMin)
            return (bMin is null ? x - aMin : x - aMin + bMin.Value).MoveToOuterDisposeScope();
        x = (x - aMin) / (aMax - aMin);
        if (bMin is { } low && bMax is { } high)
            x = x * (high - low) + low;
        return (clip ? x.clamp(bMin, bMax) : x).MoveToOuterDisposeScope();
    }
}

/// <summary>As <see cref="ScaleIntensityRange"/>, between percentiles of the values (linear between neighbours).</summary>
/// <param name="lower">Percentile that becomes <paramref name="bMin"/>.</param>
/// <param name="upper">Percentile that becomes <paramref name="bMax"/>.</param>
/// <param name="bMin">Lower end of the new range.</param>
/// <param name="bMax">Upper end of the new range.</param>
/// <param name="clip">Cut off what falls outside.</param>
/// <param name="relative">Scale to the percentiles of the new range.</param>
/// <param name="channelWise">Each channel by itself.</param>
public sealed class ScaleIntensityRangePercentiles(double lower, double upper, double bMin, double bMax, bool clip = false, bool relative = false, bool channelWise = false)
    : IVolumeTransform
{
    /// <inheritdoc/>
    public VolumeTensor Apply(VolumeTensor input)
    {
        using var scope = NewDisposeScope();
        var data = channelWise ? stack(Enumerable.Range(0, input.Channels).Select(c => Scale(input.Data[c])).ToArray()) : Scale(input.Data);
        return input with { Data = data.MoveToOuterDisposeScope() };
    }

    private Tensor Scale(Tensor data)
    {
        var values = data.to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
        Array.Sort(values);
        var (low, high) = relative ? ((bMax - bMin) * (lower / 100) + bMin, (bMax - bMin) * (upper / 100) + bMin) : (bMin, bMax);
        return ScaleIntensityRange.Scale(data, Quantiles.OfSingles(values, lower / 100), Quantiles.OfSingles(values, upper / 100), low, high, clip);
    }
}

/// <summary>Maps the smallest and the largest value to a range.</summary>
/// <param name="minv">For the smallest value.</param>
/// <param name="maxv">For the largest value.</param>
public sealed class ScaleIntensity(double minv = 0, double maxv = 1) : IVolumeTransform
{
    /// <inheritdoc/>
    public VolumeTensor Apply(VolumeTensor input)
    {
        using var scope = NewDisposeScope();
        var (low, high) = (input.Data.min(), input.Data.max());
        var x = input.Data.to(ScalarType.Float32);
        var scaled = low.ToDouble() == high.ToDouble() ? x * minv : (x - low) / (high - low) * (maxv - minv) + minv;
        return input with { Data = scaled.MoveToOuterDisposeScope() };
    }
}

/// <summary>Subtracts the mean and divides by the population standard deviation.</summary>
/// <param name="nonzero">Look at and change only values that are not 0.</param>
/// <param name="channelWise">Each channel by itself.</param>
public sealed class NormalizeIntensity(bool nonzero = false, bool channelWise = false) : IVolumeTransform
{
    /// <inheritdoc/>
    public VolumeTensor Apply(VolumeTensor input)
    {
        using var scope = NewDisposeScope();
        var x = input.Data.to(ScalarType.Float32);
        var data = channelWise ? stack(Enumerable.Range(0, input.Channels).Select(c => Normalise(x[c])).ToArray()) : Normalise(x);
        return input with { Data = data.MoveToOuterDisposeScope() };
    }

    private Tensor Normalise(Tensor x)
    {
        var inside = nonzero ? x.ne(0) : x.ne(double.NaN);
        var values = nonzero ? x.masked_select(inside) : x;
        if (values.numel() == 0)
            return x;
        var deviation = values.std(unbiased: false).ToDouble();
        var normal = (x - values.mean().ToDouble()) / (deviation == 0 ? 1 : deviation);
        return nonzero ? where(inside, normal, x) : normal;
    }
}
