// Definitions follow monai/metrics (meandice.py, meaniou.py, hausdorff_distance.py, surface_distance.py, surface_dice.py; MONAI 1.5).
// Maier-Hein et al., "Metrics reloaded", Nature Methods 2024, says which of them answers which question.
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Evaluation;

/// <summary>Compares label maps class by class.</summary>
public static class SegmentationMetrics
{
    /// <summary>Scores every class of a prediction against the truth.</summary>
    /// <param name="prediction">Label map.</param>
    /// <param name="truth">Label map on the same grid.</param>
    /// <param name="labels">Classes in the order of the result; null for all labels but 0 that occur in either.</param>
    /// <param name="options">What is measured; null for the defaults.</param>
    /// <returns>One record per class.</returns>
    /// <exception cref="MaisiException">The grids differ, or a volume holds no labels.</exception>
    public static IReadOnlyList<ClassScores> Compute(Volume prediction, Volume truth, IReadOnlyList<int>? labels = null, SegmentationOptions? options = null)
    {
        LabelOverlap.RequireLabels(prediction, "the prediction");
        LabelOverlap.RequireLabels(truth, "the truth");
        if (!prediction.Grid.Matches(truth.Grid, 1e-2))
        {
            throw new MaisiException(
                $"the prediction ({prediction.Grid} voxels of {Millimetres(prediction.Spacing)}, {prediction.Orientation}) and the truth ({truth.Grid} of {Millimetres(truth.Spacing)}, {truth.Orientation}) lie on different grids",
                hint: "resample one to the other with nearest neighbours, for instance by 'maisi volume resample --like'");
        }
        return Compute(
            prediction.ConvertTo<int>().Memory<int>(), truth.ConvertTo<int>().Memory<int>(), (truth.SizeX, truth.SizeY, truth.SizeZ), truth.Spacing, labels, options);
    }

    /// <summary>Scores label tensors [X, Y, Z] of whole numbers.</summary>
    /// <param name="prediction">Labels, [X, Y, Z].</param>
    /// <param name="truth">Labels of the same shape.</param>
    /// <param name="spacing">Millimetres between voxels along x, y and z.</param>
    /// <param name="labels">Classes in the order of the result; null for all but 0 that occur.</param>
    /// <param name="options">What is measured; null for the defaults.</param>
    /// <exception cref="MaisiException">The shapes differ.</exception>
    public static IReadOnlyList<ClassScores> Compute(
        Tensor prediction, Tensor truth, IReadOnlyList<double> spacing, IReadOnlyList<int>? labels = null, SegmentationOptions? options = null)
    {
        if (prediction.dim() != 3 || !prediction.shape.SequenceEqual(truth.shape))
            throw new MaisiException($"the prediction has shape [{string.Join(", ", prediction.shape)}], the truth [{string.Join(", ", truth.shape)}]", hint: "both are label maps [X, Y, Z] of one shape");
        using var scope = NewDisposeScope();
        // x fastest, as volumes have it.
        int[] Flat(Tensor t) => t.detach().cpu().to(ScalarType.Int32).permute(2, 1, 0).contiguous().data<int>().ToArray();
        return Compute(Flat(prediction), Flat(truth), ((int)truth.shape[0], (int)truth.shape[1], (int)truth.shape[2]), spacing, labels, options);
    }

    /// <summary>Scores label arrays, x fastest.</summary>
    /// <param name="prediction">Labels.</param>
    /// <param name="truth">Labels.</param>
    /// <param name="size">Voxels along x, y and z.</param>
    /// <param name="spacing">Millimetres between voxels along x, y and z.</param>
    /// <param name="labels">Classes in the order of the result; null for all but 0 that occur.</param>
    /// <param name="options">What is measured; null for the defaults.</param>
    /// <exception cref="MaisiException">Array lengths, spacing or options that are not possible.</exception>
    public static IReadOnlyList<ClassScores> Compute(
        ReadOnlyMemory<int> prediction, ReadOnlyMemory<int> truth, (int X, int Y, int Z) size, IReadOnlyList<double> spacing, IReadOnlyList<int>? labels = null,
        SegmentationOptions? options = null)
    {
        options ??= new SegmentationOptions();
        Check(prediction.Length, truth.Length, size, spacing, options);
        var overlaps = LabelOverlap.Count(prediction, truth, size);
        var wanted = labels ?? [.. overlaps.Keys.Where(l => l != 0).Order()];
        return [.. wanted.Select(label => Score(label, overlaps.GetValueOrDefault(label) ?? LabelOverlap.None, prediction, truth, size, spacing, options))];
    }

