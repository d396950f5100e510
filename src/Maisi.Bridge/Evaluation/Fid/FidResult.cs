namespace Maisi.Bridge.Evaluation;

/// <summary>A number with an interval that resampling the volumes gave; NaN where there was none.</summary>
/// <param name="Value">The number.</param>
/// <param name="Low">2.5 % end.</param>
/// <param name="High">97.5 % end.</param>
public sealed record Interval(double Value, double Low, double High);

/// <summary>Distances of the slices of one plane.</summary>
public sealed record PlaneDistances
{
    /// <summary>The plane.</summary>
    public required SlicePlane Plane { get; init; }

    /// <summary>Slices of real volumes.</summary>
    public required long RealSlices { get; init; }

    /// <summary>Slices of synthetic volumes.</summary>
    public required long SyntheticSlices { get; init; }

    /// <summary>Fréchet distance.</summary>
    public required Interval Fid { get; init; }

    /// <summary>Kernel distance (unbiased; near 0 it may be negative) of features divided by the root mean square of the real ones.</summary>
    public required double Kid { get; init; }

    /// <summary>Its standard deviation over random subsets of slices.</summary>
    public required double KidDeviation { get; init; }

    /// <summary>Precision, recall, density and coverage.</summary>
    public required ManifoldScores Manifold { get; init; }
}

/// <summary>FID 2.5D of two sets of volumes, and everything that the number depends on.</summary>
public sealed record FidResult
{
    /// <summary>The feature network: distances of different networks must not be compared.</summary>
    public required string Network { get; init; }

    /// <summary>Hash of its weights.</summary>
    public required string NetworkFingerprint { get; init; }

    /// <summary>Features per slice.</summary>
    public required long Features { get; init; }

    /// <summary>What was done to the images.</summary>
    public required string Preprocessing { get; init; }

    /// <summary>Real volumes.</summary>
    public required int RealVolumes { get; init; }

    /// <summary>Synthetic volumes.</summary>
    public required int SyntheticVolumes { get; init; }

    /// <summary>Volumes whose features had to be computed; the others were cached.</summary>
    public required int Computed { get; init; }

    /// <summary>Resamples of the interval.</summary>
    public required int Resamples { get; init; }

    /// <summary>Share of the features' variance that the interval was computed on (principal components); 1 for all.</summary>
    public required double IntervalVariance { get; init; }

    /// <summary>XY, YZ and ZX.</summary>
    public required IReadOnlyList<PlaneDistances> Planes { get; init; }

    /// <summary>Mean FID of the three planes, as upstream reports it.</summary>
    public required Interval Mean { get; init; }

    /// <summary>What a reader must know about these numbers.</summary>
    public required IReadOnlyList<string> Notes { get; init; }
}
