using System.Text.Json;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Generation;

/// <summary>HU values that the median of an organ takes in real CT.</summary>
/// <param name="Percentile0_5">0.5th percentile of the medians.</param>
/// <param name="Percentile99_5">99.5th percentile of the medians.</param>
/// <param name="Sigma6Low">Mean minus six standard deviations.</param>
/// <param name="Sigma6High">Mean plus six standard deviations.</param>
public sealed record OrganStatistics(double Percentile0_5, double Percentile99_5, double Sigma6Low, double Sigma6High);

/// <summary>Result of the check for one organ.</summary>
/// <param name="Organ">Name.</param>
/// <param name="Median">Median HU in the image; null when the mask lacks the organ.</param>
/// <param name="Low">Below this the organ fails.</param>
/// <param name="High">Above this the organ fails.</param>
public sealed record OrganCheck(string Organ, double? Median, double Low, double High)
{
    /// <summary>True when the median lies outside; a median at a threshold passes, as does a missing organ.</summary>
    public bool IsOutlier => Median is { } m && (m < Low || m > High);
}

/// <summary>
/// Compares the median HU of organs in a generated CT with those of real CTs. Source: NV-Generate-CTMR scripts/quality_check.py;
/// P. Guo et al., MAISI, WACV 2025. As there, the right lower lobe is not looked at and bone may be up to 1000 HU.
/// </summary>
public sealed class QualityCheck
{
    /// <summary>The organs and their MAISI labels.</summary>
    public static IReadOnlyDictionary<string, int[]> MaisiOrgans { get; } = new Dictionary<string, int[]>
    {
        ["liver"] = [1],
        ["spleen"] = [3],
        ["pancreas"] = [4],
        ["kidney"] = [5, 14],
        ["lung"] = [28, 29, 30, 31],
        ["bone"] = [.. Enumerable.Range(33, 24), .. Enumerable.Range(63, 35), 120, 122, 127],
        ["brain"] = [22],
    };

    private const double BoneHigh = 1000;

    private readonly IReadOnlyDictionary<string, OrganStatistics> _statistics;
    private readonly IReadOnlyDictionary<string, int[]> _organs;

    /// <param name="statistics">Values of real CTs by organ.</param>
    /// <param name="organs">Labels by organ; an organ without statistics is not checked.</param>
    public QualityCheck(IReadOnlyDictionary<string, OrganStatistics> statistics, IReadOnlyDictionary<string, int[]> organs) => (_statistics, _organs) = (statistics, organs);

    /// <summary>The check with MAISI's own statistics and labels.</summary>
    public static QualityCheck Maisi()
    {
        using var stream = typeof(QualityCheck).Assembly.GetManifestResourceStream("statistics/median_hu_ct.json")!;
        return new(ParseStatistics(stream, "median_hu_ct.json"), MaisiOrgans);
    }

    /// <summary>
    /// The check with the statistics of a file: MAISI's own form, in which each organ may also name its labels (<c>labels</c>); organs
    /// that do not have MAISI's.
    /// </summary>
    /// <exception cref="MaisiException">The file is missing, or has another form.</exception>
    public static QualityCheck Read(string path)
    {
        try
        {
            var bytes = File.ReadAllBytes(path);
            using var json = JsonDocument.Parse(bytes);
            var named = json.RootElement.EnumerateObject().Where(o => o.Value.TryGetProperty("labels", out _))
                .ToDictionary(o => o.Name, o => o.Value.GetProperty("labels").EnumerateArray().Select(v => v.GetInt32()).ToArray());
            using var stream = new MemoryStream(bytes);
            return new(ParseStatistics(stream, path), named.Count > 0 ? named : MaisiOrgans);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or FormatException)
        {
            throw new MaisiException($"The HU statistics cannot be read: {e.Message}", path, "Build them with 'maisi generate statistics'.", e);
        }
    }

    /// <summary>Reads statistics: organ to {percentile_0_5, percentile_99_5, sigma_6_low, sigma_6_high}, MAISI's own file included.</summary>
    /// <exception cref="MaisiException">Another form.</exception>
    public static IReadOnlyDictionary<string, OrganStatistics> ParseStatistics(Stream stream, string where)
    {
        try
        {
            return JsonDocument.Parse(stream).RootElement.EnumerateObject().ToDictionary(o => o.Name, o => new OrganStatistics(
                o.Value.GetProperty("percentile_0_5").GetDouble(), o.Value.GetProperty("percentile_99_5").GetDouble(),
                o.Value.GetProperty("sigma_6_low").GetDouble(), o.Value.GetProperty("sigma_6_high").GetDouble()));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new MaisiException("these are not HU statistics", where, "each organ needs percentile_0_5, percentile_99_5, sigma_6_low and sigma_6_high", e);
        }
    }

    /// <summary>Statistics of medians over real CTs: percentiles as NumPy interpolates them, and mean ± 6 population standard deviations.</summary>
    /// <exception cref="MaisiException">No medians.</exception>
    public static OrganStatistics Summarise(IReadOnlyCollection<double> medians)
    {
        if (medians.Count == 0)
            throw new MaisiException("no case shows this organ, so it has no statistics");
        var sorted = medians.Order().ToArray();
        var mean = sorted.Average();
        var sigma = Math.Sqrt(sorted.Average(m => (m - mean) * (m - mean)));
        return new(Quantiles.Of(sorted, 0.005), Quantiles.Of(sorted, 0.995), mean - 6 * sigma, mean + 6 * sigma);
    }

    /// <summary>Median HU of each organ that occurs in a case; voxels that are NaN do not count.</summary>
    /// <exception cref="MaisiException">Image and labels differ in size.</exception>
    public static IReadOnlyDictionary<string, double> Medians(Volume image, Volume labels, IReadOnlyDictionary<string, int[]> organs)
    {
        var names = organs.Keys.ToArray();
        var organOf = names.SelectMany((name, i) => organs[name].Select(code => (code, i))).ToLookup(p => p.code, p => p.i);
        // A label of several organs counts for the last of them.
        var values = LabelValues.Sorted(image, labels, code => code == 0 || !organOf.Contains(code) ? null : organOf[code].Last(), names.Length);
        return Enumerable.Range(0, names.Length).Where(i => values[i].Length > 0).ToDictionary(i => names[i], i => LabelValues.Median(values[i]));
    }

    /// <summary>Checks a CT in HU against its mask.</summary>
    /// <exception cref="MaisiException">Image and labels differ in size.</exception>
    public IReadOnlyList<OrganCheck> Run(Volume image, Volume labels)
    {
        var medians = Medians(image, labels, _organs);
        return [.. _organs.Keys.Where(_statistics.ContainsKey).Select(organ =>
        {
            var s = _statistics[organ];
            var high = organ == "bone" ? BoneHigh : Math.Max(s.Sigma6High, s.Percentile99_5);
            return new OrganCheck(organ, medians.TryGetValue(organ, out var m) ? m : null, Math.Min(s.Sigma6Low, s.Percentile0_5), high);
        })];
    }
}
