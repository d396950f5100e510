namespace Maisi.Bridge.Volumes;

/// <summary>The values of an image, sorted apart by label.</summary>
public static class LabelValues
{
    /// <summary>Values of each group of labels, ascending, without NaN; 4 bytes per voxel of the groups.</summary>
    /// <param name="image">The image.</param>
    /// <param name="labels">Labels of the same size.</param>
    /// <param name="group">The group of a label, from 0 to <paramref name="groups"/>; null leaves the label out.</param>
    /// <param name="groups">How many groups there are.</param>
    /// <exception cref="MaisiException">Image and labels differ in size.</exception>
    public static float[][] Sorted(Volume image, Volume labels, Func<int, int?> group, int groups)
    {
        if (!image.Shape.SequenceEqual(labels.Shape))
            throw new MaisiException($"the image is {image.Grid} and its labels are {labels.Grid}", hint: "resample the labels to the image");
        var values = image.ConvertTo<float>().Voxels<float>();
        var codes = labels.ConvertTo<int>().Voxels<int>();
        var groupOf = labels.CountLabels().Keys.ToDictionary(code => code, group);
        var counts = new int[groups];
        for (var i = 0; i < codes.Length; i++)
            if (groupOf[codes[i]] is { } g && !float.IsNaN(values[i]))
                counts[g]++;
        var sorted = Array.ConvertAll(counts, count => new float[count]);
        Array.Clear(counts);
        for (var i = 0; i < codes.Length; i++)
            if (groupOf[codes[i]] is { } g && !float.IsNaN(values[i]))
                sorted[g][counts[g]++] = values[i];
        Array.ForEach(sorted, Array.Sort);
        return sorted;
    }

    /// <summary>The middle value, or the mean of the two in the middle.</summary>
    /// <param name="sorted">At least one value, ascending.</param>
    public static double Median(ReadOnlySpan<float> sorted) => (sorted[(sorted.Length - 1) / 2] + (double)sorted[sorted.Length / 2]) / 2;
}
