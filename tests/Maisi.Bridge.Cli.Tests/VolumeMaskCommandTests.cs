using System.Text.Json;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;
using static Maisi.Bridge.Cli.Tests.CapturedConsole;

namespace Maisi.Bridge.Cli.Tests;

[Collection("console")]
public sealed class VolumeMaskCommandTests
{
    [Fact]
    public async Task Info_convert_resample_and_stats_work_together()
    {
        using var folder = TestPaths.Temporary();
        var golden = TestPaths.Golden("nifti", "lps_i16.nii.gz");
        var (code, output, _) = await Run("volume", "info", golden, "--json");
        code.ShouldBe(0);
        var info = JsonDocument.Parse(output).RootElement;
        info.GetProperty("orientation").GetString().ShouldBe("LPS");
        info.GetProperty("size").EnumerateArray().Select(v => v.GetInt32()).ShouldBe([5, 6, 7]);

        (await Run("volume", "convert", golden, "-o", folder["a.nrrd"], "--orientation", "RAS", "--type", "float32")).Code.ShouldBe(0);
        var converted = VolumeFile.Read(folder["a.nrrd"]);
        (converted.Orientation, converted.Type).ShouldBe((AxisCodes.RAS, VoxelType.Float32));

        (await Run("volume", "resample", folder["a.nrrd"], "-o", folder["b.nii.gz"], "--spacing", "3", "--size", "4", "4", "4")).Code.ShouldBe(0);
        VolumeFile.Read(folder["b.nii.gz"]).Shape.ShouldBe([4, 4, 4]);

        var stats = await Run("volume", "stats", golden, "--json");
        JsonDocument.Parse(stats.Output).RootElement[0].GetProperty("median").GetDouble().ShouldBe(4.5);
        (await Run("volume", "preview", golden, "-o", folder["p.png"], "--kind", "mosaic")).Code.ShouldBe(0);
        new FileInfo(folder["p.png"]).Length.ShouldBeGreaterThan(500);
    }

    [Fact]
    public async Task Masks_are_checked_prepared_indexed_and_cleaned_of_tumours()
    {
        using var folder = TestPaths.Temporary();
        Directory.CreateDirectory(folder["masks"]);
        var mask = Volume.Zeros<byte>(new(20, 20, 20, Affine.Diagonal(-1.5, -1.5, 1.5)));
        mask.Voxels<byte>().Fill(200);
        mask.Voxels<byte>()[4000] = 1;
        mask.Voxels<byte>()[4001] = 26;
        VolumeFile.Write(mask, folder["masks/a.nii.gz"]);
        var check = await Run("mask", "check", folder["masks/a.nii.gz"]);
        check.Code.ShouldBe(2);
        check.Output.ShouldContain("LPS");
        var prepared = await Run("mask", "prepare", folder["masks/a.nii.gz"], "-o", folder["b.nii.gz"], "--keep-grid", "--json");
        prepared.Code.ShouldBe(0);
        JsonDocument.Parse(prepared.Output).RootElement.GetProperty("changes")[0].GetString()!.ShouldContain("LPS to RAS");
        (await Run("mask", "remove-tumours", folder["b.nii.gz"], "-o", folder["c.nii.gz"])).Code.ShouldBe(0);
        VolumeFile.Read(folder["c.nii.gz"]).CountLabels().Keys.ShouldBe([1, 200]);
        (await Run("mask", "index", folder["masks"])).Code.ShouldBe(0);
        MaskDatabase.Load(folder["masks.json"]).Records[0].LabelList.ShouldBe([1, 26, 200]);
    }

    [SkippableFact]
    public async Task DICOM_goes_out_and_in()
    {
        using var folder = TestPaths.Temporary();
        var volume = Volume.Zeros<short>(new(6, 5, 4, Affine.Diagonal(1, 2, 3, -5, 6, 7)));
        volume.Voxels<short>()[7] = 5;
        VolumeFile.Write(volume, folder["a.nii.gz"]);
        var (code, _, problem) = await Run("volume", "convert", folder["a.nii.gz"], "--format", "dicom", "-o", folder["ct"], "--patient-id", "X");
        Skip.If(problem.Contains("python3-pydicom", StringComparison.Ordinal), problem);
        code.ShouldBe(0, problem);
        (await Run("volume", "convert", folder["ct"], folder["b.nii.gz"], "--orientation", "RAS")).Code.ShouldBe(0);
        var back = VolumeFile.Read(folder["b.nii.gz"]);
        back.Voxels<short>().ToArray().ShouldBe(volume.Voxels<short>().ToArray());
        back.Affine.ShouldBe(volume.Affine);
        (await Run("volume", "info", folder["ct"])).Output.ShouldContain("DICOM CT");
        var seg = await Run("volume", "convert", folder["a.nii.gz"], "--format", "dicom-seg", "--vocabulary", "maisi", "--source", folder["ct"], "-o", folder["seg.dcm"]);
        seg.Code.ShouldBe(0, seg.Error);
        File.ReadAllText(folder["seg.dcm"]).ShouldContain("right kidney");
        var refused = await Run("volume", "convert", folder["a.nii.gz"], "--format", "dicom", "-o", folder["ct"]);
        refused.Code.ShouldBe(2);
        refused.Error.ShouldContain("no empty folder");
    }

    [Theory]
    [InlineData("volume", "info", "/nowhere/a.nii.gz", "no such file")]
    [InlineData("mask", "check", "/nowhere/a.mha", "no such file")]
    [InlineData("volume", "stats", "/dev/null", "not a NIfTI")]
    public async Task Wrong_input_leaves_with_2_and_one_screen(string group, string command, string file, string says)
    {
        var (code, output, error) = await Run(group, command, file);
        code.ShouldBe(2);
        output.ShouldBeEmpty();
        error.ShouldContain(says);
        error.ShouldNotContain("   at ");
    }
}
