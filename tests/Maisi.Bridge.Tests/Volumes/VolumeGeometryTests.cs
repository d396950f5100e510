using System.Text.Json;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Volumes;

/// <summary>Orientation, spacing, crop and pad against MONAI 1.5.0 (golden/transform_spatial).</summary>
public sealed class VolumeGeometryTests
{
    private static readonly GoldenArrays _golden = new("transform_spatial");

    public static TheoryData<int> Cases(string transform) =>
        [.. _golden.Info.GetProperty("cases").EnumerateArray().Select((c, i) => (c, i)).Where(p => p.c.GetProperty("transform").GetString() == transform && !p.c.TryGetProperty("error", out _)).Select(p => p.i)];

    [Theory]
    [MemberData(nameof(Cases), "Orientation")]
    public void Orientation_equals_MONAI(int index)
    {
        var (expected, volume) = Load(index);
        var result = volume.Reorient(AxisCodes.Parse(expected.GetProperty("args").GetProperty("axcodes").GetString()!));
        Compare(result, expected, 0);
        result.Orientation.ToString().ShouldBe(expected.GetProperty("args").GetProperty("axcodes").GetString());
    }

    [Theory]
    [MemberData(nameof(Cases), "Spacing")]
    public void Spacing_equals_MONAI(int index)
    {
        var (expected, volume) = Load(index);
        var args = expected.GetProperty("args");
        // The library keeps the axes of the volume; a scalar or -1 is spelt out by the caller.
        if (args.TryGetProperty("diagonal", out _) || args.TryGetProperty("padding_mode", out _))
            return;
        var wanted = args.GetProperty("pixdim").ValueKind == JsonValueKind.Number ? Enumerable.Repeat(args.GetProperty("pixdim").GetDouble(), 3).ToArray()
            : [.. args.GetProperty("pixdim").EnumerateArray().Select((v, i) => v.GetDouble() > 0 ? v.GetDouble() : volume.Spacing[i])];
        var mode = args.GetProperty("mode").GetString() == "nearest" ? Interpolation.Nearest : Interpolation.Trilinear;
        Compare(volume.ResampleToSpacing(wanted[0], wanted[1], wanted[2], mode), expected, mode == Interpolation.Nearest ? 0 : 2e-6);
    }

    [Theory]
    [MemberData(nameof(Cases), "ResizeWithPadOrCrop")]
    public void Crop_or_pad_equals_MONAI(int index)
    {
        var (expected, volume) = Load(index);
        var size = expected.GetProperty("args").GetProperty("spatial_size").EnumerateArray().Select(v => v.GetInt32()).ToArray();
        Compare(volume.CropOrPad(size[0], size[1], size[2]), expected, 0);
    }

    [Theory]
    [InlineData("RAS")]
    [InlineData("LPS")]
    [InlineData("SAL")]
    [InlineData("PIR")]
    public void Every_voxel_keeps_its_place_when_axes_change(string codes)
    {
        var volume = Volume.FromArray<float>([.. Enumerable.Range(0, 60).Select(i => (float)i)], new(3, 4, 5, Affine.FromRows([0, 0.1, -2, 5, 1.5, 0, 0.2, -6, 0.1, -1.2, 0, 7])));
        var turned = volume.Reorient(AxisCodes.Parse(codes));
        var back = turned.Affine.Inverse().Multiply(volume.Affine);
        for (var x = 0; x < 3; x++)
            for (var y = 0; y < 4; y++)
                for (var z = 0; z < 5; z++)
                {
                    var (i, j, k) = back.Apply(x, y, z);
                    turned.At((int)Math.Round(i), (int)Math.Round(j), (int)Math.Round(k)).ShouldBe(volume.At(x, y, z));
                }
        turned.Reorient(volume.Orientation).ToFloats().ShouldBe(volume.ToFloats());
    }

    [Fact]
    public void Outside_is_filled_and_channels_stay_apart()
    {
        var volume = Volume.FromArray<float>([.. Enumerable.Range(0, 54).Select(i => (float)i)], new(3, 3, 3, Affine.Identity), channels: 2);
        var shifted = volume.Resample(volume.Grid.Box(1, 1, 2, 3, 2, 2), Interpolation.Trilinear, outside: -7);
        shifted.At(0, 0, 0, 0).ShouldBe(volume.At(1, 1, 2, 0));
        shifted.At(1, 1, 0, 1).ShouldBe(volume.At(2, 2, 2, 1));
        shifted.At(2, 0, 0).ShouldBe(-7);
        shifted.At(0, 0, 1, 1).ShouldBe(-7);
        volume.Resample(volume.Grid.Box(1, 1, 2, 3, 2, 2), Interpolation.Nearest).At(2, 1, 1).ShouldBe(volume.At(2, 2, 2));
    }

    [Fact]
    public void Wrong_input_is_named()
    {
        Should.Throw<MaisiException>(() => AxisCodes.Parse("RAL")).Message.ShouldContain("RAL");
        Should.Throw<MaisiException>(() => AxisCodes.Parse("RA")).Hint!.ShouldContain("L/R");
        Should.Throw<MaisiException>(() => Affine.FromRows([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]).Inverse()).Message.ShouldContain("cannot be inverted");
        Should.Throw<MaisiException>(() => new VolumeGrid(2, 2, 2, Affine.Identity).WithSpacing(1, 0, 1));
        Should.Throw<MaisiException>(() => Volume.FromArray<float>([1, 2], new(2, 2, 2, Affine.Identity))).Message.ShouldContain("8");
    }

    private static (JsonElement Case, Volume Volume) Load(int index)
    {
        var expected = _golden.Info.GetProperty("cases")[index];
        var key = expected.GetProperty("input").GetString()!;
        var shape = _golden.Shape(key);
        var affine = Matrix(_golden.Info.GetProperty("affines").GetProperty(expected.GetProperty("affine").GetString()!));
        return (expected, Volume.FromArray<float>(_golden.Floats(key), new(shape[1], shape[2], shape[3], affine)));
    }

    private static void Compare(Volume result, JsonElement expected, double tolerance)
    {
        result.Shape.ShouldBe(expected.GetProperty("out_shape").EnumerateArray().Skip(1).Select(v => v.GetInt32()));
        result.Affine.MaxDifference(Matrix(expected.GetProperty("out_affine"))).ShouldBeLessThan(1e-9);
        var theirs = _golden.Floats(expected.GetProperty("out").GetString()!);
        var ours = result.ToFloats();
        ours.Zip(theirs, (a, b) => Math.Abs(a - b)).Max().ShouldBeLessThanOrEqualTo((float)tolerance);
    }

    private static Affine Matrix(JsonElement rows) => Affine.FromRows(rows.EnumerateArray().SelectMany(r => r.EnumerateArray()).Select(v => v.GetDouble()).ToArray());
}
