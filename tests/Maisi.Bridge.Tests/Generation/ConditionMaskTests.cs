using System.IO.Compression;
using System.Text.Json.Nodes;
using Maisi.Bridge.Generation;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Generation;

public sealed class ConditionMaskTests : IDisposable
{
    private readonly TemporaryFolder _temp = TestPaths.Temporary();

    private static BundleSettings Settings => new()
    {
        TrainedAutoencoderPath = "a",
        TrainedDiffusionPath = "b",
        TrainedControlnetPath = "c",
        OutputSize = [16, 16, 16],
        Spacing = [3, 3, 3],
        LabelDict = new() { ["organ"] = 1, ["body"] = 200 },
        LabelRemap = new() { ["9"] = 200 },
        AnchorLabels = [1],
        AutoencoderDef = new JsonObject(),
        DiffusionUnetDef = new JsonObject(),
        ControlnetDef = new JsonObject(),
        NoiseScheduler = new JsonObject(),
    };

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void A_map_on_the_bundles_spacing_keeps_its_grid()
    {
        var mask = Read(Write([16, 32, 16], Affine.Diagonal(3, 3, 3, -5, 6, 7), (12, 1)));
        mask.Labels.Shape.ShouldBe([16, 32, 16]);
        mask.Labels.Affine.ShouldBe(Affine.Diagonal(3, 3, 3, -5, 6, 7));
        mask.HasBody.ShouldBeFalse();
        mask.Changes.ShouldHaveSingleItem().ShouldContain("no body envelope");
    }

    [Fact]
    public void Axes_are_brought_to_RAS_and_codes_are_replaced()
    {
        // Axes L, P, I: voxel 0 lies at the right, front, top end.
        var mask = Read(Write([16, 16, 32], Affine.Diagonal(-3, -3, -3, 0, 0, 0), (0, 1), (1, 9)));
        mask.Labels.Orientation.ShouldBe(AxisCodes.RAS);
        mask.Labels.At(15, 15, 31).ShouldBe(1);
        mask.Labels.At(14, 15, 31).ShouldBe(200);
        mask.HasBody.ShouldBeTrue();
        mask.Changes.Count.ShouldBe(2);
        mask.Changes[0].ShouldContain("9 by 200 (1 voxels)");
        mask.Changes[1].ShouldContain("LPI");
    }

    [Fact]
    public void Another_spacing_is_resampled_round_the_organs()
    {
        var path = Write([32, 32, 32], Affine.Diagonal(6, 6, 6), (5 + (32 * 6) + (1024 * 7), 1));
        var mask = Read(path);
        mask.Labels.Shape.ShouldBe([16, 16, 16]);
        mask.Labels.Spacing.ShouldBe([3, 3, 3]);
        // The organ's voxel spans 27..33 mm along x; the grid of 16 voxels of 3 mm is centred on 30 mm.
        mask.Labels.Affine.Apply(7.5, 7.5, 7.5).ShouldBe((30.0, 36.0, 42.0));
        mask.Labels.Voxels<byte>().Count((byte)1).ShouldBe(8);
        Read(path, GridChoice.Mask).Labels.Shape.ShouldBe([32, 32, 32]);
    }

    [Fact]
    public void Wrong_files_are_explained()
    {
        Message(_temp["missing.nii.gz"]).ShouldNotBeEmpty();
        File.WriteAllText(_temp["text.nii"], "this is no image");
        Message(_temp["text.nii"]).ShouldNotBeEmpty();
        var truncated = Write([16, 16, 16], Affine.Identity, (0, 1));
        File.WriteAllBytes(truncated, File.ReadAllBytes(truncated)[..^20]);
        Message(truncated).ShouldNotBeEmpty();
    }

    [Fact]
    public void Unknown_codes_are_named_with_the_known_ones()
    {
        var e = Should.Throw<MaisiException>(() => Read(Write([16, 16, 16], Affine.Diagonal(3, 3, 3), (0, 1), (1, 55), (2, 55))));
        e.Message.ShouldContain("55 (2 voxels)");
        e.Hint!.ShouldContain("200 body");
    }

    [Fact]
    public void Sizes_that_do_not_divide_are_refused_unless_resampling_is_asked_for()
    {
        var path = Write([16, 17, 16], Affine.Diagonal(3, 3, 3), (100, 1));
        Should.Throw<MaisiException>(() => Read(path)).Message.ShouldContain("16×17×16");
        Read(path, GridChoice.Bundle).Labels.Shape.ShouldBe([16, 16, 16]);
    }

    [Fact]
    public void Networks_of_MAISI_keep_the_sizes_that_they_know_and_get_the_nearest_otherwise()
    {
        var settings = Settings with { HasMaisiRules = true };
        var kept = ConditionMask.Read(Write([256, 256, 128], Affine.Diagonal(1.5, 1.5, 3), (100, 1)), settings, GridChoice.Auto, 32);
        kept.Labels.Shape.ShouldBe([256, 256, 128]);
        kept.Labels.Spacing.ShouldBe([1.5, 1.5, 3]);
        // 200·2 mm over 256 voxels, 100·4 mm over 128: the field of view stays.
        var moved = ConditionMask.Read(Write([200, 200, 100], Affine.Diagonal(2, 2, 4), (100 + (200 * 100) + (40_000 * 50), 1)), settings, GridChoice.Auto, 32);
        moved.Labels.Shape.ShouldBe([256, 256, 128]);
        moved.Labels.Spacing.ShouldBe([1.5625, 1.5625, 3.125], 1e-9);
        moved.Labels.Voxels<byte>().Contains((byte)1).ShouldBeTrue();
        moved.Changes[0].ShouldContain("the nearest that the networks were trained on");
    }

    [Fact]
    public void An_empty_map_and_an_image_are_refused()
    {
        Message(Write([16, 16, 16], Affine.Diagonal(3, 3, 3))).ShouldContain("empty");
        var image = Volume.Zeros<float>(new VolumeGrid(16, 16, 16, Affine.Diagonal(3, 3, 3)));
        image.Voxels<float>()[3] = 0.25f;
        VolumeFile.Write(image, _temp["image.nii.gz"]);
        Message(_temp["image.nii.gz"]).ShouldContain("no label map");
    }

    private string Message(string path) => Should.Throw<MaisiException>(() => Read(path)).Message;

    private static ConditionMask Read(string path, GridChoice grid = GridChoice.Auto) => ConditionMask.Read(path, Settings, grid, 16);

    private string Write(int[] size, Affine affine, params (int Index, short Code)[] labels)
    {
        var volume = Volume.Zeros<short>(new VolumeGrid(size[0], size[1], size[2], affine));
        foreach (var (index, code) in labels)
            volume.Voxels<short>()[index] = code;
        var path = _temp["mask.nii.gz"];
        VolumeFile.Write(volume, path, CompressionLevel.Fastest);
        return path;
    }
}