    private static ClassScores Score(
        int label, LabelOverlap overlap, ReadOnlyMemory<int> prediction, ReadOnlyMemory<int> truth, (int X, int Y, int Z) size, IReadOnlyList<double> spacing, SegmentationOptions options)
    {
        var (p, t, both) = (overlap.Predicted, overlap.Truth, overlap.Both);
        double IfEmpty() => options.IgnoreEmpty ? double.NaN : p == 0 ? 1 : 0;
        var tolerance = options.SurfaceTolerances.GetValueOrDefault(label, options.SurfaceTolerance);
        (BinaryMask Prediction, BinaryMask Truth)? masks = p + t > 0 && (options.Surfaces || options.LesionLabels.Contains(label)) ? overlap.Cut(label, prediction, truth, size) : null;
        var surfaces = !options.Surfaces ? null : p > 0 && t > 0 ? SurfaceDistances.Between(masks!.Value.Prediction, masks.Value.Truth, spacing) : SurfaceDistances.OfMissing(p + t > 0);
        return new ClassScores
        {
            Label = label,
            TruthVoxels = t,
            PredictedVoxels = p,
            VoxelMillilitres = spacing[0] * spacing[1] * spacing[2] / 1000,
            Dice = t == 0 ? IfEmpty() : 2.0 * both / (p + t),
            Iou = t == 0 ? IfEmpty() : (double)both / (p + t - both),
            HausdorffDistance = surfaces?.Hausdorff(options.HausdorffPercentile) ?? double.NaN,
            AverageSurfaceDistance = surfaces?.Average(symmetric: true) ?? double.NaN,
            SurfaceDice = surfaces?.Dice(tolerance) ?? double.NaN,
            Lesions = !options.LesionLabels.Contains(label) ? null : masks is { } m ? LesionDetection.Count(m.Prediction, m.Truth, options.LesionOverlap) : new(0, 0, 0, 0),
        };
    }

    private static void Check(int prediction, int truth, (int X, int Y, int Z) size, IReadOnlyList<double> spacing, SegmentationOptions options)
    {
        var count = (long)size.X * size.Y * size.Z;
        if (prediction != count || truth != count)
            throw new MaisiException($"{prediction} predicted and {truth} true labels do not fill {size.X}×{size.Y}×{size.Z} voxels");
        if (spacing.Count != 3 || spacing.Any(s => !double.IsFinite(s) || s <= 0))
            throw new MaisiException($"the spacing [{string.Join(", ", spacing)}] is not three positive numbers of mm");
        if (options.HausdorffPercentile is not (>= 0 and <= 100))
            throw new MaisiException($"{options.HausdorffPercentile} is no percentile", "HausdorffPercentile", "give a number from 0 to 100");
        if (options.SurfaceTolerances.Values.Append(options.SurfaceTolerance).Any(t => !double.IsFinite(t) || t < 0))
            throw new MaisiException("a surface tolerance is a finite number of mm, 0 or more", "SurfaceTolerance");
        if (options.LesionOverlap is not (>= 0 and <= 1))
            throw new MaisiException($"{options.LesionOverlap} is no share of a lesion", "LesionOverlap", "give a number from 0 to 1");
    }

    private static string Millimetres(IReadOnlyList<double> spacing) => FormattableString.Invariant($"{spacing[0]:0.###}×{spacing[1]:0.###}×{spacing[2]:0.###} mm");
}
