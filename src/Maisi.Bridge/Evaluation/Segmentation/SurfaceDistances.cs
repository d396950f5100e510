// Definitions follow get_mask_edges, get_surface_distance and their users in monai/metrics (MONAI 1.5).
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Evaluation;

/// <summary>How the distance of two voxels is measured.</summary>
public enum DistanceMeasure
{
    /// <summary>Straight line, in mm.</summary>
    Euclidean,

    /// <summary>Largest difference along an axis, in voxels; the spacing is not used.</summary>
    Chessboard,

    /// <summary>Sum of the differences along the axes, in voxels; the spacing is not used.</summary>
    Taxicab,
}

/// <summary>
/// Distances between the surfaces of two masks. A surface is the voxels of a mask that have a face in common with a voxel outside of it
/// or with the border of the picture; each counts once, whatever its area.
/// </summary>
public sealed class SurfaceDistances
{
    // float32, as MONAI has them.
    private readonly float[] _toTruth, _toPrediction;

    private SurfaceDistances(float[] toTruth, float[] toPrediction) => (_toTruth, _toPrediction) = (toTruth, toPrediction);

    /// <summary>From each surface voxel of the prediction to the closest of the truth.</summary>
    public ReadOnlySpan<float> ToTruth => _toTruth;

    /// <summary>From each surface voxel of the truth to the closest of the prediction.</summary>
    public ReadOnlySpan<float> ToPrediction => _toPrediction;

    /// <summary>Measures the distances. If one mask is empty, there is one infinite distance; if both are, there is none.</summary>
    /// <param name="prediction">The one mask.</param>
    /// <param name="truth">The other, of the same size.</param>
    /// <param name="spacing">Millimetres between voxels along x, y and z.</param>
    /// <param name="measure">Kind of distance.</param>
    /// <exception cref="MaisiException">The masks differ in size.</exception>
    public static SurfaceDistances Between(BinaryMask prediction, BinaryMask truth, IReadOnlyList<double> spacing, DistanceMeasure measure = DistanceMeasure.Euclidean)
    {
        if ((prediction.SizeX, prediction.SizeY, prediction.SizeZ) != (truth.SizeX, truth.SizeY, truth.SizeZ))
            throw new MaisiException($"the masks have {prediction.SizeX}×{prediction.SizeY}×{prediction.SizeZ} and {truth.SizeX}×{truth.SizeY}×{truth.SizeZ} voxels");
        var (ours, theirs) = (MaskSurface.Of(prediction), MaskSurface.Of(truth));
        return ours.Length == 0 || theirs.Length == 0
            ? OfMissing(ours.Length + theirs.Length > 0)
            : new(Distances(truth, theirs, ours, spacing, measure), Distances(prediction, ours, theirs, spacing, measure));
    }

    /// <summary>What stands for the distances when a mask is empty: infinite when the other is not.</summary>
    public static SurfaceDistances OfMissing(bool otherExists) => otherExists ? new([float.PositiveInfinity], [float.PositiveInfinity]) : new([], []);

    /// <summary>
    /// Percentile of the distances, the larger of both directions. NaN without any surface, and for a percentile of infinite distances
    /// (as torch.quantile gives it); infinite for the maximum of those.
    /// </summary>
    /// <param name="percentile">0 to 100; 0 gives the maximum.</param>
    /// <param name="directed">Only from the prediction to the truth.</param>
    public double Hausdorff(double percentile = 95, bool directed = false)
    {
        var forward = Percentile(_toTruth, percentile);
        return directed ? forward : Math.Max(forward, Percentile(_toPrediction, percentile)); // Max keeps NaN
    }

    /// <summary>Mean distance; infinite when one mask is empty, NaN when both are.</summary>
    /// <param name="symmetric">Over both directions; otherwise from the prediction to the truth, MONAI's default.</param>
    public double Average(bool symmetric)
    {
        double sum = 0;
        foreach (var d in _toTruth)
            sum += d;
        if (!symmetric)
            return sum / _toTruth.Length;
        foreach (var d in _toPrediction)
            sum += d;
        return sum / (_toTruth.Length + _toPrediction.Length);
    }

    /// <summary>Share of both surfaces that lies within a tolerance of the other; 0 when one mask is empty, NaN when both are.</summary>
    /// <param name="tolerance">In mm (voxels unless Euclidean).</param>
    public double Dice(double tolerance)
    {
        // torch compares float32 with the Python number in float32.
        var limit = (float)tolerance;
        var within = 0L;
        foreach (var d in _toTruth)
            within += d <= limit ? 1 : 0;
        foreach (var d in _toPrediction)
            within += d <= limit ? 1 : 0;
        return (double)within / (_toTruth.Length + _toPrediction.Length);
    }

    private static float[] Distances(BinaryMask mask, int[] surface, int[] asked, IReadOnlyList<double> spacing, DistanceMeasure measure) => measure == DistanceMeasure.Euclidean
        ? NearestVoxel.Distances((mask.SizeX, mask.SizeY, mask.SizeZ), surface, asked, spacing)
        : GridDistance.Nearest((mask.SizeX, mask.SizeY, mask.SizeZ), surface, asked, diagonal: measure == DistanceMeasure.Chessboard);

    private static double Percentile(float[] distances, double percentile)
    {
        if (distances.Length == 0)
            return double.NaN;
        if (percentile == 0)
            return distances.Max();
        if (float.IsPositiveInfinity(distances[0]))
            return double.NaN;
        float[] sorted = [.. distances];
        Array.Sort(sorted);
        return Quantiles.OfSingles(sorted, percentile / 100);
    }
}
