using System.Diagnostics;
using Maisi.Bridge.Python;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maisi.Bridge.Tests.Volumes;

/// <summary>
/// CT series and segmentations written here, read back by pydicom (through the worker) and by dcmdump; and folders that must be refused.
/// Series of other shapes are made by maisi_bridge's own writer and then changed by a few lines of pydicom.
/// </summary>
public sealed class DicomTests(DicomPython fixture) : IClassFixture<DicomPython>, IDisposable
{
    private static readonly Affine _oblique = Affine.FromColumns([-0.7 * 0.8, 0.7 * 0.6, 0], [-0.9 * 0.6, -0.9 * 0.8, 0], [0, 0, 2.5], [31.25, -20.5, 113.125]);

    private readonly TemporaryFolder _folder = TestPaths.Temporary();

    private DicomFiles Dicom => new(fixture.Runtime!, TimeProvider.System);

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public async Task A_series_comes_back_with_equal_values_and_place()
    {
        Require();
        var volume = Ramp(_oblique);
        await Dicom.WriteSeriesAsync(volume, _folder["ct"], new() { PatientId = "P 7", Series = "synthetic", IsSynthetic = true });
        var read = await Dicom.ReadAsync(_folder["ct"]);
        (read.Info.Modality, read.Info.Description, read.Info.StoredType, read.Volume.Type).ShouldBe(("CT", "synthetic", VoxelType.Int16, VoxelType.Int16));
        read.Info.Warnings.ShouldBeEmpty();
        read.Volume.Affine.MaxDifference(_oblique).ShouldBeLessThan(1e-6);
        read.Volume.Voxels<short>().ToArray().ShouldBe(volume.Voxels<short>().ToArray());
        (await Dicom.InspectAsync(_folder["ct"])).Grid.ShouldBe(read.Volume.Grid);
    }

    [SkippableFact]
    public async Task A_volume_in_RAS_is_written_in_the_order_of_DICOM()
    {
        Require();
        var volume = Ramp(Affine.Diagonal(1.5, 1.5, 3, -40, 20, 7));
        await Dicom.WriteSeriesAsync(volume.ConvertTo<float>(), _folder["ct"]);
        var read = (await Dicom.ReadAsync(_folder["ct"])).Volume;
        read.Orientation.ShouldBe(AxisCodes.LPS);
        var back = read.Reorient(AxisCodes.RAS);
        back.Voxels<short>().ToArray().ShouldBe(volume.Voxels<short>().ToArray());
        back.Affine.MaxDifference(volume.Affine).ShouldBeLessThan(1e-9);
    }

    [SkippableFact]
    public async Task The_same_volume_gives_the_same_identity_and_another_one_does_not()
    {
        Require();
        await Dicom.WriteSeriesAsync(Ramp(_oblique), _folder["a"]);
        await Dicom.WriteSeriesAsync(Ramp(_oblique), _folder["b"]);
        await Dicom.WriteSeriesAsync(Ramp(_oblique.ShiftedTo(1, 0, 0)), _folder["c"]);
        var (a, b, c) = ((await Dicom.InspectAsync(_folder["a"])).Uid, (await Dicom.InspectAsync(_folder["b"])).Uid, (await Dicom.InspectAsync(_folder["c"])).Uid);
        b.ShouldBe(a);
        c.ShouldNotBe(a);
    }

    [SkippableFact]
    public async Task Rescaling_tilt_and_odd_files_come_out_right()
    {
        Require();
        await Dicom.WriteSeriesAsync(Ramp(_oblique), _folder["ct"]);
        await Change("rescale", 2.0, -1024.0);
        var whole = (await Dicom.ReadAsync(_folder["ct"])).Volume;
        (whole.Type, whole.At(1, 0, 0)).ShouldBe((VoxelType.Int16, 2 * (Value(1) - 0) - 1024));
        await Change("rescale", 30.0, 0.0);
        var wide = (await Dicom.ReadAsync(_folder["ct"])).Volume;
        (wide.Type, wide.At(4, 3, 5)).ShouldBe((VoxelType.Int32, 30.0 * Value(119)));
        await Change("rescale", 0.5, 0.25);
        var fractional = (await Dicom.ReadAsync(_folder["ct"])).Volume;
        (fractional.Type, fractional.At(1, 0, 0)).ShouldBe((VoxelType.Float32, 0.5 * Value(1) + 0.25));
        await Change("tilt", 0.25);
        await File.WriteAllTextAsync(Path.Combine(_folder["ct"], "README.txt"), "not DICOM");
        var tilted = await Dicom.ReadAsync(_folder["ct"]);
        tilted.Info.Warnings.Count.ShouldBe(2);
        tilted.Info.Warnings[0].ShouldContain("tilted by 5.7 degrees");
        tilted.Info.Warnings[1].ShouldContain("1 other files");
        // Each slice moved a quarter millimetre along the columns' direction, (0.54, 0.72, 0) / 0.9 in LPS.
        tilted.Volume.Affine.Column(2).ShouldBe([-0.25 * 0.6, -0.25 * 0.8, 2.5], 1e-6);
    }

