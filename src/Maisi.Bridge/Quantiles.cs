namespace Maisi.Bridge;

/// <summary>Quantiles, linear between neighbours, by the rules of NumPy (<c>numpy.quantile</c>) and of torch (<c>torch.quantile</c>).</summary>
internal static class Quantiles
{
    /// <summary>A quantile of ascending numbers, of which there is at least one.</summary>
    /// <param name="sorted">The numbers.</param>
    /// <param name="share">From 0 to 1.</param>
    public static double Of(ReadOnlySpan<double> sorted, double share)
    {
        var position = share * (sorted.Length - 1);
        var below = (int)position;
        return below + 1 < sorted.Length ? sorted[below] + ((position - below) * (sorted[below + 1] - sorted[below])) : sorted[below];
    }

    /// <summary>The same in float32, the rank included: what torch gives for a float tensor.</summary>
    /// <param name="sorted">The numbers.</param>
    /// <param name="share">From 0 to 1.</param>
    public static float OfSingles(ReadOnlySpan<float> sorted, double share)
    {
        var position = (float)share * (sorted.Length - 1);
        var below = (int)position;
        return below + 1 < sorted.Length ? sorted[below] + ((position - below) * (sorted[below + 1] - sorted[below])) : sorted[below];
    }

    /// <summary>The middle value, or the mean of the two in the middle; NaN values do not count, and NaN is the median of nothing.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Where(v => !double.IsNaN(v)).Order().ToArray();
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
