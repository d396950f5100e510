using System.Text.Json.Nodes;
using Maisi.Bridge.Evaluation;
using Maisi.Bridge.Tests.Volumes;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Evaluation;

/// <summary>Image scores against MONAI (golden/metrics_image), and what they refuse.</summary>
public sealed class ImageMetricsTests
{
    private static readonly GoldenArrays _golden = new("metrics_image");
    private static readonly VolumeGrid _grid = new(20, 18, 16, Affine.Identity);

    public static TheoryData<string> Cases => [.. _golden.Info.GetProperty("cases").EnumerateArray().Select(c => c.GetProperty("metric").GetString()!)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scores_equal_MONAI(string metric)
    {
        var node = JsonNode.Parse(_golden.Info.GetProperty("cases").EnumerateArray().First(c => c.GetProperty("metric").GetString() == metric).GetRawText())!;
        var expected = node["per_item"]!.AsArray().Select(v => v!.GetValue<double>()).ToArray();
        for (var item = 0; item < expected.Length; item++)
        {
            var (a, b) = (Item("in/a", item), Item("in/b", item));
            if (metric.StartsWith("SSIM2D", StringComparison.Ordinal))
                (a, b) = (Slice(a, 5), Slice(b, 5));
            // MONAI computes in float32.
            Score(metric, a, b).ShouldBe(expected[item], metric.StartsWith("PSNR", StringComparison.Ordinal) ? 2e-5 : 2e-6, $"{metric} item {item}");
        }
    }

    [Fact]
    public void Equal_images_score_best()
    {
        var a = Item("in/a", 0);
        StructuralSimilarity.Ssim(a, a).ShouldBe(1, 1e-12);
        ImageMetrics.Errors(a, a, 1).ShouldBe(new ImageErrors(0, 0, double.PositiveInfinity));
    }

    [Fact]
    public void Error_per_label_is_that_of_its_voxels()
    {
        var grid = new VolumeGrid(2, 2, 1, Affine.Identity);
        var errors = ImageMetrics.MeanAbsoluteErrorPerLabel(Volume.Wrap<short>(new short[] { 0, 10, 20, 30 }, grid), Volume.Wrap<short>(new short[] { 1, 10, 24, 36 }, grid), Volume.Wrap<byte>(new byte[] { 0, 3, 3, 9 }, grid));
        errors.OrderBy(e => e.Key).ShouldBe([new(0, 1), new(3, 2), new(9, 6)]);
    }

    [Fact]
    public void What_cannot_be_compared_is_refused()
    {
        var a = Item("in/a", 0);
        Should.Throw<MaisiException>(() => ImageMetrics.Errors(a, Slice(a, 0), 1)).Message.ShouldContain("20×18×16");
        Should.Throw<MaisiException>(() => ImageMetrics.Errors(a, a, 0)).Message.ShouldContain("range");
        Should.Throw<MaisiException>(() => StructuralSimilarity.Ssim(a, a, new() { Window = 17 })).Message.ShouldContain("smaller than the window of 17");
        Should.Throw<MaisiException>(() => StructuralSimilarity.MultiScale(a, a)).Message.ShouldContain("too short for 5 scales");
        var b = a.Clone();
        b.Voxels<float>()[7] = float.NaN;
        Should.Throw<MaisiException>(() => StructuralSimilarity.Ssim(b, a)).Message.ShouldContain("1 voxels that are no number");
    }

    private static double Score(string metric, Volume a, Volume b) => metric switch
    {
        "SSIM3D gaussian win 11" or "SSIM2D of slice 5 of the last axis" => StructuralSimilarity.Ssim(a, b),
        "SSIM3D gaussian win 7 sigma 1.5 range 2" => StructuralSimilarity.Ssim(a, b, new() { Window = 7, Range = 2 }),
        "SSIM3D uniform win 7" => StructuralSimilarity.Ssim(a, b, new() { Window = 7, Sigma = null }),
        "PSNR max 1" => ImageMetrics.Errors(a, b, 1).Psnr,
        "PSNR max 255" => ImageMetrics.Errors(a, b, 255).Psnr,
        "MAE" => ImageMetrics.Errors(a, b, 1).MeanAbsoluteError,
        "MSE" => ImageMetrics.Errors(a, b, 1).MeanSquaredError,
        "RMSE" => ImageMetrics.Errors(a, b, 1).RootMeanSquaredError,
        "MS-SSIM3D kernel 3 sigma .5 weights 2" => StructuralSimilarity.MultiScale(a, b, new() { Window = 3, Sigma = 0.5, Weights = [0.5, 0.5] }),
        _ => throw new ArgumentOutOfRangeException(nameof(metric), metric, "the fixture has a case that this test does not know"),
    };

    private static Volume Item(string key, int item) => Volume.FromArray<float>(_golden.Floats(key).AsSpan(item * (int)_grid.Count, (int)_grid.Count), _grid);

    private static Volume Slice(Volume volume, int z) =>
        Volume.Wrap<float>(volume.Memory<float>().Slice(z * volume.SizeX * volume.SizeY, volume.SizeX * volume.SizeY), new(volume.SizeX, volume.SizeY, 1, Affine.Identity));
}
