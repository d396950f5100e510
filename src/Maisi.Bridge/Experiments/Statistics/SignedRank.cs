// Wilcoxon, Biometrics Bulletin 1, 1945; zeros as in Pratt, JASA 54, 1959. The same statistic as scipy.stats.wilcoxon(zero_method="pratt").
namespace Maisi.Bridge.Experiments;

/// <summary>Wilcoxon's signed-rank test of paired differences, two-sided. Zeros take part in the ranking and then count for neither side.</summary>
public static class SignedRank
{
    private const int MostExact = 50;

    /// <summary>
    /// The probability of ranks at least as uneven if each difference could as well have the other sign. Up to 50 differences are counted
    /// out exactly, ties and zeros included; above that the normal approximation with tie correction serves.
    /// </summary>
    /// <param name="differences">Paired differences.</param>
    /// <returns>The p-value; 1 when every difference is 0 or there is none.</returns>
    public static double PValue(IReadOnlyList<double> differences)
    {
        var ranks = Ranks(differences);
        var counted = Enumerable.Range(0, ranks.Length).Where(i => differences[i] != 0).ToArray();
        if (counted.Length == 0)
            return 1;
        var plus = counted.Where(i => differences[i] > 0).Sum(i => ranks[i]);
        double[] own = [.. counted.Select(i => ranks[i])];
        return differences.Count <= MostExact ? Exact(own, plus) : Approximate(ranks, differences, plus);
    }

    /// <summary>The smallest p-value that this many patients could give, whatever happens.</summary>
    public static double LeastPValue(int count) => Math.Min(1, Math.Pow(2, 1 - count));

    /// <summary>Ranks of the absolute differences from 1, ties sharing their mean.</summary>
    internal static double[] Ranks(IReadOnlyList<double> differences)
    {
        var order = Enumerable.Range(0, differences.Count).OrderBy(i => Math.Abs(differences[i])).ToArray();
        var ranks = new double[differences.Count];
        for (var start = 0; start < order.Length;)
        {
            var end = start;
            while (end < order.Length && Math.Abs(differences[order[end]]) == Math.Abs(differences[order[start]]))
                end++;
            for (var i = start; i < end; i++)
                ranks[order[i]] = (start + 1 + end) / 2.0;
            start = end;
        }
        return ranks;
    }

    // The distribution of the rank sum over all signs, built rank by rank; ranks are halves at most, so their doubles are whole.
    private static double Exact(double[] ranks, double plus)
    {
        var doubled = Array.ConvertAll(ranks, r => (int)Math.Round(2 * r));
        var share = new double[doubled.Sum() + 1];
        share[0] = 1;
        var reach = 0;
        foreach (var rank in doubled)
        {
            reach += rank;
            for (var sum = reach; sum >= 0; sum--)
                share[sum] = 0.5 * (share[sum] + (sum >= rank ? share[sum - rank] : 0));
        }
        var at = (int)Math.Round(2 * plus);
        var low = share[..(at + 1)].Sum();
        var high = share[at..].Sum();
        return Math.Min(1, 2 * Math.Min(low, high));
    }

    private static double Approximate(double[] ranks, IReadOnlyList<double> differences, double plus)
    {
        double count = ranks.Length, zeros = differences.Count(d => d == 0);
        var mean = ((count * (count + 1)) - (zeros * (zeros + 1))) / 4;
        var variance = (count * (count + 1) * ((2 * count) + 1)) - (zeros * (zeros + 1) * ((2 * zeros) + 1));
        var ties = ranks.Where((_, i) => differences[i] != 0).GroupBy(r => r).Sum(g => Math.Pow(g.Count(), 3) - g.Count());
        variance = (variance - (ties / 2)) / 24;
        return Distributions.NormalTwoSided((plus - mean) / Math.Sqrt(variance));
    }
}
