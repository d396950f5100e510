using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Maisi.Bridge.Tests.Support;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Cli.Tests;

/// <summary><c>maisi generate paired|mask|image</c> as a user runs it, with small golden networks.</summary>
public sealed class GeneratePipelinesTests(TinyMaisiBundle tiny) : IClassFixture<TinyMaisiBundle>, IDisposable
{
    private readonly TemporaryFolder _temp = TestPaths.Temporary();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task Pairs_are_the_same_in_one_run_in_shares_resumed_and_replayed()
    {
        WriteMasks();
        string[] pairs = ["paired", "--database", "masks.json", "--anatomy", "liver", "lung tumor", "--count", "3", "--seed", "4"];
        (await Run("none", pairs)).Error.ShouldContain("without other tumours");
        pairs = ["paired", "--database", "masks.json", "--anatomy", "liver", "--count", "3", "--seed", "4"];
        await Done("whole", pairs);
        await Done("shares", [.. pairs, "--shard", "2/2"]);
        await Done("shares", [.. pairs, "--resume"]);
        Files("shares").Where(f => !f.Key.Contains("2of2")).ShouldBe(Files("whole"));
        var manifest = JsonNode.Parse(File.ReadAllText(_temp["whole/manifest.json"]))!;
        manifest["options"]!["kind"]!.ToString().ShouldBe("Paired");
        manifest["inputs"]!.AsArray().Select(i => Path.GetFileName(i!["path"]!.ToString())).ShouldBe(["masks.json"]);
        manifest["samples"]!.AsArray().Select(s => s!["mask"]!["sha256"]!.ToString()).Distinct().Count().ShouldBe(3);
        manifest["samples"]![0]!["attempts"]![0]!["kept"]!.GetValue<bool>().ShouldBeTrue();
        var datalist = JsonNode.Parse(File.ReadAllText(_temp["whole/datalist.json"]))!["training"]!.AsArray();
        datalist.ShouldAllBe(c => File.Exists(_temp[$"whole/{c!["image"]}"]) && File.Exists(_temp[$"whole/{c["label"]}"]) && c["parent"] != null);
        var (code, output, error) = await Maisi.RunAsync(_temp.Path, ["replay", "whole/manifest.json", "--verify", "--sample", "2", "-q"]);
        code.ShouldBe(0, error);
        output.Length.ShouldBe(4);
        output.ShouldAllBe(line => line.StartsWith("same"));

        // Compact labels number the wanted structures; the image is the same.
        await Done("compact", [.. pairs, "--compact-labels"]);
        VolumeFile.Read(_temp["compact/paired_seed4_000_label.nii.gz"]).CountLabels().Keys.ShouldBe([0, 1]);
        File.ReadAllBytes(_temp["compact/paired_seed4_000_image.nii.gz"]).ShouldBe(File.ReadAllBytes(_temp["whole/paired_seed4_000_image.nii.gz"]));

        File.AppendAllText(_temp["masks.json"], " ");
        (code, _, error) = await Maisi.RunAsync(_temp.Path, ["replay", "whole/manifest.json", "-q"]);
        code.ShouldBe(2);
        error.ShouldContain("masks.json");
    }

    [Fact]
    public async Task A_parity_run_is_replayed_and_not_shared_out()
    {
        WriteMasks();
        string[] pairs = ["paired", "--database", "masks.json", "--anatomy", "liver", "--count", "2", "--seed", "4", "--parity"];
        await Done("out", pairs);
        VolumeFile.Read(_temp["out/paired_seed4_000_image.nii.gz"]).Type.ShouldBe(VoxelType.Float32);
        VolumeFile.Read(_temp["out/paired_seed4_000_label.nii.gz"]).CountLabels().Keys.ShouldBe([0, 1]);
        var (code, output, error) = await Maisi.RunAsync(_temp.Path, ["replay", "out/manifest.json", "--verify", "--sample", "1", "-q"]);
        code.ShouldBe(0, error);
        output.Length.ShouldBe(4);
        (code, _, error) = await Run("shares", [.. pairs, "--shard", "1/2"]);
        code.ShouldBe(2);
        error.ShouldContain("cannot be shared out");
    }

