using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Volumes;

public sealed class MaskPreparationTests
{
    [Fact]
    public void A_mask_of_another_vocabulary_becomes_ready()
    {
        // A TotalSegmentator liver (5) in a body of 20 HU, stored LPS, 3 mm, 100×90×80.
        var grid = new VolumeGrid(100, 90, 80, Affine.Diagonal(-3, -3, 3, 150, 130, 0));
        var (mask, ct) = (Volume.Zeros<byte>(grid), Volume.Zeros<short>(grid));
        ct.Voxels<short>().Fill(-1000);
        for (var z = 10; z < 70; z++)
            for (var y = 20; y < 70; y++)
                for (var x = 20; x < 80; x++)
                {
                    ct.Voxels<short>()[x + 100 * (y + 90 * z)] = 20;
                    mask.Voxels<byte>()[x + 100 * (y + 90 * z)] = (byte)(x > 50 && z > 30 ? 5 : 0);
                }
        var prepared = MaskPreparation.Prepare(mask, new() { Vocabulary = LabelVocabulary.Load("totalsegmentator-v2"), Ct = ct });
        prepared.Warnings.ShouldBeEmpty();
        prepared.Changes.Count.ShouldBe(4);
        prepared.Mask.CountLabels().Keys.ShouldBe([0, 1, 200]);
        prepared.Mask.Orientation.ShouldBe(AxisCodes.RAS);
        prepared.Mask.Shape.ShouldBe([256, 256, 128]);
        MaskPreparation.Check(prepared.Mask).ShouldBeEmpty();
        // The liver keeps its place and volume.
        double Litres(Volume v, int label) => v.CountLabels()[label] * v.Spacing.Aggregate(1.0, (p, s) => p * s) / 1e6;
        Litres(prepared.Mask, 1).ShouldBe(Litres(mask, 5), 0.05 * Litres(mask, 5));
    }

    [Fact]
    public void Everything_wrong_is_said_at_once()
    {
        var problems = MaskPreparation.Check(Volume.FromArray<short>([0, 150, 3, 3], new(2, 2, 1, Affine.Diagonal(-1, 1, 1))));
        problems.Count.ShouldBe(4);
        problems[0].ShouldContain("150");
        problems[1].ShouldContain("body (200)");
        problems[2].ShouldContain("LAS");
        problems[3].ShouldContain("256×256×128");
        var unknown = Should.Throw<MaisiException>(() => MaskPreparation.Prepare(Volume.FromArray<byte>([0, 77], new(2, 1, 1, Affine.Identity)), new() { Vocabulary = LabelVocabulary.Load("openkbp") }));
        unknown.Message.ShouldContain("77");
    }

    [Fact]
    public void Statistics_per_label()
    {
        var image = Volume.FromArray<float>([1, 2, 3, float.NaN, 10, 20], new(6, 1, 1, Affine.Diagonal(10, 10, 10)));
        var labels = Volume.FromArray<byte>([1, 1, 1, 1, 0, 4], image.Grid);
        var rows = VolumeStatistics.Compute(image, labels);
        rows.Count.ShouldBe(3);
        rows[0].ShouldBe(new ValueStatistics(null, 5, 5, 7.2, rows[0].Deviation, 1, 3, 20));
        rows[1].ShouldBe(new ValueStatistics(1, 3, 3, 2, rows[1].Deviation, 1, 2, 3));
        rows[1].Deviation.ShouldBe(Math.Sqrt(2 / 3.0), 1e-12);
        rows[2].Median.ShouldBe(20);
    }

    [SkippableFact]
    public void Real_head_and_neck_CT_gets_a_body()
    {
        Skip.If(TestPaths.RealData is null, "no real CT: set MAISI_TEST_DATA");
        var ct = VolumeFile.Read(Path.Combine(TestPaths.RealData, "openkbp", "pt_001_ct.nii.gz"));
        var mask = VolumeFile.Read(Path.Combine(TestPaths.RealData, "openkbp", "pt_001_label.nii.gz"));
        var prepared = MaskPreparation.Prepare(mask, new() { Vocabulary = LabelVocabulary.Load("openkbp"), Ct = ct, FixGrid = false });
        prepared.Mask.Orientation.ShouldBe(AxisCodes.RAS);
        var inside = prepared.Mask.CountLabels().Where(l => l.Key != 0).Sum(l => l.Value);
        var tissue = ct.ConvertTo<float>().Voxels<float>().ToArray().Count(v => v > -500);
        ((double)inside / tissue).ShouldBeInRange(0.95, 1.6);
    }
}
