// SSIMMetric and MultiScaleSSIMMetric in monai/metrics/regression.py (MONAI 1.5). Wang et al., IEEE TIP 13, 2004; Wang, Simoncelli, Bovik,
// "Multiscale structural similarity", Asilomar 2003.
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Evaluation;

/// <summary>Arguments of the structural similarity.</summary>
public sealed record SimilarityOptions
{
    /// <summary>Largest minus smallest possible value.</summary>
    public double Range { get; init; } = 1;

    /// <summary>Edge of the window in voxels; along an axis of one voxel (2D images) it is 1.</summary>
    public int Window { get; init; } = 11;

    /// <summary>Deviation of the Gaussian window in voxels; null for an even one.</summary>
    public double? Sigma { get; init; } = 1.5;

    /// <summary>Stability of the luminance term.</summary>
    public double K1 { get; init; } = 0.01;

    /// <summary>Stability of the contrast term.</summary>
    public double K2 { get; init; } = 0.03;

    /// <summary>Exponents of the scales, finest first, for the multi-scale index.</summary>
    public IReadOnlyList<double> Weights { get; init; } = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];
}

/// <summary>Structural similarity of two images, in 3D or (one slice) in 2D; windows lie inside the image.</summary>
public static class StructuralSimilarity
{
    /// <summary>Mean SSIM: 1 for equal images.</summary>
    /// <exception cref="MaisiException">Different sizes, NaN, or an image smaller than the window.</exception>
    public static double Ssim(Volume image, Volume reference, SimilarityOptions? options = null)
    {
        options ??= new SimilarityOptions();
        ImageMetrics.Comparable(image, reference, options.Range);
        return SimilarityField.Mean(image.ConvertTo<float>(), reference.ConvertTo<float>(), options).Ssim;
    }

    /// <summary>Multi-scale SSIM: contrast on every scale and SSIM on the coarsest, each to the power of its weight.</summary>
    /// <exception cref="MaisiException">As <see cref="Ssim"/>; an image too small for that many scales.</exception>
    public static double MultiScale(Volume image, Volume reference, SimilarityOptions? options = null)
    {
        options ??= new SimilarityOptions();
        ImageMetrics.Comparable(image, reference, options.Range);
        var (scales, division) = (options.Weights.Count, (int)Math.Pow(Math.Max(1, options.Weights.Count - 1), 2));
        // MONAI's condition, which is stricter than need be.
        var smallest = Sizes(image).Where(n => n > 1).DefaultIfEmpty(1).Min();
        if (smallest / division <= options.Window - 1)
        {
            throw new MaisiException($"an edge of {smallest} voxels is too short for {scales} scales of a window of {options.Window}",
                hint: $"it takes more than {(options.Window - 1) * division} voxels; use a smaller window or fewer scales");
        }
        var (a, b) = (image.ConvertTo<float>(), reference.ConvertTo<float>());
        var product = 1.0;
        for (var scale = 0; scale < scales; scale++)
        {
            var (ssim, contrast) = SimilarityField.Mean(a, b, options);
            product *= Math.Pow(Math.Max(0, scale == scales - 1 ? ssim : contrast), options.Weights[scale]);
            if (scale < scales - 1)
                (a, b) = (Halved(a), Halved(b));
        }
        return product;
    }

    internal static int[] Sizes(Volume volume) => [volume.SizeX, volume.SizeY, volume.SizeZ];

    // Means of 2×2×2 voxels; a last odd row is left out, as average pooling does.
    private static Volume Halved(Volume volume)
    {
        int[] step = [.. Sizes(volume).Select(n => Math.Min(n, 2))];
        var grid = new VolumeGrid(volume.SizeX / step[0], volume.SizeY / step[1], volume.SizeZ / step[2], volume.Affine);
        var (source, half) = (volume.Memory<float>(), new float[grid.Count]);
        Parallel.For(0, grid.SizeZ, z =>
        {
            var from = source.Span;
            for (var y = 0; y < grid.SizeY; y++)
                for (var x = 0; x < grid.SizeX; x++)
                {
                    var sum = 0.0;
                    for (var k = z * step[2]; k < (z + 1) * step[2]; k++)
                        for (var j = y * step[1]; j < (y + 1) * step[1]; j++)
                            for (var i = x * step[0]; i < (x + 1) * step[0]; i++)
                                sum += from[i + volume.SizeX * (j + volume.SizeY * k)];
                    half[x + grid.SizeX * (y + grid.SizeY * z)] = (float)(sum / (step[0] * step[1] * step[2]));
                }
        });
        return Volume.Wrap<float>(half, grid);
    }
}
