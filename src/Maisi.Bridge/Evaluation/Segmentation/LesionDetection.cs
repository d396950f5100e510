using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Evaluation;

/// <summary>Counts connected lesions and those that the other side has too.</summary>
internal static class LesionDetection
{
    /// <summary>Compares the pieces (26 neighbours) of two masks of one size.</summary>
    /// <param name="prediction">The one mask.</param>
    /// <param name="truth">The other.</param>
    /// <param name="share">Share of a piece that must be covered; 0 asks for one voxel.</param>
    public static LesionScores Count(BinaryMask prediction, BinaryMask truth, double share)
    {
        var (real, found) = Covered(truth, prediction, share);
        var (predicted, right) = Covered(prediction, truth, share);
        return new(real, found, predicted, predicted - right);
    }

    private static (int Pieces, int Covered) Covered(BinaryMask mask, BinaryMask by, double share)
    {
        var pieces = ConnectedComponents.Find(mask.ToVolume(new(mask.SizeX, mask.SizeY, mask.SizeZ, Affine.Identity)), Connectivity.Corners);
        var covered = new long[pieces.Components.Count + 1];
        var ids = pieces.Ids;
        var other = by.Voxels;
        for (var i = 0; i < other.Length; i++)
            covered[ids[i]] += other[i];
        var count = 0;
        for (var piece = 1; piece < covered.Length; piece++)
            count += covered[piece] >= Math.Max(1, share * pieces.Components[piece - 1].Size) ? 1 : 0;
        return (covered.Length - 1, count);
    }
}
