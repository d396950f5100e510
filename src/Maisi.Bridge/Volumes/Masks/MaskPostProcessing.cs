namespace Maisi.Bridge.Volumes;

/// <summary>
/// Cleans a mask that the mask model made: one body, one piece per organ, holes filled, the wanted tumour and no other.
/// Source: NV-Generate-CTMR scripts/utils.py (general_mask_generation_post_process).
/// </summary>
public static class MaskPostProcessing
{
    private const int Vessel = 25, Airway = 132, SmallBowel = 19, Colon = 62, Liver = 1, Spleen = 3;

    private static readonly (int Tumour, int Organ)[] _tumours = [(23, 28), (24, 4), (26, Liver), (27, Colon), (128, LabelVocabulary.Body)];

    private static readonly int[] _organs = [1, 4, 10, 12, 3, 28, 29, 30, 31, 32, 5, 14, 13, 6, 7, 8, 9, 10], _lobes = [28, 29, 30, 31, 32], _bowel = [12, 13, SmallBowel, Colon];

    /// <summary>The cleaned mask.</summary>
    /// <param name="mask">MAISI labels.</param>
    /// <param name="tumour">The tumour that was asked for: 23, 24, 26, 27 or 128; null for none.</param>
    public static Volume PostProcess(this Volume mask, int? tumour)
    {
        var volume = mask.ConvertTo<int>().Clone();
        var (vessel, airway) = (BinaryMask.Of(volume, Vessel), BinaryMask.Of(volume, Airway));
        var body = ConnectedComponents.Largest(BinaryMask.Where<int>(volume, v => v > 0).Erode(3, outside: false)).Dilate(3, outside: false);
        body.Not().Mark(volume, 0);
        var target = RefineTumours(ref volume, tumour);

        int[] organs = tumour == 128 ? _organs : [.. _organs, .. Enumerable.Range(33, 27)];
        var data = ConnectedComponents.KeepLargest(volume, organs, LabelVocabulary.Body);
        var removed = Difference(volume, data);
        var bowelRemoved = RemoveLooseBowel(data);
        foreach (var organ in organs)
            BinaryMask.Of(data, organ).FillByClosing().Mark(data, organ);
        if (target is { Count: > 0 })
            target = RefineAround(data, tumour!.Value, target, removed, bowelRemoved);
        vessel.Mark(data, Liver); // the model cannot steer vessels, so they are liver
        airway.Mark(data, Airway);
        target?.Mark(data, tumour!.Value);
        return data.Narrow();
    }

    /// <summary>A mask of other labels than MAISI's, cleaned: what is labelled in one piece, and of every structure the largest.</summary>
    /// <param name="mask">Any labels.</param>
    /// <param name="body">The code of what is labelled and no structure; 0 for none.</param>
    public static Volume KeepWholeStructures(this Volume mask, int body)
    {
        var volume = mask.ConvertTo<int>().Clone();
        ConnectedComponents.Largest(BinaryMask.Where<int>(volume, v => v > 0)).Not().Mark(volume, 0);
        foreach (var label in volume.CountLabels().Keys.Where(code => code != 0 && code != body).ToArray())
        {
            var all = BinaryMask.Of(volume, label);
            all.Mark(volume, body);
            ConnectedComponents.Largest(all).Mark(volume, label);
        }
        return volume.Narrow();
    }

    private static BinaryMask? RefineTumours(ref Volume volume, int? tumour)
    {
        foreach (var (label, organ) in _tumours)
        {
            if (label != tumour)
            {
                BinaryMask.Of(volume, label).Mark(volume, organ);
                continue;
            }
            for (var i = 0; i < 2; i++)
                BinaryMask.Of(volume, label).FillByClosing().Mark(volume, label);
        }
        if (tumour is not { } wanted)
            return null;
        if (wanted is not (26 or 128))
            volume = ConnectedComponents.KeepLargest(volume, [wanted], LabelVocabulary.Body);
        return BinaryMask.Of(volume, wanted);
    }

    private static BinaryMask RemoveLooseBowel(Volume data)
    {
        var bowel = BinaryMask.Of(data, _bowel);
        var loose = BinaryMask.Of(data, SmallBowel, Colon).Without(ConnectedComponents.Largest(bowel));
        loose.Mark(data, LabelVocabulary.Body);
        return loose;
    }

    private static BinaryMask RefineAround(Volume data, int tumour, BinaryMask target, BinaryMask removed, BinaryMask bowelRemoved)
    {
        switch (tumour)
        {
            case 23:
                RefineLung(data, removed);
                break;
            case 26:
                for (var i = 0; i < 2; i++)
                    Grow(data, Liver, bowelRemoved);
                for (var i = 0; i < 2; i++)
                    Grow(data, Spleen, removed);
                Grow(data, tumour, Near(data, tumour, 2).And(removed));
                for (var i = 0; i < 3; i++)
                    BinaryMask.Of(data, Liver).FillByClosing().Mark(data, Liver);
                // Upstream intersects labels that exclude each other here, so the tumour is not written again at the end.
                return BinaryMask.Empty(target.SizeX, target.SizeY, target.SizeZ);
            case 27:
                Grow(data, tumour, Near(data, tumour, 2).And(removed));
                break;
        }
        return target;
    }

    private static void RefineLung(Volume data, BinaryMask removed)
    {
        const int tumour = 23;
        var lesion = BinaryMask.Of(data, tumour);
        var near = lesion.Dilate(3, outside: false);
        if (CommonestOf(data, near.Without(lesion)) is { } lobe && _lobes.Contains(lobe))
        {
            near = near.Dilate(3, outside: false);
            Grow(data, lobe, near.Without(BinaryMask.Of(data, tumour)));
        }
        near = near.Dilate(3, outside: false);
        Grow(data, tumour, near.And(removed));
        foreach (var organ in _lobes)
            for (var i = 0; i < 3; i++)
                BinaryMask.Of(data, organ).FillByClosing().Mark(data, organ);
    }

    // The organ takes what lies within three voxels of it inside a mask (organ_fill_by_removed_mask).
    internal static void Grow(Volume data, int organ, BinaryMask into) => Near(data, organ, 3).And(into).Mark(data, organ);

    private static BinaryMask Near(Volume data, int label, int voxels) => BinaryMask.Of(data, label).Dilate(2 * voxels + 1, outside: false);

    private static BinaryMask Difference(Volume a, Volume b)
    {
        var changed = a.Clone();
        var from = b.Voxels<int>();
        var to = changed.Voxels<int>();
        for (var i = 0; i < to.Length; i++)
            to[i] -= from[i];
        return BinaryMask.Where<int>(changed, v => v != 0);
    }

    // The commonest label within a mask, background left out; the smallest of equals.
    private static int? CommonestOf(Volume data, BinaryMask within)
    {
        var counts = new SortedDictionary<int, int>();
        var voxels = data.Voxels<int>();
        for (var i = 0; i < voxels.Length; i++)
            if (within[i] && voxels[i] != 0)
                counts[voxels[i]] = counts.GetValueOrDefault(voxels[i]) + 1;
        return counts.Count == 0 ? null : counts.MaxBy(c => c.Value).Key;
    }
}
