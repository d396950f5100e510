using System.Text.Json.Nodes;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Cli.Tests;

/// <summary><c>maisi generate</c> as a user runs it.</summary>
[Collection(nameof(TinyBundle))]
public sealed class GenerateCommandTests(TinyBundle bundle)
{
    [Fact]
    public async Task A_bundle_has_what_MONAI_expects()
    {
        var files = Directory.EnumerateFiles(bundle.Path, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(bundle.Path, f)).Order(StringComparer.Ordinal);
        files.ShouldBe([
            "configs/inference.json", "configs/maisi_train.json", "configs/metadata.json", "configs/multi_gpu_train.json", "configs/train.json",
            "docs/README.md", "docs/training.csv", "docs/training.html", "docs/training.json", "docs/training_subjects.json",
            "models/autoencoder.pt", "models/controlnet_3d.pt", "models/diff_unet_3d.pt",
        ]);
        var (code, _, error) = await Maisi.RunAsync(bundle.Path, ["bundle", "resolve", "--id", "output_size", "--config_file", "configs/inference.json"]);
        code.ShouldBe(0, error);
    }

    [Fact]
    public async Task Image_label_previews_and_manifest_are_written_and_can_be_made_again()
    {
        using var temp = TestPaths.Temporary();
        var (code, output, error) = await Generate(temp["a"], "--seed", "7", "--count", "2");
        code.ShouldBe(0, error);
        error.ShouldContain("denoise 3/3");
        output.Length.ShouldBe(9);
        output.ShouldAllBe(file => File.Exists(file));
        var image = VolumeFile.Read(temp["a/head_label_seed7_000_image.nii.gz"]);
        var label = VolumeFile.Read(temp["a/head_label_seed7_000_label.nii.gz"]);
        image.Shape.ShouldBe([32, 32, 32]);
        image.Affine.ShouldBe(Affine.Diagonal(6, 6, 6, -96, -96, -96));
        image.Type.ShouldBe(VoxelType.Int16);
        var voxels = image.Voxels<short>().ToArray();
        voxels.Min().ShouldBe((short)-1000);
        voxels.Max().ShouldBeInRange((short)-999, (short)1000);
        // Where the map says "not body" there is air.
        voxels.Where((_, i) => label.Voxels<byte>()[i] == 0).ShouldAllBe(v => v == -1000);

        // A longer run begins with the same samples, byte for byte.
        (code, _, error) = await Generate(temp["b"], "--seed", "7", "--count", "3", "--quiet");
        code.ShouldBe(0, error);
        foreach (var name in new[] { "000", "001" })
            File.ReadAllBytes(temp[$"b/head_label_seed7_{name}_image.nii.gz"]).ShouldBe(File.ReadAllBytes(temp[$"a/head_label_seed7_{name}_image.nii.gz"]));
        File.ReadAllBytes(temp["a/head_label_seed7_001_image.nii.gz"]).ShouldNotBe(File.ReadAllBytes(temp["a/head_label_seed7_000_image.nii.gz"]));
    }

