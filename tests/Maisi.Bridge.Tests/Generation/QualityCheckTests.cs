using Maisi.Bridge.Generation;
using Maisi.Bridge.Tests.Volumes;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Generation;

/// <summary>Median HU of organs against MAISI's check (golden/util_quality_check).</summary>
public sealed class QualityCheckTests
{
    private static readonly GoldenArrays _golden = new("util_quality_check");

    public static TheoryData<string> Names => ["ok", "liver_high", "bone_990", "lung_nan", "all_1000"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Medians_and_thresholds_equal_MAISI(string name)
    {
        var grid = new VolumeGrid(40, 36, 32, Affine.Identity);
        var labels = Volume.FromArray<int>(_golden.Ints("in/label"), grid);
        var image = Volume.FromArray<float>(_golden.Floats("in/image"), grid);
        var hu = image.Voxels<float>();
        var ids = labels.Voxels<int>();
        for (var i = 0; i < hu.Length; i++)
            hu[i] = name switch
            {
                "liver_high" when ids[i] == 1 => hu[i] + 200,
                "bone_990" when ids[i] is >= 33 and < 57 => 990,
                "lung_nan" when ids[i] == 28 => float.NaN,
                "all_1000" => 1000,
                _ => hu[i],
            };
        var expected = _golden.Info.GetProperty("cases").EnumerateArray().First(c => c.GetProperty("name").GetString() == name);
        var checks = QualityCheck.Maisi().Run(image, labels);
        foreach (var check in checks)
        {
            var theirs = expected.GetProperty("result").GetProperty(check.Organ);
            check.Median.ShouldBe(theirs.GetProperty("median_value").ValueKind == System.Text.Json.JsonValueKind.Null ? null : theirs.GetProperty("median_value").GetDouble());
            check.Low.ShouldBe(theirs.GetProperty("low_thresh").GetDouble());
            check.High.ShouldBe(theirs.GetProperty("high_thresh").GetDouble());
            check.IsOutlier.ShouldBe(theirs.GetProperty("is_outlier").GetBoolean());
        }
        checks.Count.ShouldBe(7);
        checks.Any(c => c.IsOutlier).ShouldBe(!expected.GetProperty("pass").GetBoolean());
    }

    [Fact]
    public void Statistics_are_summarised_as_NumPy_does()
    {
        var s = QualityCheck.Summarise([10, 20, 30, 40]);
        s.Percentile0_5.ShouldBe(10.15, 1e-12);
        s.Percentile99_5.ShouldBe(39.85, 1e-12);
        s.Sigma6Low.ShouldBe(25 - 6 * Math.Sqrt(125), 1e-9);
        Should.Throw<MaisiException>(() => QualityCheck.Summarise([]));
        var grid = new VolumeGrid(2, 1, 1, Affine.Identity);
        Should.Throw<MaisiException>(() => QualityCheck.Maisi().Run(Volume.Zeros<float>(grid), Volume.Zeros<byte>(new(1, 1, 1, Affine.Identity)))).Hint!.ShouldContain("resample");
    }
}