    [Fact]
    public async Task Label_maps_and_images_alone_have_files_pages_and_datalists_of_their_own()
    {
        await Done("maps", ["mask", "--size-of", "liver=0.4", "lung tumor=-1", "--count", "2"]);
        Directory.EnumerateFiles(_temp["maps"]).Select(Path.GetFileName).Order(StringComparer.Ordinal).ShouldBe([
            "contact_sheet.png", "datalist.json", "index.html", "manifest.json", "mask_seed0_000.json", "mask_seed0_000_label.nii.gz", "mask_seed0_000_overlay.png",
            "mask_seed0_001.json", "mask_seed0_001_label.nii.gz", "mask_seed0_001_overlay.png",
        ]);
        JsonNode.Parse(File.ReadAllText(_temp["maps/manifest.json"]))!["samples"]![0]!["anatomy_condition"]!.AsArray().Count.ShouldBe(10);
        var sheet = PngReader.Read(_temp["maps/contact_sheet.png"]);
        (sheet.Width, sheet.Height > 300).ShouldBe((2000, true));
        File.ReadAllText(_temp["maps/index.html"]).ShouldContain("contact_sheet.png");
        await Done("images", ["image", "--size", "32,32,32", "--spacing", "2,2,2", "--count", "1", "--seed", "3"]);
        Directory.EnumerateFiles(_temp["images"]).Select(Path.GetFileName).Order(StringComparer.Ordinal).ShouldBe([
            "contact_sheet.png", "datalist.json", "image_seed3_000.json", "image_seed3_000_image.nii.gz", "image_seed3_000_preview.png", "index.html", "manifest.json",
        ]);
        JsonNode.Parse(File.ReadAllText(_temp["images/datalist.json"]))!["training"]![0]!["label"].ShouldBeNull();
        VolumeFile.Read(_temp["images/image_seed3_000_image.nii.gz"]).Spacing.ShouldBe([2, 2, 2], 1e-6);
        foreach (var run in new[] { "maps", "images" })
            (await Maisi.RunAsync(_temp.Path, ["replay", $"{run}/manifest.json", "--verify", "-q"])).Code.ShouldBe(0);
    }

    [Fact]
    public async Task Statistics_of_real_images_decide_which_samples_pass()
    {
        WriteMasks();
        await Done("pairs", ["paired", "--database", "masks.json", "--anatomy", "liver", "--count", "2"]);
        var (code, output, error) = await Maisi.RunAsync(_temp.Path, ["generate", "statistics", "--datalist", "pairs/datalist.json", "--bundle", tiny.Bundle, "--output", "real.json", "-q"]);
        code.ShouldBe(0, error);
        output.ShouldBe(["real.json"]);
        var liver = JsonNode.Parse(File.ReadAllText(_temp["real.json"]))!["liver"]!;
        liver["cases"]!.GetValue<int>().ShouldBe(2);
        liver["labels"]!.AsArray().Select(l => l!.GetValue<int>()).ShouldBe([1]);
        var medians = JsonNode.Parse(File.ReadAllText(_temp["pairs/manifest.json"]))!["samples"]!.AsArray().Select(s => s!["median_hounsfield"]!["liver"]!.GetValue<double>()).ToArray();
        liver["median"]!.GetValue<double>().ShouldBe(medians.Average(), 1e-9);
        liver["sigma_6_high"]!.GetValue<double>().ShouldBe(medians.Average() + (3 * Math.Abs(medians[0] - medians[1])), 1e-6);
        await Done("checked", ["paired", "--database", "masks.json", "--anatomy", "liver", "--count", "2", "--statistics", "real.json"]);
        var attempts = JsonNode.Parse(File.ReadAllText(_temp["checked/manifest.json"]))!["samples"]!.AsArray().Select(s => s!["attempts"]!.AsArray()).ToArray();
        attempts.ShouldAllBe(a => a.Count == 1 && !a[0]!["quality"]![0]!["is_outlier"]!.GetValue<bool>());
        File.ReadAllText(_temp["checked/index.html"]).ShouldContain("within the range of real images");
    }

    [Theory]
    [InlineData("--size", "32,32", "three numbers")]
    [InlineData("--size", "a,b,c", "not three numbers")]
    [InlineData("--size", "32,32,31", "not divisible by 32")]
    [InlineData("--modality", "9", "trained on 1")]
    [InlineData("--decode", "magic", "magic")]
    public async Task Wrong_options_are_one_screen_and_leave_nothing(string option, string value, string expected)
    {
        var (code, output, error) = await Run("out", ["image", "--spacing", "1,1,1", .. option == "--size" ? [] : new[] { "--size", "32,32,32" }, option, value]);
        code.ShouldBe(2, error);
        output.ShouldBeEmpty();
        error.ShouldContain(expected);
        error.Split('\n').Length.ShouldBeLessThan(8);
        Directory.Exists(_temp["out"]).ShouldBeFalse();
    }

    private void WriteMasks() => TinyMaisi.WriteDatabase(_temp["masks"], TinyMaisi.Trunk(1), TinyMaisi.Trunk(2), TinyMaisi.Trunk(3));

    private Task<(int Code, string[] Output, string Error)> Run(string output, string[] command) =>
        Maisi.RunAsync(_temp.Path, ["generate", .. command, "--bundle", tiny.Bundle, "--output", output, "-q"]);

    private async Task Done(string output, string[] command)
    {
        var (code, _, error) = await Run(output, command);
        code.ShouldBe(0, error);
    }

    private Dictionary<string, string> Files(string folder) => Directory.EnumerateFiles(_temp[folder], "*_*.*").Where(f => !f.EndsWith(".json"))
        .ToDictionary(f => Path.GetFileName(f), f => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f))));
}

/// <summary>The bundle of small golden networks, written once.</summary>
public sealed class TinyMaisiBundle : IDisposable
{
    private readonly TemporaryFolder _temp = TestPaths.Temporary();

    public TinyMaisiBundle() => TinyMaisi.Write(Bundle, "rflow");

    public string Bundle => _temp["bundle"];

    public void Dispose() => _temp.Dispose();
}