    [Fact]
    public async Task The_manifest_names_seeds_hashes_and_versions()
    {
        using var temp = TestPaths.Temporary();
        var (code, output, error) = await Generate(temp["out"], "--seed", "3", "--json");
        code.ShouldBe(0, error);
        var manifest = JsonNode.Parse(string.Join('\n', output))!;
        JsonNode.DeepEquals(manifest, JsonNode.Parse(File.ReadAllText(temp["out/manifest.json"]))).ShouldBeTrue();
        manifest["options"]!["seed"]!.GetValue<long>().ShouldBe(3);
        manifest["options"]!["steps"]!.GetValue<int>().ShouldBe(3);
        manifest["bundle_files"]!.AsArray().Count.ShouldBe(4);
        var file = manifest["samples"]![0]!["files"]![0]!;
        var sha = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(temp[$"out/{file["path"]}"])));
        file["sha256"]!.ToString().ShouldBe(sha);
        manifest["samples"]![0]!["median_hounsfield"]!["background"]!.GetValue<double>().ShouldBe(-1000);
    }

    [Fact]
    public async Task Decoding_is_planned_before_the_run_and_stays_within_the_plan()
    {
        using var temp = TestPaths.Temporary();
        var (code, _, error) = await Generate(temp["much"], "--seed", "3", "--memory", "2GB");
        code.ShouldBe(0, error);
        error.ShouldContain("plan 1/1, ");
        error.ShouldContain("of activations, about ");
        var decode = JsonNode.Parse(File.ReadAllText(temp["much/manifest.json"]))!["decode"]!;
        decode["mode"]!.ToString().ShouldBe("Exact");
        decode["memory_bytes"]!.GetValue<long>().ShouldBe(2L << 30);
        decode["planned_peak_bytes"]!.GetValue<long>().ShouldBeInRange(1, 2L << 30);

        // Windows that cover the whole volume are the undivided decode: the same image but for rounding.
        (code, _, error) = await Generate(temp["windows"], "--seed", "3", "--decode", "sliding-window");
        code.ShouldBe(0, error);
        JsonNode.Parse(File.ReadAllText(temp["windows/manifest.json"]))!["decode"]!["mode"]!.ToString().ShouldBe("SlidingWindow");
        var (slabs, windows) = (VolumeFile.Read(temp["much/head_label_seed3_image.nii.gz"]), VolumeFile.Read(temp["windows/head_label_seed3_image.nii.gz"]));
        slabs.ToArray<short>().Zip(windows.ToArray<short>(), (a, b) => Math.Abs(a - b)).Max().ShouldBeLessThanOrEqualTo(1);
    }

    [Theory]
    [InlineData("plenty", "no amount of memory")]
    [InlineData("100MB", "too little")]
    public async Task Too_little_memory_is_refused_before_anything_is_made(string memory, string expected)
    {
        using var temp = TestPaths.Temporary();
        var (code, output, error) = await Generate(temp["out"], "--memory", memory);
        code.ShouldBe(2, error);
        output.ShouldBeEmpty();
        error.ShouldContain(expected);
        error.ShouldContain("--memory");
        error.Split('\n').Length.ShouldBeLessThan(8);
        Directory.Exists(temp["out"]).ShouldBeFalse();
    }

    public static TheoryData<string, string> WrongInputs() => new()
    {
        { "missing.nii.gz", "" },
        { "text.nii", "" },
        { "truncated.nii.gz", "" },
        { "codes.nii.gz", "55 (1 voxels)" },
        { "size.nii.gz", "not divisible by 16" },
        { "image.nii.gz", "no label map" },
    };

    [Theory]
    [MemberData(nameof(WrongInputs))]
    public async Task Wrong_masks_are_refused_on_one_screen_and_leave_nothing(string name, string expected)
    {
        using var temp = TestPaths.Temporary();
        File.WriteAllText(temp["text.nii"], "this is no image");
        File.WriteAllBytes(temp["truncated.nii.gz"], File.ReadAllBytes(bundle.Mask)[..^40]);
        var label = VolumeFile.Read(bundle.Mask);
        var codes = label.Clone();
        codes.Voxels<byte>()[5] = 55;
        VolumeFile.Write(codes, temp["codes.nii.gz"]);
        VolumeFile.Write(label.CropOrPad(32, 31, 32), temp["size.nii.gz"]);
        File.Copy(bundle["head_ct.nii.gz"], temp["image.nii.gz"]);
        var (code, output, error) = await Maisi.RunAsync(temp.Path, ["generate", "--bundle", bundle.Path, "--mask", name, "--output", "out"]);
        code.ShouldBe(2, error);
        output.ShouldBeEmpty();
        error.ShouldContain(expected);
        error.ShouldContain(name);
        error.Split('\n').Length.ShouldBeLessThan(12);
        error.ShouldNotContain("   at ");
        Directory.Exists(temp["out"]).ShouldBeFalse();
    }

    [Fact]
    public async Task A_bundle_without_weights_and_a_modality_that_was_not_trained_are_refused()
    {
        using var temp = TestPaths.Temporary();
        Directory.CreateDirectory(temp["empty/configs"]);
        File.Copy(Path.Combine(bundle.Path, "configs", "inference.json"), temp["empty/configs/inference.json"]);
        var (code, _, error) = await Maisi.RunAsync(temp.Path, ["generate", "--bundle", "empty", "--mask", bundle.Mask, "--output", "out"]);
        code.ShouldBe(2);
        error.ShouldContain("no weights");
        (code, _, error) = await Maisi.RunAsync(temp.Path, ["generate", "--bundle", "nothing", "--mask", bundle.Mask, "--output", "out"]);
        code.ShouldBe(2);
        error.ShouldContain("no such bundle");
        (code, _, error) = await Generate(temp["out"], "--modality", "9");
        code.ShouldBe(2);
        error.ShouldContain("trained on 1");
        Directory.Exists(temp["out"]).ShouldBeFalse();
    }

    private Task<(int Code, string[] Output, string Error)> Generate(string output, params string[] options) =>
        Maisi.RunAsync(TestPaths.Root, ["generate", "--bundle", bundle.Path, "--mask", bundle.Mask, "--output", output, .. options]);
}
