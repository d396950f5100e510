namespace Maisi.Bridge.Volumes;

/// <summary>The size of one of the structures that steer a mask model.</summary>
/// <param name="Name">Structure.</param>
/// <param name="Label">Its label.</param>
/// <param name="Millilitres">Its volume; 0 when it is absent.</param>
/// <param name="Rank">
/// Its place among the masks that it was compared with, from 0 (smallest) to 1 (largest), ties in the middle; null without such masks, -1
/// when it is absent, as in MAISI's anatomy sizes.
/// </param>
/// <param name="TouchesBorder">True when it reaches the border of the picture, so that its size is a lower bound.</param>
public sealed record AnatomyMeasure(string Name, int Label, double Millilitres, double? Rank, bool TouchesBorder);

/// <summary>
/// Measures the structures whose sizes steer a mask model: those of <see cref="AnatomySizeConditions.Order"/>, or a bundle's own. MAISI's
/// own sizes lie between 0 and 1, and how they follow from volumes was not published: the rank here is a place in the masks that are given,
/// not NVIDIA's number.
/// </summary>
public static class AnatomyMeasurement
{
    private static readonly int[] _labels = [10, 1, 12, 4, 62, .. AnatomySizeConditions.TumourLabels];

    /// <summary>MAISI's ten structures with their labels.</summary>
    public static IReadOnlyList<(string Name, int Label)> MaisiStructures { get; } = [.. AnatomySizeConditions.Order.Zip(_labels)];

    /// <summary>The measures, in the order of the structures.</summary>
    /// <param name="mask">Labels.</param>
    /// <param name="others">Millilitres by label of the masks to compare with (<see cref="Millilitres"/>); null for none.</param>
    /// <param name="structures">What is measured; null: MAISI's ten.</param>
    public static IReadOnlyList<AnatomyMeasure> Measure(
        Volume mask, IReadOnlyList<IReadOnlyDictionary<int, double>>? others = null, IReadOnlyList<(string Name, int Label)>? structures = null)
    {
        var own = Millilitres(mask);
        return [.. (structures ?? MaisiStructures).Select(s =>
        {
            var size = own.GetValueOrDefault(s.Label);
            double? rank = size == 0 ? -1 : others is null ? null : Rank(size, [.. others.Select(o => o.GetValueOrDefault(s.Label)).Where(v => v > 0)]);
            return new AnatomyMeasure(s.Name, s.Label, size, rank, size > 0 && TouchesBorder(BinaryMask.Of(mask, s.Label)));
        })];
    }

    /// <summary>Millilitres of each label that occurs.</summary>
    public static IReadOnlyDictionary<int, double> Millilitres(Volume mask)
    {
        var voxel = mask.Spacing.Aggregate(1.0, (p, s) => p * s) / 1000;
        return mask.CountLabels().Where(c => c.Key != 0).ToDictionary(c => c.Key, c => c.Value * voxel);
    }

    private static double? Rank(double size, double[] others) =>
        others.Length == 0 ? null : (others.Count(o => o < size) + 0.5 * others.Count(o => o == size)) / others.Length;

    private static bool TouchesBorder(BinaryMask mask)
    {
        var b = mask.Bounds()!.Value;
        return b.X == 0 || b.Y == 0 || b.Z == 0 || b.X + b.SizeX == mask.SizeX || b.Y + b.SizeY == mask.SizeY || b.Z + b.SizeZ == mask.SizeZ;
    }
}
