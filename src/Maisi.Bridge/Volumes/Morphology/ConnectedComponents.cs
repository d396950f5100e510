namespace Maisi.Bridge.Volumes;

/// <summary>Which neighbours of a voxel are joined to it.</summary>
public enum Connectivity
{
    /// <summary>Six neighbours that share a face (SciPy's default).</summary>
    Faces = 1,

    /// <summary>Eighteen neighbours that share a face or an edge.</summary>
    Edges = 2,

    /// <summary>All 26 neighbours (MAISI's choice).</summary>
    Corners = 3,
}

/// <summary>One connected piece of one label.</summary>
/// <param name="Label">Voxel value.</param>
/// <param name="Size">Voxels.</param>
public readonly record struct Component(int Label, int Size);

/// <summary>
/// Connected pieces of all labels of a volume, found in one pass over runs of equal voxels. Pieces are numbered as SciPy and
/// scikit-image number them: by their first voxel in [X,Y,Z] C order, from 1.
/// </summary>
public sealed class ConnectedComponents
{
    private ConnectedComponents(int[] ids, Component[] components) => (Ids, Components) = (ids, components);

    /// <summary>Number of the piece of each voxel, x fastest; 0 for background.</summary>
    public IReadOnlyList<int> Ids { get; }

    /// <summary>The pieces; piece n is at n - 1.</summary>
    public IReadOnlyList<Component> Components { get; }

    /// <summary>Finds the pieces of every label but 0.</summary>
    public static ConnectedComponents Find(Volume labels, Connectivity connectivity)
    {
        var volume = labels.ConvertTo<int>();
        var (ids, components) = new RunLabelling(volume.Memory<int>(), volume.SizeX, volume.SizeY, volume.SizeZ, connectivity).Label();
        return new(ids, components);
    }

    /// <summary>The voxels of one piece.</summary>
    public BinaryMask MaskOf(Volume grid, int id)
    {
        var ids = (int[])Ids;
        return BinaryMask.Of(Volume.Wrap<int>(ids, grid.Grid), id);
    }

    /// <summary>The largest piece of a mask (the last in C order of equals); empty when the mask is.</summary>
    public static BinaryMask Largest(BinaryMask mask, Connectivity connectivity = Connectivity.Corners)
    {
        var volume = mask.ToVolume(new(mask.SizeX, mask.SizeY, mask.SizeZ, Affine.Identity));
        var found = Find(volume, connectivity);
        if (found.Components.Count == 0)
            return mask;
        var best = Enumerable.Range(0, found.Components.Count).OrderBy(i => found.Components[i].Size).Last();
        return found.MaskOf(volume, best + 1);
    }

    /// <summary>
    /// MAISI's removal of small pieces: for each label, of the background and the pieces the two with the most voxels stay, all other
    /// voxels of the volume's pieces get <paramref name="other"/>. Where the background is rarer than two pieces it is replaced and both
    /// pieces stay, as upstream does. Source: NV-Generate-CTMR scripts/utils.py (supress_non_largest_components).
    /// </summary>
    /// <param name="labels">Label volume.</param>
    /// <param name="targets">Labels to look at.</param>
    /// <param name="other">What removed voxels become.</param>
    public static Volume KeepLargest(Volume labels, IReadOnlyCollection<int> targets, int other = 0)
    {
        var result = labels.Clone().ConvertTo<int>();
        var found = Find(result, Connectivity.Corners);
        var (ids, voxels) = ((int[])found.Ids, result.Memory<int>());
        var removed = new bool[found.Components.Count + 1];
        var keptOnly = new List<HashSet<int>>();
        foreach (var target in targets.Distinct())
        {
            var pieces = Enumerable.Range(1, found.Components.Count).Where(i => found.Components[i - 1].Label == target).ToArray();
            if (pieces.Length == 0)
                continue;
            var background = ids.Length - pieces.Sum(i => found.Components[i - 1].Size);
            // Ascending and stable, then from the end: of equals the later one is kept.
            var ranked = pieces.Select(i => (Id: i, found.Components[i - 1].Size)).Prepend((Id: 0, Size: background)).Where(p => p.Size > 0).OrderBy(p => p.Size).Select(p => p.Id).ToArray();
            if (ranked.Length < 2)
                continue;
            var kept = ranked[^2..].ToHashSet();
            if (!kept.Contains(0))
                keptOnly.Add(kept);
            foreach (var piece in pieces.Where(p => !kept.Contains(p)))
                removed[piece] = true;
        }
        var span = voxels.Span;
        for (var i = 0; i < span.Length; i++)
            if (removed[ids[i]] || keptOnly.Exists(k => !k.Contains(ids[i])))
                span[i] = other;
        return result;
    }
}
