using System.Text.Json.Nodes;
using Maisi.Bridge.Evaluation;
using Maisi.Bridge.Tests.Volumes;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Evaluation;

/// <summary>Segmentation scores against MONAI (golden/metrics_seg), against brute force, and their rules for what is missing.</summary>
public sealed class SegmentationMetricsTests
{
    private const double Tolerance = 1e-6;
    private static readonly (int X, int Y, int Z) _size = (14, 12, 10);
    private static readonly GoldenArrays _golden = new("metrics_seg");

    public static TheoryData<string> Cases => [.. _golden.Info.GetProperty("cases").EnumerateArray().Select(c => c.GetProperty("metric").GetString()!)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scores_equal_MONAI(string metric)
    {
        var node = JsonNode.Parse(_golden.Info.GetProperty("cases").EnumerateArray().First(c => c.GetProperty("metric").GetString() == metric).GetRawText())!;
        double[] spacing = [.. node["call"]!["spacing"]?.AsArray().Select(v => v!.GetValue<double>()) ?? [1, 1, 1]];
        var expected = node["per_item"]!.AsArray().Select(row => row!.AsArray().Select(Number).ToArray()).ToArray();
        var first = expected[0].Length == 3 ? 0 : 1; // background included or not
        var scores = expected.Select((row, item) => row.Select((_, c) => Score(metric, item, c + first, spacing, c)).ToArray()).ToArray();
        for (var item = 0; item < expected.Length; item++)
            for (var c = 0; c < expected[item].Length; c++)
                Same(scores[item][c], expected[item][c], $"item {item} class {c}");
        var aggregate = node["aggregate"] is JsonArray list ? list.Select(Number).ToArray() : [Number(node["aggregate"])];
        double[] ours = metric switch
        {
            _ when metric.Contains("mean_batch") => [.. MetricAverages.MeanPerClass(scores)],
            _ when metric.Contains("mean_channel") => [.. MetricAverages.MeanPerCase(scores)],
            _ when metric.Contains("reduction=sum") => [MetricAverages.Sum(scores)],
            _ => [MetricAverages.Mean(scores)],
        };
        ours.Length.ShouldBe(aggregate.Length);
        for (var i = 0; i < ours.Length; i++)
            Same(ours[i], aggregate[i], "aggregate");
    }

    [Fact]
    public void Distances_equal_brute_force_on_uneven_grids()
    {
        var random = new Random(11);
        for (var repeat = 0; repeat < 30; repeat++)
        {
            var (x, y, z) = (random.Next(1, 10), random.Next(1, 10), random.Next(1, 10));
            double[] spacing = [0.3 + random.NextDouble(), 0.3 + random.NextDouble() * 3, 0.3 + random.NextDouble()];
            var (a, b) = (Blob(random, x, y, z), Blob(random, x, y, z));
            var (ours, theirs) = (Surface(a), Surface(b));
            var distances = SurfaceDistances.Between(a, b, spacing);
            if (ours.Count == 0 || theirs.Count == 0)
                continue;
            var expected = ours.Select(p => theirs.Min(q => Length(p, q, spacing))).ToArray();
            distances.ToTruth.ToArray().Select(d => (double)d).Zip(expected).ShouldAllBe(p => Math.Abs(p.First - p.Second) < 1e-5);
            distances.Hausdorff(0).ShouldBe(Math.Max(expected.Max(), theirs.Max(q => ours.Min(p => Length(p, q, spacing)))), 1e-5);
        }
    }

    [Fact]
    public void A_class_that_is_missing_follows_the_stated_rules()
    {
        var grid = new VolumeGrid(6, 6, 6, Affine.Diagonal(1, 1, 2));
        Volume With(params (int At, int Label)[] voxels)
        {
            var volume = Volume.Zeros<byte>(grid);
            foreach (var (at, label) in voxels)
                volume.Voxels<byte>()[at] = (byte)label;
            return volume;
        }
        // 1: one voxel on both sides; 2: only in the truth; 3: only in the prediction; 4: nowhere.
        var scores = SegmentationMetrics.Compute(With((0, 1), (100, 3)), With((0, 1), (50, 2)), [1, 2, 3, 4], new() { LesionLabels = [1, 2, 3, 4] });
        scores.Select(s => s.Dice).ShouldBe([1, 0, double.NaN, double.NaN]);
        scores.Select(s => s.Iou).ShouldBe([1, 0, double.NaN, double.NaN]);
        scores.Select(s => s.HausdorffDistance).ShouldBe([0, double.NaN, double.NaN, double.NaN]);
        scores.Select(s => s.AverageSurfaceDistance).ShouldBe([0, double.PositiveInfinity, double.PositiveInfinity, double.NaN]);
        scores.Select(s => s.SurfaceDice).ShouldBe([1, 0, 0, double.NaN]);
        scores.Select(s => s.RelativeVolumeError).ShouldBe([0, -1, double.NaN, double.NaN]);
        scores.Select(s => (s.IsMissed, s.IsInvented)).ShouldBe([(false, false), (true, false), (false, true), (false, false)]);
        scores.Select(s => s.Lesions).ShouldBe([new(1, 1, 1, 0), new(1, 0, 0, 0), new(0, 0, 1, 1), new(0, 0, 0, 0)]);
        scores[0].TruthMillilitres.ShouldBe(0.002);
        SegmentationMetrics.Compute(With((0, 1), (100, 3)), With((0, 1)), [1, 3, 4], new() { IgnoreEmpty = false }).Select(s => s.Dice).ShouldBe([1, 0, 1]);
    }

    [Fact]
    public void Lesions_count_by_the_share_that_is_covered()
    {
        var grid = new VolumeGrid(20, 5, 5, Affine.Identity);
        var (prediction, truth) = (Volume.Zeros<byte>(grid), Volume.Zeros<byte>(grid));
        truth.Voxels<byte>()[40..44].Fill(7); // four voxels, one found
        truth.Voxels<byte>()[210..212].Fill(7); // not found
        prediction.Voxels<byte>()[43..44].Fill(7);
        prediction.Voxels<byte>()[300..303].Fill(7); // not there
        LesionScores Lesions(double share) => SegmentationMetrics.Compute(prediction, truth, [7], new() { LesionLabels = [7], LesionOverlap = share })[0].Lesions!;
        Lesions(0).ShouldBe(new LesionScores(2, 1, 2, 1));
        Lesions(0).Sensitivity.ShouldBe(0.5);
        Lesions(0.5).ShouldBe(new LesionScores(2, 0, 2, 1));
    }

    [Fact]
    public void Tensors_volumes_and_all_labels_give_the_same()
    {
        var random = new Random(3);
        var grid = new VolumeGrid(9, 8, 7, Affine.Diagonal(1, 2, 3));
        var (a, b) = (Volume.Zeros<int>(grid), Volume.Zeros<int>(grid));
        foreach (ref var v in a.Voxels<int>())
            v = random.Next(4);
        foreach (ref var v in b.Voxels<int>())
            v = random.Next(4) * 50;
        var scores = SegmentationMetrics.Compute(a, b);
        scores.Select(s => s.Label).ShouldBe([1, 2, 3, 50, 100, 150]);
        SegmentationMetrics.Compute(a.ToTensor().Data[0], b.ToTensor().Data[0], grid.Affine.Spacing).ShouldBe(scores);
        SegmentationMetrics.Compute(a, a).ShouldAllBe(s => s.Dice == 1 && s.HausdorffDistance == 0 && s.SurfaceDice == 1);
    }

    [Fact]
    public void What_cannot_be_compared_is_refused()
    {
        var volume = Volume.Zeros<byte>(new(4, 4, 4, Affine.Identity));
        Should.Throw<MaisiException>(() => SegmentationMetrics.Compute(Volume.Zeros<byte>(new(4, 4, 5, Affine.Identity)), volume)).Message.ShouldContain("4×4×5");
        Should.Throw<MaisiException>(() => SegmentationMetrics.Compute(volume.WithAffine(Affine.Diagonal(1, 1, 2)), volume)).Message.ShouldContain("1×1×2 mm");
        Should.Throw<MaisiException>(() => SegmentationMetrics.Compute(Volume.Zeros<byte>(volume.Grid, 2), volume)).Message.ShouldContain("2 channels");
        var image = Volume.Zeros<float>(volume.Grid);
        foreach (var odd in new[] { 0.5f, float.NaN })
        {
            image.Voxels<float>()[5] = odd;
            Should.Throw<MaisiException>(() => SegmentationMetrics.Compute(volume, image)).Message.ShouldContain("no label");
        }
        Should.Throw<MaisiException>(() => SegmentationMetrics.Compute(volume, volume, options: new() { HausdorffPercentile = 101 })).Where.ShouldBe("HausdorffPercentile");
        Should.Throw<MaisiException>(() => SegmentationMetrics.Compute(volume, volume, options: new() { SurfaceTolerance = -1 })).Message.ShouldContain("tolerance");
    }

    private static double Score(string metric, int item, int channel, double[] spacing, int place)
    {
        var (prediction, truth) = (Channel("in/y_pred", item, channel), Channel("in/y", item, channel));
        if (metric.StartsWith("Dice", StringComparison.Ordinal))
            return SegmentationMetrics.Compute(prediction, truth, [1], new() { Surfaces = false, IgnoreEmpty = !metric.Contains("ignore_empty=False") })[0].Dice;
        var measure = metric.Contains("chessboard") ? DistanceMeasure.Chessboard : metric.Contains("taxicab") ? DistanceMeasure.Taxicab : DistanceMeasure.Euclidean;
        var distances = SurfaceDistances.Between(BinaryMask.Of(prediction, 1), BinaryMask.Of(truth, 1), spacing, measure);
        if (metric.StartsWith("SurfaceDice", StringComparison.Ordinal))
            return distances.Dice(metric.Contains("[1,1]") ? 1 : place == 0 ? 0.5 : 2);
        if (metric.StartsWith("SurfaceDistance", StringComparison.Ordinal))
            return distances.Average(metric.Contains("symmetric"));
        return distances.Hausdorff(metric.Contains("95") ? 95 : metric.Contains("50") ? 50 : 0, metric.Contains("directed=True"));
    }

    private static Volume Channel(string key, int item, int channel)
    {
        var count = _size.X * _size.Y * _size.Z;
        return Volume.FromArray<byte>(_golden.Bytes(key).AsSpan((item * 3 + channel) * count, count), new(_size.X, _size.Y, _size.Z, Affine.Identity));
    }

    private static double Number(JsonNode? node) => node!.GetValueKind() == System.Text.Json.JsonValueKind.String
        ? node.GetValue<string>() switch { "NaN" => double.NaN, _ => double.PositiveInfinity }
        : node.GetValue<double>();

    private static void Same(double ours, double expected, string what)
    {
        if (double.IsFinite(expected))
            ours.ShouldBe(expected, Tolerance, what);
        else
            ours.ShouldBe(expected, what);
    }

    private static BinaryMask Blob(Random random, int x, int y, int z)
    {
        var volume = Volume.Zeros<byte>(new(x, y, z, Affine.Identity));
        var filled = random.NextDouble();
        foreach (ref var v in volume.Voxels<byte>())
            v = random.NextDouble() < filled ? (byte)1 : (byte)0;
        return BinaryMask.Of(volume, 1);
    }

    private static List<(int X, int Y, int Z)> Surface(BinaryMask mask)
    {
        bool In(int i, int j, int k) => i >= 0 && i < mask.SizeX && j >= 0 && j < mask.SizeY && k >= 0 && k < mask.SizeZ && mask[i + mask.SizeX * (j + mask.SizeY * k)];
        return [.. from k in Enumerable.Range(0, mask.SizeZ)
                   from j in Enumerable.Range(0, mask.SizeY)
                   from i in Enumerable.Range(0, mask.SizeX)
                   where In(i, j, k) && !(In(i - 1, j, k) && In(i + 1, j, k) && In(i, j - 1, k) && In(i, j + 1, k) && In(i, j, k - 1) && In(i, j, k + 1))
                   select (i, j, k)];
    }

    private static double Length((int X, int Y, int Z) a, (int X, int Y, int Z) b, double[] spacing) =>
        Math.Sqrt(Math.Pow((a.X - b.X) * spacing[0], 2) + Math.Pow((a.Y - b.Y) * spacing[1], 2) + Math.Pow((a.Z - b.Z) * spacing[2], 2));
}
