// monai/metrics/regression.py (MONAI 1.5).
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Evaluation;

/// <summary>Differences of two images of one grid, voxel by voxel, in float64.</summary>
/// <param name="MeanAbsoluteError">Mean of |a - b|, in the unit of the images.</param>
/// <param name="MeanSquaredError">Mean of (a - b)².</param>
/// <param name="Psnr">Peak signal-to-noise ratio in dB for the range given; infinite for equal images.</param>
public sealed record ImageErrors(double MeanAbsoluteError, double MeanSquaredError, double Psnr)
{
    /// <summary>Root of the mean squared error.</summary>
    public double RootMeanSquaredError => Math.Sqrt(MeanSquaredError);
}

/// <summary>Compares an image with its counterpart.</summary>
public static class ImageMetrics
{
    /// <summary>Errors over all voxels.</summary>
    /// <param name="image">The image.</param>
    /// <param name="reference">Its counterpart on the same grid.</param>
    /// <param name="range">Largest minus smallest possible value: 2000 for HU from -1000 to 1000.</param>
    /// <exception cref="MaisiException">Different sizes, NaN, or a range that is not positive.</exception>
    public static ImageErrors Errors(Volume image, Volume reference, double range)
    {
        Comparable(image, reference, range);
        var (a, b) = (image.ConvertTo<float>().Memory<float>(), reference.ConvertTo<float>().Memory<float>());
        const int Chunk = 4096; // partial sums keep the rounding error small
        var (absolute, squared) = (0.0, 0.0);
        for (var from = 0; from < a.Length; from += Chunk)
        {
            var x = a.Span[from..Math.Min(a.Length, from + Chunk)];
            var y = b.Span[from..Math.Min(a.Length, from + Chunk)];
            var (partAbsolute, partSquared) = (0.0, 0.0);
            for (var i = 0; i < x.Length; i++)
            {
                var d = (double)x[i] - y[i];
                partAbsolute += Math.Abs(d);
                partSquared += d * d;
            }
            (absolute, squared) = (absolute + partAbsolute, squared + partSquared);
        }
        var mse = squared / a.Length;
        return new(absolute / a.Length, mse, 20 * Math.Log10(range) - 10 * Math.Log10(mse));
    }

    /// <summary>Mean absolute error within each label that occurs, by label; 0 is background.</summary>
    /// <param name="image">The image.</param>
    /// <param name="reference">Its counterpart.</param>
    /// <param name="labels">Label map of the same grid.</param>
    /// <exception cref="MaisiException">Different sizes, NaN, or a map that holds no labels.</exception>
    public static IReadOnlyDictionary<int, double> MeanAbsoluteErrorPerLabel(Volume image, Volume reference, Volume labels)
    {
        Comparable(image, reference, 1);
        LabelOverlap.RequireLabels(labels, "the label map");
        if (!labels.Grid.Matches(reference.Grid, 1e-2))
            throw new MaisiException($"the label map is {labels.Grid}, the image {reference.Grid}, or their places differ", hint: "resample the labels to the image");
        var a = image.ConvertTo<float>().Voxels<float>();
        var b = reference.ConvertTo<float>().Voxels<float>();
        var ids = labels.ConvertTo<int>().Voxels<int>();
        var sums = new SortedDictionary<int, (double Sum, long Count)>();
        for (var i = 0; i < ids.Length;)
        {
            var (label, sum, from) = (ids[i], 0.0, i);
            for (; i < ids.Length && ids[i] == label; i++)
                sum += Math.Abs((double)a[i] - b[i]);
            var total = sums.GetValueOrDefault(label);
            sums[label] = (total.Sum + sum, total.Count + i - from);
        }
        return sums.ToDictionary(s => s.Key, s => s.Value.Sum / s.Value.Count);
    }

    /// <summary>Refuses pairs that cannot be compared.</summary>
    internal static void Comparable(Volume image, Volume reference, double range)
    {
        if (!image.Shape.SequenceEqual(reference.Shape))
            throw new MaisiException($"the image has {string.Join("×", image.Shape)} voxels, its counterpart {string.Join("×", reference.Shape)}", hint: "resample one to the other, for instance by 'maisi volume resample --like'");
        if (!double.IsFinite(range) || range <= 0)
            throw new MaisiException($"the range of values is {range}", hint: "give a positive number: 2000 for HU from -1000 to 1000");
        RequireNumbers(image, "the image");
        RequireNumbers(reference, "the counterpart");
    }

    /// <summary>Refuses an image with voxels that are not finite.</summary>
    internal static void RequireNumbers(Volume image, string what)
    {
        if (!image.Type.IsFloat())
            return;
        var bad = 0L;
        foreach (var value in image.ConvertTo<float>().Voxels<float>())
            bad += float.IsFinite(value) ? 0 : 1;
        if (bad > 0)
            throw new MaisiException($"{what} has {bad} voxels that are no number (NaN or infinite)", hint: "replace them, for CT by -1000, and try again");
    }
}
