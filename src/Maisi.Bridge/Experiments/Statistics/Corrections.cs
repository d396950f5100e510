// Holm, Scandinavian Journal of Statistics 6, 1979; Nadeau and Bengio, Machine Learning 52, 2003.
namespace Maisi.Bridge.Experiments;

/// <summary>Holm's correction for several tests.</summary>
public static class Holm
{
    /// <summary>Corrected p-values in the order of the given ones.</summary>
    public static double[] Adjust(IReadOnlyList<double> pValues)
    {
        var adjusted = new double[pValues.Count];
        var largest = 0.0;
        foreach (var (index, rank) in Enumerable.Range(0, pValues.Count).OrderBy(i => pValues[i]).Select((i, rank) => (i, rank)))
            adjusted[index] = largest = Math.Max(largest, Math.Min(1, (pValues.Count - rank) * pValues[index]));
        return adjusted;
    }
}

/// <summary>The mean of differences between folds with its corrected t test.</summary>
/// <param name="Count">Folds.</param>
/// <param name="Mean">Mean difference.</param>
/// <param name="T">The statistic; null with one fold or without any spread.</param>
/// <param name="PValue">Two-sided; null without the statistic.</param>
/// <param name="Low">Lower end of the 95% interval.</param>
/// <param name="High">Upper end.</param>
public sealed record FoldTest(int Count, double Mean, double? T, double? PValue, double? Low, double? High);

/// <summary>
/// The t test of differences between folds. Training sets of folds overlap, so that the usual variance is too small; 1/k becomes
/// 1/k + n_test/n_train.
/// </summary>
public static class CorrectedResampledTest
{
    /// <summary>The test.</summary>
    /// <param name="differences">A difference per fold.</param>
    /// <param name="testToTrain">Cases that are validated on per case that is trained on.</param>
    public static FoldTest Run(IReadOnlyList<double> differences, double testToTrain)
    {
        var mean = differences.Count == 0 ? double.NaN : differences.Average();
        if (differences.Count < 2)
            return new FoldTest(differences.Count, mean, null, null, null, null);
        var variance = differences.Sum(d => (d - mean) * (d - mean)) / (differences.Count - 1);
        var error = Math.Sqrt(variance * ((1.0 / differences.Count) + testToTrain));
        if (error == 0)
            return new FoldTest(differences.Count, mean, null, null, mean, mean);
        var freedom = differences.Count - 1;
        var reach = Distributions.StudentQuantile(0.05, freedom) * error;
        return new FoldTest(differences.Count, mean, mean / error, Distributions.StudentTwoSided(mean / error, freedom), mean - reach, mean + reach);
    }
}
