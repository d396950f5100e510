using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Evaluation;

/// <summary>The features of one set of volumes: statistics of all slices, a random sample of bounded size, and the files that hold them.</summary>
internal sealed class FeatureSet(int seed, int sampled) : IDisposable
{
    private readonly Dictionary<SlicePlane, FeatureStatistics> _statistics = Enum.GetValues<SlicePlane>().ToDictionary(p => p, _ => new FeatureStatistics());
    private readonly Dictionary<SlicePlane, Reservoir> _samples = Enum.GetValues<SlicePlane>().ToDictionary(p => p, p => new Reservoir(seed + (int)p * 1000, sampled));
    private readonly List<string> _files = [];

    /// <summary>Files of features, in the order of the volumes.</summary>
    public IReadOnlyList<string> Files => _files;

    /// <summary>Mean and covariance of all slices of a plane.</summary>
    public FeatureStatistics Statistics(SlicePlane plane) => _statistics[plane];

    /// <summary>Adds a volume.</summary>
    public void Add(string file)
    {
        foreach (var (plane, statistics) in _statistics)
        {
            using var scope = NewDisposeScope();
            var rows = FeatureCache.Rows(file, plane);
            statistics.Add(rows);
            _samples[plane].Add(rows, _files.Count);
        }
        _files.Add(file);
    }

    /// <summary>At most as many slices as were asked for, [n, D], and the volume of each.</summary>
    public (Tensor Rows, IReadOnlyList<int> Volumes) Sample(SlicePlane plane) => _samples[plane].Rows();

    public void Dispose()
    {
        foreach (var statistics in _statistics.Values)
            statistics.Dispose();
    }

    // Vitter's algorithm R: every row has the same chance to stay.
    private sealed class Reservoir(int seed, int size)
    {
        private readonly Random _random = new(seed);
        private readonly List<(float[] Row, int Volume)> _kept = [];
        private long _seen;

        public void Add(Tensor rows, int volume)
        {
            var (values, width) = (rows.contiguous().data<float>().ToArray(), (int)rows.shape[1]);
            for (var i = 0; i < rows.shape[0]; i++)
            {
                var place = _kept.Count < size ? _kept.Count : _random.NextInt64(_seen + 1);
                _seen++;
                if (place >= size)
                    continue;
                var row = (values[(i * width)..((i + 1) * width)], volume);
                if (place == _kept.Count)
                    _kept.Add(row);
                else
                    _kept[(int)place] = row;
            }
        }

        public (Tensor, IReadOnlyList<int>) Rows() =>
            (tensor(_kept.SelectMany(k => k.Row).ToArray(), [_kept.Count, _kept[0].Row.Length]), [.. _kept.Select(k => k.Volume)]);
    }
}
