using Maisi.Bridge.Training;

namespace Maisi.Bridge.Experiments;

/// <summary>Percentile intervals of a mean by resampling patients: images of one patient stay together, since they are not independent.</summary>
public static class PatientBootstrap
{
    /// <summary>The interval.</summary>
    /// <param name="values">Differences of cases.</param>
    /// <param name="patients">Whose case each is.</param>
    /// <param name="resamples">How often patients are drawn.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <param name="confidence">What the interval covers.</param>
    public static (double Low, double High) Interval(IReadOnlyList<double> values, IReadOnlyList<string> patients, int resamples, ulong seed, double confidence = 0.95)
    {
        var groups = values.Zip(patients).GroupBy(p => p.Second, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => (Sum: g.Sum(p => p.First), Count: g.Count())).ToArray();
        if (groups.Length == 0)
            return (double.NaN, double.NaN);
        var random = new TrainingRandom(seed);
        var means = new double[resamples];
        for (var i = 0; i < resamples; i++)
        {
            var (sum, count) = (0.0, 0);
            for (var draw = 0; draw < groups.Length; draw++)
            {
                var group = groups[random.Next(groups.Length)];
                sum += group.Sum;
                count += group.Count;
            }
            means[i] = sum / count;
        }
        Array.Sort(means);
        return (Quantiles.Of(means, (1 - confidence) / 2), Quantiles.Of(means, (1 + confidence) / 2));
    }
}
