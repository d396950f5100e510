namespace Maisi.Bridge.Volumes;

/// <summary>Values of an image within one label.</summary>
/// <param name="Label">Label; null for the whole image.</param>
/// <param name="Voxels">Voxels that are not NaN.</param>
/// <param name="Millilitres">Their volume.</param>
/// <param name="Mean">Mean value.</param>
/// <param name="Deviation">Population standard deviation.</param>
/// <param name="Minimum">Smallest value.</param>
/// <param name="Median">Median value.</param>
/// <param name="Maximum">Largest value.</param>
public sealed record ValueStatistics(int? Label, long Voxels, double Millilitres, double Mean, double Deviation, double Minimum, double Median, double Maximum);

/// <summary>Statistics of an image, as a whole and per label.</summary>
public static class VolumeStatistics
{
    /// <summary>The whole image first, then each label that occurs.</summary>
    /// <exception cref="MaisiException">Image and labels differ in size.</exception>
    public static IReadOnlyList<ValueStatistics> Compute(Volume image, Volume? labels)
    {
        if (labels is not null && !labels.Shape.SequenceEqual(image.Shape))
            throw new MaisiException($"the image is {image.Grid} and its labels are {labels.Grid}", hint: "resample the labels to the image");
        var values = image.ConvertTo<float>().Memory<float>();
        var voxel = image.Spacing.Aggregate(1.0, (p, s) => p * s) / 1000;
        var rows = new List<ValueStatistics> { Summarise(null, [.. values.Span], voxel) };
        if (labels is null)
            return rows;
        var ids = labels.ConvertTo<int>().Memory<int>();
        var byLabel = labels.CountLabels().Keys.Where(k => k != 0).ToDictionary(k => k, _ => new List<float>());
        for (var i = 0; i < ids.Length; i++)
            if (ids.Span[i] != 0)
                byLabel[ids.Span[i]].Add(values.Span[i]);
        rows.AddRange(byLabel.Select(b => Summarise(b.Key, b.Value, voxel)));
        return rows;
    }

    private static ValueStatistics Summarise(int? label, List<float> all, double millilitres)
    {
        all.RemoveAll(float.IsNaN);
        if (all.Count == 0)
            return new(label, 0, 0, double.NaN, double.NaN, double.NaN, double.NaN, double.NaN);
        all.Sort();
        var mean = all.Average(v => (double)v);
        var middle = all.Count / 2;
        var median = all.Count % 2 == 1 ? all[middle] : ((double)all[middle - 1] + all[middle]) / 2;
        return new(label, all.Count, all.Count * millilitres, mean, Math.Sqrt(all.Average(v => (v - mean) * (v - mean))), all[0], median, all[^1]);
    }
}
