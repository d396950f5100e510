namespace Maisi.Bridge.Evaluation;

/// <summary>What the audit says of a synthetic case.</summary>
public enum CopyVerdict
{
    /// <summary>No nearer to a training case than unseen real cases are.</summary>
    NotACopy,

    /// <summary>Nearer to the training cases than unseen real cases usually are, but not to one of them alone: look at the picture.</summary>
    Suspicious,

    /// <summary>Far nearer to one training case than chance explains.</summary>
    Copy,
}

/// <summary>The nearest training case of a case in one space.</summary>
/// <param name="File">The training case.</param>
/// <param name="Mirrored">True when the mirror image of the case is the nearer one.</param>
/// <param name="Distance">√(2 - 2·correlation), 0 to 2.</param>
/// <param name="Ratio">Distance over the mean distance of the next nearest ones: small when one training case stands out.</param>
/// <param name="Score">Membership score: how many standard deviations of the calibration cases the logarithm of the ratio lies below their median.</param>
/// <param name="DistanceScore">The same of the distance.</param>
/// <param name="PValue">Share of the calibration cases (itself counted) that are at least as near by their ratio.</param>
public sealed record NearestCase(string File, bool Mirrored, double Distance, double Ratio, double Score, double DistanceScore, double PValue);

/// <summary>A synthetic case.</summary>
/// <param name="File">The image.</param>
/// <param name="Nearest">Its nearest training case in each space.</param>
/// <param name="Verdict">The worst of the spaces.</param>
public sealed record AuditedCase(string File, IReadOnlyDictionary<DescriptorSpace, NearestCase> Nearest, CopyVerdict Verdict)
{
    /// <summary>The largest membership score of the spaces.</summary>
    public double Score => Nearest.Values.Max(n => n.Score);
}

/// <summary>The calibration of one space.</summary>
/// <param name="Median">Median distance of a calibration case to its nearest training case.</param>
/// <param name="Smallest">Smallest such distance.</param>
/// <param name="MedianRatio">Median of the ratios.</param>
/// <param name="SmallestRatio">Smallest ratio.</param>
/// <param name="Closer">
/// Probability that a synthetic case is nearer to the training cases than a calibration case is (0.5: as near). Smooth images are nearer to
/// everything, so that a value above 0.5 alone is no proof.
/// </param>
public sealed record SpaceCalibration(double Median, double Smallest, double MedianRatio, double SmallestRatio, double Closer);

/// <summary>The audit of a set.</summary>
public sealed record MemorisationResult
{
    /// <summary>Synthetic cases, the most suspicious first.</summary>
    public required IReadOnlyList<AuditedCase> Cases { get; init; }

    /// <summary>Calibration by space.</summary>
    public required IReadOnlyDictionary<DescriptorSpace, SpaceCalibration> Calibration { get; init; }

    /// <summary>Distances of the calibration cases to their nearest training cases, by space.</summary>
    public required IReadOnlyDictionary<DescriptorSpace, IReadOnlyList<double>> CalibrationDistances { get; init; }

    /// <summary>Training cases.</summary>
    public required int TrainingCases { get; init; }

    /// <summary>Calibration cases.</summary>
    public required int CalibrationCases { get; init; }

    /// <summary>True when the training cases themselves, each against the others, calibrated the audit.</summary>
    public required bool CalibratedOnTraining { get; init; }

    /// <summary>Membership score from which a case counts as a copy.</summary>
    public required double Threshold { get; init; }

    /// <summary>Cases that count as copies.</summary>
    public int Copies => Cases.Count(c => c.Verdict == CopyVerdict.Copy);

    /// <summary>Cases to look at.</summary>
    public int Suspicious => Cases.Count(c => c.Verdict == CopyVerdict.Suspicious);
}
