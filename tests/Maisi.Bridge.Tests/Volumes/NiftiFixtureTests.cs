using System.Text.Json;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Volumes;

/// <summary>NIfTI files written and read by nibabel and MONAI 1.5.0 (golden/nifti_cases.json).</summary>
public sealed class NiftiFixtureTests
{
    private static readonly JsonElement _cases = JsonDocument.Parse(File.ReadAllBytes(TestPaths.Golden("nifti_cases.json"))).RootElement;

    public static TheoryData<string> Oriented => ["ras_i16.nii.gz", "lps_i16.nii.gz", "oblique_i16.nii.gz"];

    [Theory]
    [MemberData(nameof(Oriented))]
    public void Reading_then_RAS_equals_MONAI(string file)
    {
        var expected = Case(file);
        var volume = VolumeFile.Read(TestPaths.Golden("nifti", file));
        volume.Type.ShouldBe(VoxelType.Int16);
        volume.Shape.ShouldBe([5, 6, 7]);
        volume.Affine.ToRows().ShouldBe(Numbers(expected.GetProperty("affine")), 1e-12);
        volume.ToFloats().Sum().ShouldBe(expected.GetProperty("sum").GetSingle());
        var ras = volume.Reorient(AxisCodes.RAS);
        ras.Affine.ToRows().ShouldBe(Numbers(expected.GetProperty("after_orientation_RAS_affine")), 1e-9);
        ras.At(0, 1, 2).ShouldBe(expected.GetProperty("ras_0_1_2").GetDouble());
        ras.ToFloats()[(0 * 6 + 1) * 7 + 2].ShouldBe((float)ras.At(0, 1, 2));
    }

    [Theory]
    [MemberData(nameof(Oriented))]
    public void Writing_after_RAS_equals_what_MONAI_writes(string file)
    {
        using var folder = TestPaths.Temporary();
        var saved = Case(file).GetProperty("saved_after_RAS");
        var theirs = VolumeFile.Read(TestPaths.Golden("nifti", saved.GetProperty("file").GetString()!));
        VolumeFile.Write(VolumeFile.Read(TestPaths.Golden("nifti", file)).Reorient(AxisCodes.RAS).ConvertTo<float>(), folder["ours.nii.gz"]);
        var ours = VolumeFile.Read(folder["ours.nii.gz"]);
        ours.Voxels<float>().ToArray().ShouldBe(theirs.Voxels<float>().ToArray());
        ours.Affine.MaxDifference(theirs.Affine).ShouldBeLessThan(1e-6);
        VolumeFile.ReadInfo(folder["ours.nii.gz"]).AffineSource.ShouldBe("sform");
    }

    [Fact]
    public void Slope_and_intercept_are_applied()
    {
        var expected = Case("slope.nii.gz");
        var volume = VolumeFile.Read(TestPaths.Golden("nifti", "slope.nii.gz"));
        volume.Type.ShouldBe(VoxelType.Float32);
        volume.At(0, 1, 2).ShouldBe(expected.GetProperty("voxel_0_1_2").GetDouble());
        volume.ToFloats().Sum().ShouldBe(expected.GetProperty("sum").GetSingle());
    }

    [Fact]
    public void Latents_keep_their_channels()
    {
        var expected = Case("latent4d_emb.nii.gz");
        var volume = VolumeFile.Read(TestPaths.Golden("nifti", "latent4d_emb.nii.gz"));
        volume.Shape.ShouldBe([5, 6, 7, 4]);
        volume.At(1, 2, 3, 0).ShouldBe(expected.GetProperty("c0_1_2_3").GetDouble(), 1e-7);
        volume.ToFloats()[(1 * 6 + 2) * 7 + 3].ShouldBe((float)volume.At(1, 2, 3));
        volume.ToFloats()[((3 * 5 + 1) * 6 + 2) * 7 + 3].ShouldBe((float)volume.At(1, 2, 3, 3));
    }

    [Fact]
    public void Uncompressed_bytes_wrap_as_NumPy_wraps()
    {
        var volume = VolumeFile.Read(TestPaths.Golden("nifti", "u8.nii"));
        volume.Type.ShouldBe(VoxelType.UInt8);
        volume.At(0, 0, 0).ShouldBe(156); // (uint8)(-100)
        volume.At(0, 1, 2).ShouldBe(165);
    }

    private static JsonElement Case(string file) => _cases.EnumerateArray().First(c => c.GetProperty("file").GetString() == file);

    private static double[] Numbers(JsonElement matrix) => [.. matrix.EnumerateArray().SelectMany(r => r.EnumerateArray()).Select(v => v.GetDouble())];
}
