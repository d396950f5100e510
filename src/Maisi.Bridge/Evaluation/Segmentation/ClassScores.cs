namespace Maisi.Bridge.Evaluation;

/// <summary>
/// How well one class of a segmentation agrees with the truth. NaN is "not defined" and stays out of averages; which measure is NaN when
/// a class is missing on one side or both follows MONAI, see <see cref="SegmentationOptions.IgnoreEmpty"/> and the members.
/// </summary>
public sealed record ClassScores
{
    /// <summary>Voxel value of the class.</summary>
    public required int Label { get; init; }

    /// <summary>Voxels of the class in the truth.</summary>
    public required long TruthVoxels { get; init; }

    /// <summary>Voxels of the class in the prediction.</summary>
    public required long PredictedVoxels { get; init; }

    /// <summary>Volume of one voxel in ml.</summary>
    public required double VoxelMillilitres { get; init; }

    /// <summary>2·|P∩T| / (|P|+|T|). Empty truth: NaN (or 1 if the prediction is empty too, else 0).</summary>
    public required double Dice { get; init; }

    /// <summary>|P∩T| / |P∪T|, with Dice's rules for an empty truth.</summary>
    public required double Iou { get; init; }

    /// <summary>Percentile of the symmetric surface distances in mm. NaN when either is empty; infinite with percentile 100 or 0 and one empty.</summary>
    public required double HausdorffDistance { get; init; }

    /// <summary>Mean of the symmetric surface distances in mm. NaN when both are empty, infinite when one is.</summary>
    public required double AverageSurfaceDistance { get; init; }

    /// <summary>Share of both surfaces within the tolerance of the other. NaN when both are empty, 0 when one is.</summary>
    public required double SurfaceDice { get; init; }

    /// <summary>Connected lesions of the truth and which of them were found; null when lesions were not asked for.</summary>
    public LesionScores? Lesions { get; init; }

    /// <summary>True when the truth has the class and the prediction lacks it: HD95 is then undefined, so averages of it leave the failure out.</summary>
    public bool IsMissed => TruthVoxels > 0 && PredictedVoxels == 0;

    /// <summary>True when the prediction has the class and the truth lacks it.</summary>
    public bool IsInvented => TruthVoxels == 0 && PredictedVoxels > 0;

    /// <summary>Volume in the truth in ml.</summary>
    public double TruthMillilitres => TruthVoxels * VoxelMillilitres;

    /// <summary>Volume in the prediction in ml.</summary>
    public double PredictedMillilitres => PredictedVoxels * VoxelMillilitres;

    /// <summary>(predicted - true volume) / true volume; NaN for an empty truth.</summary>
    public double RelativeVolumeError => TruthVoxels > 0 ? (PredictedVoxels - TruthVoxels) / (double)TruthVoxels : double.NaN;
}

/// <summary>Detection of the connected pieces (26 neighbours) of one class.</summary>
/// <param name="TruthLesions">Pieces in the truth.</param>
/// <param name="DetectedLesions">Those of which enough is covered by the prediction.</param>
/// <param name="PredictedLesions">Pieces in the prediction.</param>
/// <param name="FalsePositives">Those of which not enough lies in the truth.</param>
public sealed record LesionScores(int TruthLesions, int DetectedLesions, int PredictedLesions, int FalsePositives)
{
    /// <summary>Detected share of the true lesions; NaN without any.</summary>
    public double Sensitivity => TruthLesions > 0 ? (double)DetectedLesions / TruthLesions : double.NaN;

    /// <summary>Share of the predicted lesions that are true; NaN without any.</summary>
    public double Precision => PredictedLesions > 0 ? (double)(PredictedLesions - FalsePositives) / PredictedLesions : double.NaN;
}

/// <summary>What is measured, and how.</summary>
public sealed record SegmentationOptions
{
    /// <summary>Percentile of the Hausdorff distance, 0 to 100; 0 gives the largest distance, as in MONAI.</summary>
    public double HausdorffPercentile { get; init; } = 95;

    /// <summary>Distance in mm up to which surfaces agree, for the surface Dice.</summary>
    public double SurfaceTolerance { get; init; } = 1;

    /// <summary>Tolerances of single classes in place of <see cref="SurfaceTolerance"/>.</summary>
    public IReadOnlyDictionary<int, double> SurfaceTolerances { get; init; } = new Dictionary<int, double>();

    /// <summary>MONAI's ignore_empty: Dice and IoU of a class that the truth lacks are NaN. False: 1 when the prediction lacks it too, else 0.</summary>
    public bool IgnoreEmpty { get; init; } = true;

    /// <summary>Count connected lesions of these classes; empty for none.</summary>
    public IReadOnlyCollection<int> LesionLabels { get; init; } = [];

    /// <summary>Share of a lesion that the other side must cover for it to count as found; 0 asks for one voxel.</summary>
    public double LesionOverlap { get; init; }

    /// <summary>False leaves out surface distances, which take most of the time: they are NaN then.</summary>
    public bool Surfaces { get; init; } = true;
}