    [SkippableTheory]
    [InlineData("drop", "1 missing between 00003.dcm")]
    [InlineData("duplicate", "1 position(s) have more than one slice")]
    [InlineData("uneven", "distance between slices is not even")]
    [InlineData("resize", "do not form one volume")]
    [InlineData("second", "has 2 series")]
    [InlineData("damage", "1 DICOM file(s) are damaged")]
    [InlineData("shorten", "pixels cannot be read")]
    [InlineData("nan", "1 DICOM file(s) are damaged")]
    [InlineData("multiframe", "no DICOM images that form a volume")]
    [InlineData("text", "no DICOM images that form a volume (6 other files)")]
    [InlineData("empty", "the folder is empty")]
    public async Task What_is_no_single_whole_series_is_refused(string change, string says)
    {
        Require();
        await Dicom.WriteSeriesAsync(Ramp(_oblique), _folder["ct"]);
        await Change(change);
        var refused = await Should.ThrowAsync<DicomException>(() => Dicom.ReadAsync(_folder["ct"]));
        refused.Message.ShouldContain(says);
        refused.Where!.ShouldStartWith(_folder["ct"]);
    }

    [SkippableFact]
    public async Task One_of_several_series_can_be_chosen()
    {
        Require();
        await Dicom.WriteSeriesAsync(Ramp(_oblique), _folder["ct"]);
        var uid = (await Dicom.InspectAsync(_folder["ct"])).Uid;
        await Change("second");
        (await Dicom.ReadAsync(_folder["ct"], uid)).Volume.SizeZ.ShouldBe(6);
        (await Dicom.ReadAsync(_folder["ct"], "1.2.3")).Volume.SizeZ.ShouldBe(1);
        (await Should.ThrowAsync<DicomException>(() => Dicom.ReadAsync(_folder["ct"], "9.9"))).Message.ShouldContain(uid);
    }

    [SkippableFact]
    public async Task What_cannot_be_written_leaves_nothing()
    {
        Require();
        Directory.CreateDirectory(_folder["full"]);
        await File.WriteAllTextAsync(Path.Combine(_folder["full"], "keep"), "x");
        async Task Refused(Volume volume, string folder, string says)
        {
            (await Should.ThrowAsync<DicomException>(() => Dicom.WriteSeriesAsync(volume, folder))).Message.ShouldContain(says);
            Directory.EnumerateFileSystemEntries(_folder.Path).Select(Path.GetFileName).Where(n => n != "full").ShouldBeEmpty();
        }
        await Refused(Ramp(_oblique), _folder["full"], "no empty folder");
        await Refused(Ramp(Affine.FromColumns([1, 0, 0], [0.3, 1, 0], [0, 0, 1], [0, 0, 0])), _folder["x"], "not perpendicular");
        await Refused(Volume.FromArray([float.NaN, 1], new(2, 1, 1, Affine.Identity)), _folder["x"], "NaN");
        await Refused(Volume.FromArray([1e6f, 1], new(2, 1, 1, Affine.Identity)), _folder["x"], "1000000");
        await Refused(Volume.Zeros<float>(new(2, 2, 2, Affine.Identity), 4), _folder["x"], "several channels");
        await Refused(Ramp(_oblique), _folder["none/x"], "does not exist");
        Directory.EnumerateFileSystemEntries(_folder["full"]).Select(Path.GetFileName).ShouldBe(["keep"]);
    }

    [SkippableFact]
    public async Task A_segmentation_has_its_voxels_codes_and_colours()
    {
        Require();
        await Dicom.WriteSeriesAsync(Ramp(_oblique), _folder["ct"], new() { PatientId = "P 7" });
        var labels = Labels(_oblique);
        await Dicom.WriteSegmentationAsync(labels.Reorient(AxisCodes.RAS), LabelVocabulary.Load("maisi"), _folder["seg.dcm"], new() { Series = "organs" }, _folder["ct"]);
        var read = (Dictionary<string, object?>)(await fixture.Runtime!.CallAsync("change:read_segmentation", PythonArguments.Of(_folder["seg.dcm"], _folder["ct"]), options: new() { Pooled = true }))!;
        using (var voxels = (SharedArray)read["voxels"]!)
            voxels.Bytes.ToArray().ShouldBe(labels.ConvertTo<byte>().Voxels<byte>().ToArray());
        ((List<object?>)read["segments"]!).Cast<string>().ShouldBe(
        [
            "1 liver 123037004 10200004 - - SCT",
            "5 right kidney 123037004 64033007 24028007 - SCT",
            "23 lung tumor 49755003 108369006 - 39607008 SCT",
            "129 dummy6 123037004 MAISI-129 - - 99MAISIBRIDGE",
        ]);
        (read["patient"], read["frame"], read["references"]).ShouldBe(("P 7", true, 6L));
        // #b85d46 is L* 50.0, a* 34.9, b* 29.9.
        var lab = ((List<object?>)read["color"]!).Select(v => (long)v!).ToArray();
        lab[0].ShouldBeInRange(32700, 32900);
        lab[1].ShouldBeInRange(41700, 42000);
        lab[2].ShouldBeInRange(40450, 40750);
    }

