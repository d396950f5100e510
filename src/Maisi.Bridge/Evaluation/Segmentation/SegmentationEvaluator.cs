using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Evaluation;

/// <summary>The scores of one case.</summary>
/// <param name="Name">The case.</param>
/// <param name="Classes">One record per class, the same classes in every case.</param>
public sealed record CaseScores(string Name, IReadOnlyList<ClassScores> Classes);

/// <summary>Scores the label maps of many cases.</summary>
public static class SegmentationEvaluator
{
    /// <summary>Compares predicted with true label maps, one pair in memory at a time.</summary>
    /// <param name="cases">Name, prediction and truth.</param>
    /// <param name="labels">Classes; null for all labels but 0 that occur in any truth or prediction.</param>
    /// <param name="options">What is measured; null for the defaults.</param>
    /// <param name="progress">Hears after every case.</param>
    /// <param name="cancellation">Checked before every case.</param>
    /// <exception cref="MaisiException">A file cannot be read, or a pair cannot be compared; the message names it.</exception>
    public static IReadOnlyList<CaseScores> Run(
        IReadOnlyList<(string Name, string Prediction, string Truth)> cases, IReadOnlyList<int>? labels = null, SegmentationOptions? options = null,
        IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default) =>
        Run(cases, prediction => VolumeFile.Read(prediction), labels, options, progress, cancellation);

    /// <summary>As above, with predictions that are made from the file in the second place.</summary>
    internal static IReadOnlyList<CaseScores> Run(
        IReadOnlyList<(string Name, string Prediction, string Truth)> cases, Func<string, Volume> predict, IReadOnlyList<int>? labels, SegmentationOptions? options,
        IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var clock = new StageClock("score", cases.Count, progress);
        var scored = new List<CaseScores>();
        foreach (var (name, prediction, truth) in cases)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                scored.Add(new(name, SegmentationMetrics.Compute(predict(prediction), VolumeFile.Read(truth), labels, options)));
            }
            catch (MaisiException e) when (e.Where is null)
            {
                throw new MaisiException(e.Message, $"case '{name}': {prediction} and {truth}", e.Hint, e);
            }
            clock.Report(scored.Count, name);
        }
        return labels is null ? Aligned(scored, options ?? new()) : scored;
    }

    // Every case gets every class that any case has.
    private static List<CaseScores> Aligned(List<CaseScores> cases, SegmentationOptions options)
    {
        var labels = cases.SelectMany(c => c.Classes.Select(s => s.Label)).Distinct().Order().ToArray();
        return [.. cases.Select(c => c with { Classes = [.. labels.Select(l => c.Classes.FirstOrDefault(s => s.Label == l) ?? Absent(l, options))] })];
    }

    private static ClassScores Absent(int label, SegmentationOptions options) => new()
    {
        Label = label,
        TruthVoxels = 0,
        PredictedVoxels = 0,
        VoxelMillilitres = 0,
        Dice = options.IgnoreEmpty ? double.NaN : 1,
        Iou = options.IgnoreEmpty ? double.NaN : 1,
        HausdorffDistance = double.NaN,
        AverageSurfaceDistance = double.NaN,
        SurfaceDice = double.NaN,
        Lesions = options.LesionLabels.Contains(label) ? new(0, 0, 0, 0) : null,
    };
}
