namespace Maisi.Bridge.Volumes;

/// <summary>Counting and renumbering labels.</summary>
public static class LabelOperations
{
    /// <summary>Regions of the body in MAISI's order, from the head down.</summary>
    public static IReadOnlyList<string> BodyRegions { get; } = ["head", "chest", "abdomen", "pelvis"];

    // Labels that tell that a region is in the picture (get_body_region_index_from_mask).
    private static readonly int[][] _regionLabels = [[22, 120], [28, 29, 30, 31, 32], [1, 2, 3, 4, 5, 14], [93, 94]];

    /// <summary>Voxels of each label that occurs, background included, by label.</summary>
    /// <exception cref="MaisiException">The volume has fractional values.</exception>
    public static SortedDictionary<int, long> CountLabels(this Volume labels)
    {
        if (labels.Type.IsFloat())
        {
            foreach (var v in labels.ConvertTo<double>().Voxels<double>())
                if (v != Math.Floor(v))
                    throw new MaisiException($"a label volume has the value {v}", hint: "this looks like an image; labels are whole numbers");
        }
        var counts = new SortedDictionary<int, long>();
        var (last, run) = (0, 0L);
        foreach (var label in labels.ConvertTo<int>().Voxels<int>())
        {
            if (label == last)
            {
                run++;
                continue;
            }
            counts[last] = counts.GetValueOrDefault(last) + run;
            (last, run) = (label, 1);
        }
        counts[last] = counts.GetValueOrDefault(last) + run;
        if (counts[0] == 0)
            counts.Remove(0);
        return counts;
    }

    /// <summary>Renumbers labels; those that <paramref name="map"/> lacks stay, or become <paramref name="other"/>; 0 stays 0 unless mapped.</summary>
    public static Volume Remap(this Volume labels, IReadOnlyDictionary<int, int> map, int? other = null)
    {
        var target = labels.Clone().ConvertTo<int>();
        var voxels = target.Voxels<int>();
        var (last, mapped) = (0, map.GetValueOrDefault(0, 0));
        for (var i = 0; i < voxels.Length; i++)
        {
            if (voxels[i] != last)
                (last, mapped) = (voxels[i], map.TryGetValue(voxels[i], out var m) ? m : voxels[i] == 0 ? 0 : other ?? voxels[i]);
            voxels[i] = mapped;
        }
        return target.Narrow();
    }

    /// <summary>A table of 256 codes in which each code is itself, or what a config's remap ("from": to) makes of it.</summary>
    /// <exception cref="MaisiException">A code outside of 0 to 255.</exception>
    public static byte[] CodeTable(IReadOnlyDictionary<string, int> remap)
    {
        byte[] table = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        foreach (var (from, to) in remap)
            table[Code(from)] = Code(to.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return table;

        static byte Code(string text) => byte.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var code) ? code
            : throw new MaisiException($"'{text}' is no label code", "label remap", "codes are whole numbers from 0 to 255");
    }

    /// <summary>Keeps only the organs of a list: each becomes 1 + its place in the list (MAISI's saved labels), all else 0.</summary>
    public static Volume KeepOrgans(this Volume labels, IReadOnlyList<int> organs) =>
        labels.Remap(organs.Select((id, i) => (id, i)).DistinctBy(p => p.id).ToDictionary(p => p.id, p => p.i + 1), other: 0);

    /// <summary>The smallest integer type that holds the values: uint8, then int16, else int32.</summary>
    public static Volume Narrow(this Volume labels)
    {
        var (low, high) = (int.MaxValue, int.MinValue);
        foreach (var v in labels.ConvertTo<int>().Voxels<int>())
            (low, high) = (Math.Min(low, v), Math.Max(high, v));
        return low >= 0 && high <= byte.MaxValue ? labels.ConvertTo<byte>() : low >= short.MinValue && high <= short.MaxValue ? labels.ConvertTo<short>() : labels.ConvertTo<int>();
    }

    /// <summary>The highest and the lowest body region in a MAISI mask, as indices into <see cref="BodyRegions"/>.</summary>
    /// <exception cref="MaisiException">No label tells where in the body the mask is.</exception>
    public static (int Top, int Bottom) FindBodyRegions(IReadOnlyCollection<int> labels)
    {
        var present = Enumerable.Range(0, 4).Where(r => _regionLabels[r].Any(labels.Contains)).ToArray();
        return present.Length > 0 ? (present[0], present[^1])
            : throw new MaisiException("no label of the mask tells which part of the body it shows",
                hint: $"it needs one of the labels {string.Join(", ", _regionLabels.SelectMany(r => r))}");
    }

    /// <summary>The highest and the lowest of some body regions, by name.</summary>
    /// <exception cref="MaisiException">A name that is no body region.</exception>
    public static (int Top, int Bottom) RegionSpan(IReadOnlyCollection<string> names) => (names.Min(MaskDatabase.Region), names.Max(MaskDatabase.Region));

    /// <summary>True when a label tells which part of the body a mask shows.</summary>
    public static bool HasBodyRegion(IReadOnlyCollection<int> labels) => _regionLabels.Any(r => r.Any(labels.Contains));

    /// <summary>MAISI's condition planes: plane i has bit i of each label, least significant first; labels of 256 and more lose their high bits.</summary>
    /// <returns>Eight planes of 0 and 1, in the C order of tensors: [8,X,Y,Z].</returns>
    public static float[] ToBitPlanes(this Volume labels)
    {
        var voxels = labels.ToArray<int>();
        var planes = new float[8 * voxels.Length];
        for (var bit = 0; bit < 8; bit++)
            for (var i = 0; i < voxels.Length; i++)
                planes[bit * voxels.Length + i] = voxels[i] >> bit & 1;
        return planes;
    }
}