    [SkippableFact]
    public async Task DCMTK_reads_both()
    {
        Require();
        await Dicom.WriteSeriesAsync(Ramp(_oblique), _folder["ct"], new() { PatientName = "Łukasz^Ü" });
        await Dicom.WriteSegmentationAsync(Labels(_oblique), LabelVocabulary.Load("maisi"), _folder["seg.dcm"], source: _folder["ct"]);
        var slice = Dump(Path.Combine(_folder["ct"], "00002.dcm"));
        slice.ShouldContain("(0008,0016) UI =CTImageStorage");
        slice.ShouldContain("(0020,0037) DS [0.8\\-0.6\\");
        slice.ShouldContain("(0020,0032) DS [-31.25\\20.5\\115.625]");
        slice.ShouldContain("(0028,0030) DS [0.9\\0.7]");
        var segmentation = Dump(_folder["seg.dcm"]);
        segmentation.ShouldContain("(0008,0016) UI =SegmentationStorage");
        segmentation.ShouldContain("(0062,0005) LO [right kidney]");
        segmentation.ShouldContain("(0008,0100) SH [64033007]");
        segmentation.ShouldContain("(0028,0008) IS [8]");
    }

    [SkippableFact]
    public async Task Segmentations_that_mean_nothing_are_refused()
    {
        Require();
        await Dicom.WriteSeriesAsync(Ramp(_oblique), _folder["ct"]);
        var maisi = LabelVocabulary.Load("maisi");
        var strange = Labels(_oblique);
        strange.Voxels<short>()[0] = 133;
        (await Should.ThrowAsync<DicomException>(() => Dicom.WriteSegmentationAsync(strange, maisi, _folder["s.dcm"]))).Message.ShouldContain("label 133");
        (await Should.ThrowAsync<DicomException>(() => Dicom.WriteSegmentationAsync(Volume.Zeros<byte>(strange.Grid), maisi, _folder["s.dcm"]))).Message.ShouldContain("empty");
        var moved = Labels(_oblique.ShiftedTo(0, 0, 1));
        (await Should.ThrowAsync<DicomException>(() => Dicom.WriteSegmentationAsync(moved, maisi, _folder["s.dcm"], source: _folder["ct"]))).Message.ShouldContain("not on the grid");
        File.Exists(_folder["s.dcm"]).ShouldBeFalse();
    }

    [Fact]
    public async Task A_python_without_pydicom_says_what_to_install()
    {
        var options = new PythonOptions();
        options.Modules.Add("pydicom_that_nobody_has");
        await using var runtime = new PythonRuntime(options, NullLoggerFactory.Instance, TimeProvider.System);
        var refused = await Should.ThrowAsync<DicomException>(() => new DicomFiles(runtime, TimeProvider.System).ReadAsync(_folder.Path));
        refused.Message.ShouldContain("DICOM needs Python with pydicom");
        refused.Hint!.ShouldContain("python3-pydicom");
    }

    private void Require() => Skip.If(fixture.Runtime is null, "no Python with pydicom: apt-get install python3-pydicom");

    private Task Change(string function, params object?[] arguments) =>
        fixture.Runtime!.CallAsync($"change:{function}", PythonArguments.Of([_folder["ct"], .. arguments]), options: new() { Pooled = true });

    private static short Value(int i) => (short)(i * 37 % 2500 - 1000);

    private static Volume Ramp(Affine affine)
    {
        var volume = Volume.Zeros<short>(new(5, 4, 6, affine));
        for (var i = 0; i < volume.Count; i++)
            volume.Voxels<short>()[i] = Value(i);
        return volume;
    }

    private static Volume Labels(Affine affine)
    {
        var volume = Volume.Zeros<short>(new(5, 4, 6, affine));
        foreach (var (at, label) in new (int, short)[] { (3, 1), (4, 1), (27, 1), (44, 5), (45, 23), (61, 23), (80, 1), (99, 129), (119, 5) })
            volume.Voxels<short>()[at] = label;
        return volume;
    }

    private static string Dump(string path)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("dcmdump", [path]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            (process.ExitCode, error.Result).ShouldBe((0, ""));
            return output;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Skip.If(true, "no dcmdump: apt-get install dcmtk");
            throw;
        }
    }
}
