using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Evaluation;

/// <summary>An image against its counterpart.</summary>
/// <param name="Name">The case.</param>
/// <param name="Errors">Voxel by voxel.</param>
/// <param name="Ssim">Structural similarity in 3D.</param>
/// <param name="MultiScaleSsim">On several scales; NaN where the image is too small for them.</param>
/// <param name="ErrorPerLabel">Mean absolute error per label; empty without label maps.</param>
public sealed record ImageScores(string Name, ImageErrors Errors, double Ssim, double MultiScaleSsim, IReadOnlyDictionary<int, double> ErrorPerLabel);

/// <summary>What images are compared by.</summary>
public sealed record ImageOptions
{
    /// <summary>Smallest value that counts; smaller ones are raised to it.</summary>
    public double Low { get; init; } = -1000;

    /// <summary>Largest value that counts; larger ones are cut to it. PSNR and SSIM take High - Low as the range.</summary>
    public double High { get; init; } = 1000;

    /// <summary>Window and weights of SSIM; its range is ignored.</summary>
    public SimilarityOptions Similarity { get; init; } = new();

    internal double Range => High - Low;
}

/// <summary>Compares images with their counterparts, and sets of images with each other.</summary>
public static class ImageEvaluator
{
    /// <summary>Scores pairs, one in memory at a time.</summary>
    /// <param name="pairs">Name, image and counterpart.</param>
    /// <param name="labels">Label map of each pair; empty for none.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="progress">Hears after every pair.</param>
    /// <param name="cancellation">Checked before every pair.</param>
    /// <exception cref="MaisiException">A pair cannot be compared; the message names it.</exception>
    public static IReadOnlyList<ImageScores> Pairs(
        IReadOnlyList<(string Name, string Image, string Reference)> pairs, IReadOnlyList<string> labels, ImageOptions? options = null, IProgress<WorkProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        options = Checked(options);
        var clock = new StageClock("compare", pairs.Count, progress);
        var similarity = options.Similarity with { Range = options.Range };
        return [.. pairs.Select((pair, i) =>
        {
            cancellation.ThrowIfCancellationRequested();
            return Named($"case '{pair.Name}': {pair.Image} and {pair.Reference}", () =>
            {
                var (image, reference) = (Clipped(VolumeFile.Read(pair.Image), options), Clipped(VolumeFile.Read(pair.Reference), options));
                if (!image.Grid.Matches(reference.Grid, 1e-2))
                    throw new MaisiException($"the image ({image.Grid}) and its counterpart ({reference.Grid}) lie on different grids", hint: "resample one to the other, for instance by 'maisi volume resample --like'");
                var scores = new ImageScores(
                    pair.Name, ImageMetrics.Errors(image, reference, options.Range), StructuralSimilarity.Ssim(image, reference, similarity), MultiScale(image, reference, similarity),
                    labels.Count == 0 ? new Dictionary<int, double>() : ImageMetrics.MeanAbsoluteErrorPerLabel(image, reference, VolumeFile.Read(labels[i])));
                clock.Report(i + 1, pair.Name);
                return scores;
            });
        })];
    }

    /// <summary>Values of a set, as a whole and per structure.</summary>
    /// <param name="images">The images.</param>
    /// <param name="labels">Their label maps; empty for none.</param>
    /// <param name="options">Low and High are the ends of the histograms.</param>
    /// <param name="progress">Hears after every image.</param>
    /// <param name="cancellation">Checked before every image.</param>
    /// <exception cref="MaisiException">A file cannot be used.</exception>
    public static ImageSet Values(
        IReadOnlyList<string> images, IReadOnlyList<string> labels, ImageOptions? options = null, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        options = Checked(options);
        var clock = new StageClock("values", images.Count, progress);
        var set = new ImageSet(options.Low, options.High);
        for (var i = 0; i < images.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var at = i;
            Named(images[i], () =>
            {
                set.Add(VolumeFile.Read(images[at]), labels.Count == 0 ? null : VolumeFile.Read(labels[at]));
                return true;
            });
            clock.Report(i + 1, Path.GetFileName(images[i]));
        }
        return set;
    }

    private static ImageOptions Checked(ImageOptions? options)
    {
        options ??= new ImageOptions();
        return double.IsFinite(options.Range) && options.Range > 0 ? options
            : throw new MaisiException($"values from {options.Low} to {options.High} are no range", "--range", "give two numbers, the smaller first");
    }

    private static Volume Clipped(Volume volume, ImageOptions options)
    {
        ImageMetrics.RequireNumbers(volume, "the image");
        var values = volume.Clone().ConvertTo<float>();
        foreach (ref var v in values.Voxels<float>())
            v = Math.Clamp(v, (float)options.Low, (float)options.High);
        return values;
    }

    private static double MultiScale(Volume image, Volume reference, SimilarityOptions options)
    {
        var division = (int)Math.Pow(Math.Max(1, options.Weights.Count - 1), 2);
        return StructuralSimilarity.Sizes(image).Where(n => n > 1).All(n => n / division > options.Window - 1) ? StructuralSimilarity.MultiScale(image, reference, options) : double.NaN;
    }

    private static T Named<T>(string where, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (MaisiException e) when (e.Where is null)
        {
            throw new MaisiException(e.Message, where, e.Hint, e);
        }
    }
}
