namespace Maisi.Bridge.Experiments;

/// <summary>One training: an arm, a seed, a fold, and where its files go.</summary>
/// <param name="Arm">The arm.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Fold">The fold of the plan.</param>
/// <param name="Device">Where to compute.</param>
internal sealed record TrainingUnit(ArmKind Arm, ulong Seed, FoldPlan Fold, string Device)
{
    /// <summary>Its folder in the experiment.</summary>
    public string Folder => ExperimentFolder.Unit(Arm, Seed, Fold.Fold);
}

/// <summary>
/// Trains a network for segmentation and predicts with it. Predictions are class numbers on the grid of the image, so that all trainers are
/// scored in the same way from what they have written.
/// </summary>
internal interface ISegmentationTrainer : IAsyncDisposable
{
    /// <summary>Trains a fold, or goes on with it, and writes a prediction of each validation case to <c>validation/CASE.nii.gz</c>.</summary>
    Task<TrainedUnit> TrainAsync(TrainingUnit unit, IProgress<WorkProgress>? progress, CancellationToken cancellation);

    /// <summary>Removes what only an unfinished training needs; called when its result is in place.</summary>
    void Forget(TrainingUnit unit);

    /// <summary>Predicts the test cases by all folds of an arm together and writes them to <c>CASE.nii.gz</c> in the arm's test folder.</summary>
    /// <param name="arm">The arm.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="units">The results of its folds.</param>
    Task TestAsync(ArmKind arm, ulong seed, IReadOnlyList<UnitResult> units, string device, IProgress<WorkProgress>? progress, CancellationToken cancellation);
}

/// <summary>What a trainer says about a training.</summary>
/// <param name="Seconds">Wall-clock seconds.</param>
/// <param name="ProcessorSeconds">Processor seconds, where they are known.</param>
/// <param name="Steps">Optimizer steps.</param>
/// <param name="Models">Files of the network, relative to the experiment.</param>
/// <param name="Curve">Loss and validation by step.</param>
/// <param name="Versions">Libraries.</param>
internal sealed record TrainedUnit(
    double Seconds, double? ProcessorSeconds, int Steps, IReadOnlyList<string> Models, IReadOnlyList<CurvePoint> Curve, IReadOnlyDictionary<string, string> Versions);
