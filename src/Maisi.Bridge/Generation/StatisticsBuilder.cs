using System.Text;
using System.Text.Json.Nodes;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Generation;

/// <summary>One organ over real images.</summary>
/// <param name="Labels">Its label codes.</param>
/// <param name="Cases">How many images show it.</param>
/// <param name="Median">Median of the medians.</param>
/// <param name="Statistics">What the quality check compares with.</param>
public sealed record OrganSummary(IReadOnlyList<int> Labels, int Cases, double Median, OrganStatistics Statistics);

/// <summary>HU statistics of real images, in the form that the quality check, and upstream's, read.</summary>
/// <param name="Organs">By name.</param>
public sealed record ImageStatistics(IReadOnlyDictionary<string, OrganSummary> Organs)
{
    /// <summary>Writes them as JSON.</summary>
    /// <exception cref="MaisiException">The file cannot be written.</exception>
    public void Save(string path)
    {
        var json = new JsonObject(Organs.Select(o => KeyValuePair.Create(o.Key, (JsonNode?)new JsonObject
        {
            ["labels"] = new JsonArray([.. o.Value.Labels.Select(l => (JsonNode)l)]),
            ["cases"] = o.Value.Cases,
            ["median"] = o.Value.Median,
            ["percentile_0_5"] = o.Value.Statistics.Percentile0_5,
            ["percentile_99_5"] = o.Value.Statistics.Percentile99_5,
            ["sigma_6_low"] = o.Value.Statistics.Sigma6Low,
            ["sigma_6_high"] = o.Value.Statistics.Sigma6High,
        })));
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(json.ToJsonString(new() { WriteIndented = true }) + "\n")));
    }
}

/// <summary>Measures real images: the median of each organ in each case, and how it spreads over the cases.</summary>
/// <param name="organs">Label codes by organ.</param>
public sealed class StatisticsBuilder(IReadOnlyDictionary<string, int[]> organs)
{
    /// <summary>The labels of a bundle as organs, its body apart.</summary>
    public static IReadOnlyDictionary<string, int[]> OrgansOf(BundleSettings settings) =>
        settings.LabelDict.Where(l => l.Value != settings.BodyLabel && l.Value != 0).ToDictionary(l => l.Key, l => new[] { l.Value });

    /// <summary>Reads image and label map of every case of a datalist.</summary>
    /// <param name="datalist">MONAI datalist; paths are relative to it, every list in it counts.</param>
    /// <param name="progress">Told after every case.</param>
    /// <param name="cancellation">Checked before every case.</param>
    /// <exception cref="MaisiException">The list, an image or a label map cannot be read, or no case shows any of the organs.</exception>
    public ImageStatistics Build(string datalist, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        var cases = MaskSource.ReadPairs(datalist);
        var clock = new StageClock("measure", cases.Count, progress);
        var statistics = Build(cases.Select((item, i) =>
        {
            cancellation.ThrowIfCancellationRequested();
            var (image, labels) = (VolumeFile.Read(item.Image), VolumeFile.Read(item.Label));
            if (!image.Grid.Matches(labels.Grid, 1e-2))
                throw new MaisiException($"Image ({image.Grid}) and label map ({labels.Grid}) do not lie on the same grid.", item.Label, "Resample the label map to the image.");
            clock.Report(i + 1, Path.GetFileName(item.Image));
            return (image, labels);
        }));
        return statistics.Organs.Count > 0 ? statistics
            : throw new MaisiException("No case shows any of the organs.", datalist, "Give --bundle when the label maps have the codes of a bundle of yours.");
    }

    /// <summary>Measures images in HU with their label maps; an organ that no case shows is left out.</summary>
    public ImageStatistics Build(IEnumerable<(Volume Image, Volume Labels)> cases)
    {
        var medians = organs.Keys.ToDictionary(o => o, _ => new List<double>());
        foreach (var (image, labels) in cases)
            foreach (var (organ, median) in QualityCheck.Medians(image, labels, organs))
                medians[organ].Add(median);
        return new ImageStatistics(medians.Where(m => m.Value.Count > 0).ToDictionary(m => m.Key, m => Summary(m.Key, m.Value)));
    }

    private OrganSummary Summary(string organ, List<double> medians)
    {
        var sorted = medians.Order().ToArray();
        return new(organs[organ], sorted.Length, (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2, QualityCheck.Summarise(sorted));
    }
}
