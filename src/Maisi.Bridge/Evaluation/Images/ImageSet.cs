using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Evaluation;

/// <summary>How often each value occurs: 4096 steps between two ends, whatever the number of voxels.</summary>
/// <param name="low">Lower end; smaller values count there.</param>
/// <param name="high">Upper end.</param>
public sealed class ValueHistogram(double low, double high)
{
    private const int Steps = 4096;
    private readonly long[] _counts = new long[Steps];

    /// <summary>Lower end.</summary>
    public double Low => low;

    /// <summary>Upper end.</summary>
    public double High => high;

    /// <summary>Values counted.</summary>
    public long Count { get; private set; }

    private double Width => (high - low) / Steps;

    /// <summary>Counts a value.</summary>
    public void Add(double value)
    {
        _counts[Math.Clamp((int)((value - low) / (high - low) * Steps), 0, Steps - 1)]++;
        Count++;
    }

    /// <summary>Adds the counts of another histogram of the same ends.</summary>
    public void Add(ValueHistogram other)
    {
        for (var i = 0; i < Steps; i++)
            _counts[i] += other._counts[i];
        Count += other.Count;
    }

    /// <summary>The value below which a share of the others lie, to half a step; NaN without any.</summary>
    public double Quantile(double share)
    {
        var (wanted, sum) = (share * (Count - 1), 0L);
        for (var i = 0; i < Steps && Count > 0; i++)
            if ((sum += _counts[i]) > wanted)
                return low + (i + 0.5) * Width;
        return double.NaN;
    }

    /// <summary>Mean, to half a step.</summary>
    public double Mean => Count == 0 ? double.NaN : _counts.Select((c, i) => c * (low + (i + 0.5) * Width)).Sum() / Count;

    /// <summary>Mass that has to be moved, times how far, to turn one distribution into the other (Wasserstein distance), in the unit of the values.</summary>
    public double DistanceTo(ValueHistogram other)
    {
        if (Count == 0 || other.Count == 0)
            return double.NaN;
        var (difference, total) = (0.0, 0.0);
        for (var i = 0; i < Steps; i++)
        {
            difference += (double)_counts[i] / Count - (double)other._counts[i] / other.Count;
            total += Math.Abs(difference);
        }
        return total * Width;
    }

    /// <summary>Shares of the values in this many equal parts.</summary>
    public IReadOnlyList<(double Value, double Share)> Parts(int parts) => [.. Enumerable.Range(0, parts).Select(p =>
    {
        var (from, to) = (p * Steps / parts, (p + 1) * Steps / parts);
        return (low + (from + to) / 2.0 * Width, Count == 0 ? 0 : _counts[from..to].Sum() / (double)Count);
    })];
}

/// <summary>The values of a set of images, as a whole (label 0 stands for all voxels) and per structure.</summary>
/// <param name="low">Lower end of the histograms.</param>
/// <param name="high">Upper end.</param>
public sealed class ImageSet(double low, double high)
{
    /// <summary>The key of the whole image.</summary>
    public const int Whole = 0;
    private readonly SortedDictionary<int, (ValueHistogram All, List<double> Medians, List<double> Means)> _structures = [];

    /// <summary>Images so far.</summary>
    public int Cases { get; private set; }

    /// <summary>Structures that occur, the whole image first.</summary>
    public IEnumerable<int> Structures => _structures.Keys;

    /// <summary>All values of a structure; empty when it does not occur.</summary>
    public ValueHistogram Histogram(int structure) => _structures.TryGetValue(structure, out var s) ? s.All : new(low, high);

    /// <summary>The median of the structure in each case that has it.</summary>
    public IReadOnlyList<double> Medians(int structure) => _structures.TryGetValue(structure, out var s) ? s.Medians : [];

    /// <summary>Adds an image.</summary>
    /// <exception cref="MaisiException">NaN, or labels of another grid.</exception>
    public void Add(Volume image, Volume? labels)
    {
        ImageMetrics.RequireNumbers(image, "the image");
        if (labels is not null)
        {
            LabelOverlap.RequireLabels(labels, "the label map");
            if (!labels.Grid.Matches(image.Grid, 1e-2))
                throw new MaisiException($"the label map is {labels.Grid}, the image {image.Grid}, or their places differ", hint: "resample the labels to the image");
        }
        var values = image.ConvertTo<float>().Voxels<float>();
        var ids = labels is null ? default : labels.ConvertTo<int>().Voxels<int>();
        var own = new Dictionary<int, ValueHistogram> { [Whole] = new(low, high) };
        for (var i = 0; i < values.Length; i++)
        {
            own[Whole].Add(values[i]);
            if (ids.IsEmpty || ids[i] == 0)
                continue;
            if (!own.TryGetValue(ids[i], out var histogram))
                own[ids[i]] = histogram = new(low, high);
            histogram.Add(values[i]);
        }
        foreach (var (structure, histogram) in own)
        {
            if (!_structures.TryGetValue(structure, out var known))
                _structures[structure] = known = (new(low, high), [], []);
            known.All.Add(histogram);
            known.Medians.Add(histogram.Quantile(0.5));
            known.Means.Add(histogram.Mean);
        }
        Cases++;
    }
}
