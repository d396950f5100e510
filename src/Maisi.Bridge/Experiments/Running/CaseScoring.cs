using Maisi.Bridge.Evaluation;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Experiments;

/// <summary>Scores written predictions.</summary>
internal static class CaseScoring
{
    /// <summary>Scores one case on the grid of its label map.</summary>
    /// <param name="item">The case.</param>
    /// <param name="prediction">The prediction, in class numbers.</param>
    /// <param name="shownAs">The path to record.</param>
    /// <param name="classes">The classes.</param>
    /// <exception cref="MaisiException">A file is broken, or the grids differ.</exception>
    public static CaseScore Score(ExperimentCase item, string prediction, string shownAs, IReadOnlyList<ExperimentClass> classes)
    {
        var scores = SegmentationMetrics.Compute(VolumeFile.Read(prediction), ClassMap.Read(item.Label, classes), [.. Enumerable.Range(1, classes.Count)]);
        Dictionary<string, double> Known(Func<ClassScores, double> score) => classes.Zip(scores).Where(p => double.IsFinite(score(p.Second)))
            .ToDictionary(p => p.First.Name, p => score(p.Second), StringComparer.Ordinal);
        return new CaseScore
        {
            CaseId = item.CaseId,
            PatientId = item.PatientId,
            // A class that the truth has not has no Dice, whatever was predicted.
            Dice = Known(s => s.TruthVoxels > 0 ? s.Dice : double.NaN),
            Hausdorff95 = Known(s => s.HausdorffDistance),
            Voxels = classes.Zip(scores).ToDictionary(p => p.First.Name, p => new[] { p.Second.PredictedVoxels, p.Second.TruthVoxels }, StringComparer.Ordinal),
            Prediction = shownAs,
        };
    }
}
