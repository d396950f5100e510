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
        var voxel = image.Spacing.Aggregate(1.0, (p, s) => p * s) / 1000;
        var whole = image.ConvertTo<float>().Voxels<float>().ToArray().Where(v => !float.IsNaN(v)).ToArray();
        Array.Sort(whole);
        var rows = new List<ValueStatistics> { Summarise(null, whole, voxel) };
        if (labels is null)
            return rows;
        var codes = labels.CountLabels().Keys.Where(k => k != 0).ToArray();
        var values = LabelValues.Sorted(image, labels, code => code == 0 ? null : Array.IndexOf(codes, code), codes.Length);
        rows.AddRange(codes.Select((code, i) => Summarise(code, values[i], voxel)));
        return rows;
    }

    private static ValueStatistics Summarise(int? label, float[] sorted, double millilitres)
    {
        if (sorted.Length == 0)
            return new(label, 0, 0, double.NaN, double.NaN, double.NaN, double.NaN, double.NaN);
        var mean = sorted.Average(v => (double)v);
        var deviation = Math.Sqrt(sorted.Average(v => (v - mean) * (v - mean)));
        return new(label, sorted.Length, sorted.Length * millilitres, mean, deviation, sorted[0], LabelValues.Median(sorted), sorted[^1]);
    }
}
