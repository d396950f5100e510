namespace Maisi.Bridge.Volumes;

/// <summary>
/// Replaces tumours and cysts by the organ that they grow in, for the unconditional half of guidance and for healthy twins.
/// Source: NV-Generate-CTMR scripts/augmentation.py (remove_tumors).
/// </summary>
public static class TumourRemoval
{
    private static readonly int[] _lobes = [28, 29, 30, 31, 32];

    private static readonly Dictionary<int, int> _organs = new() { [26] = 1, [24] = 4, [27] = 62, [116] = 14, [117] = 5 };

    private static readonly Dictionary<int, int> _brain = new() { [401] = 22, [402] = 22, [403] = 22, [176] = 22 };

    /// <summary>
    /// The mask without tumours. A lung tumour becomes the commonest lobe in the shell of one voxel round it (the smallest label of
    /// equals; the commonest of the whole volume when the shell has none). A bone lesion (128) stays: what it grows in is not known.
    /// </summary>
    public static Volume RemoveTumours(this Volume mask)
    {
        var result = mask.Remap(_organs).ConvertTo<int>().Clone();
        var tumour = BinaryMask.Of(result, 23);
        if (tumour.Count > 0)
            tumour.Mark(result, Commonest(result, tumour.Dilate(3, outside: true).Without(tumour)) ?? Commonest(result, BinaryMask.Where<int>(result, _ => true)) ?? _lobes[0]);
        return result.Remap(_brain);
    }

    /// <summary>The commonest lung lobe within a mask; the smallest label of equals; null when there is none.</summary>
    internal static int? Commonest(Volume labels, BinaryMask within)
    {
        var counts = new int[_lobes.Length];
        var voxels = labels.Voxels<int>();
        for (var i = 0; i < voxels.Length; i++)
            if (within[i] && voxels[i] >= _lobes[0] && voxels[i] <= _lobes[^1])
                counts[voxels[i] - _lobes[0]]++;
        var best = Array.IndexOf(counts, counts.Max());
        return counts[best] > 0 ? _lobes[best] : null;
    }
}
