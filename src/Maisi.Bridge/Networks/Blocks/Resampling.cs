using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Changes of resolution by two that have no weights, in 2D or 3D.</summary>
internal static class Resampling
{
    /// <summary>Every voxel becomes a 2×2(×2) block.</summary>
    public static Tensor NearestTimesTwo(Tensor x) => Widened(x, w => nn.functional.interpolate(w, null, PerAxis(w, 2.0), InterpolationMode.Nearest));

    /// <summary>Linear interpolation with half-pixel centres (align_corners false), by two.</summary>
    public static Tensor LinearTimesTwo(Tensor x) => Linear(x, PerAxis(x, 2.0));

    /// <summary>Linear interpolation with half-pixel centres, by a factor per axis.</summary>
    public static Tensor Linear(Tensor x, double[] factors) =>
        Widened(x, w => nn.functional.interpolate(w, null, factors, w.dim() == 5 ? InterpolationMode.Trilinear : InterpolationMode.Bilinear, false));

    /// <summary>Mean of every 2×2(×2) block; an odd remainder is dropped.</summary>
    public static Tensor AverageHalf(Tensor x) => Widened(x, w =>
        w.dim() == 5 ? nn.functional.avg_pool3d(w, PerAxis(w, 2L), PerAxis(w, 2L)) : nn.functional.avg_pool2d(w, PerAxis(w, 2L), PerAxis(w, 2L)));

    /// <summary>One zero voxel at the end of every spatial axis.</summary>
    public static Tensor PadEnd(Tensor x) => nn.functional.pad(x, x.dim() == 5 ? [0L, 1, 0, 1, 0, 1] : [0L, 1, 0, 1]);

    /// <summary>On the CPU, older libtorch versions resample fp32 only.</summary>
    private static Tensor Widened(Tensor x, Func<Tensor, Tensor> resample)
    {
        if (x.device_type != DeviceType.CPU || x.dtype is not (ScalarType.Float16 or ScalarType.BFloat16))
            return resample(x);
        using var wide = x.to(ScalarType.Float32);
        using var resampled = resample(wide);
        return resampled.to(x.dtype);
    }

    private static T[] PerAxis<T>(Tensor x, T value) => Enumerable.Repeat(value, (int)x.dim() - 2).ToArray();
}
