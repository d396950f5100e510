// do_metric_reduction in monai/metrics/utils.py (MONAI 1.5).
namespace Maisi.Bridge.Evaluation;

/// <summary>
/// Averages of scores per case (rows) and class (columns) that leave out NaN, as MONAI's reductions do; an average of nothing is 0 in MONAI
/// and NaN here, so that it cannot pass for a score.
/// </summary>
public static class MetricAverages
{
    /// <summary>Reduction "mean": over the classes of each case, then over the cases that have any.</summary>
    public static double Mean(IReadOnlyList<IReadOnlyList<double>> scores) => MeanOf(MeanPerCase(scores));

    /// <summary>Reduction "mean_batch": over the cases, for each class.</summary>
    public static IReadOnlyList<double> MeanPerClass(IReadOnlyList<IReadOnlyList<double>> scores) =>
        scores.Count == 0 ? [] : [.. Enumerable.Range(0, scores[0].Count).Select(c => MeanOf(scores.Select(row => row[c])))];

    /// <summary>Reduction "mean_channel": over the classes, for each case.</summary>
    public static IReadOnlyList<double> MeanPerCase(IReadOnlyList<IReadOnlyList<double>> scores) => [.. scores.Select(MeanOf)];

    /// <summary>Reduction "sum".</summary>
    public static double Sum(IReadOnlyList<IReadOnlyList<double>> scores) => scores.SelectMany(row => row).Where(v => !double.IsNaN(v)).Sum();

    /// <summary>Mean of the numbers that are not NaN; NaN without any.</summary>
    public static double MeanOf(IEnumerable<double> values)
    {
        var (sum, count) = (0.0, 0);
        foreach (var value in values)
        {
            if (double.IsNaN(value))
                continue;
            sum += value;
            count++;
        }
        return count == 0 ? double.NaN : sum / count;
    }
}
