using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Maisi.Bridge.TestSupport;
using Xunit.Abstractions;

namespace Maisi.Bridge.Cli.Tests;

/// <summary>Runs of several samples: lists, shares, interruptions, and making samples again.</summary>
[Collection(nameof(TinyBundle))]
public sealed class GenerateBatchTests(TinyBundle bundle, ITestOutputHelper log) : IDisposable
{
    private readonly TemporaryFolder _temp = TestPaths.Temporary();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task A_list_of_label_maps_gives_images_a_datalist_and_a_page()
    {
        WriteMasks();
        var (code, output, error) = await Generate("out");
        code.ShouldBe(0, error);
        output.Length.ShouldBe((4 * 4) + 1);
        var list = JsonNode.Parse(File.ReadAllText(_temp["out/datalist.json"]))!["training"]!.AsArray();
        list.Count.ShouldBe(4);
        foreach (var item in list)
        {
            File.Exists(_temp[$"out/{item!["image"]}"]).ShouldBeTrue();
            File.Exists(_temp[$"out/{item["label"]}"]).ShouldBeTrue();
            item["synthetic"]!.GetValue<bool>().ShouldBeTrue();
            item["parent"]!.ToString().ShouldEndWith(".nii.gz");
        }
        list.Select(i => i!["parent"]!.ToString()).Distinct().Count().ShouldBe(2);
        list.Select(i => i!["seed"]!.GetValue<ulong>()).Distinct().Count().ShouldBe(4);
        var page = File.ReadAllText(_temp["out/index.html"]);
        page.ShouldContain("b_label_seed5_001_preview.png");
        Directory.EnumerateFileSystemEntries(_temp["out"], ".*").ShouldBeEmpty();
    }

    [Fact]
    public async Task Shares_of_a_run_make_the_same_files_as_the_whole()
    {
        WriteMasks();
        await Done("whole");
        await Done("shares", "--shard", "2/3");
        await Done("shares", "--shard", "1/3");
        File.Exists(_temp["shares/manifest_2of3.json"]).ShouldBeTrue();
        File.Exists(_temp["shares/manifest.json"]).ShouldBeFalse();
        // The third share was never run: a resumed whole run makes what is missing and keeps the rest.
        var kept = File.GetLastWriteTimeUtc(_temp["shares/a_label_seed5_000_image.nii.gz"]);
        await Done("shares", "--resume");
        File.GetLastWriteTimeUtc(_temp["shares/a_label_seed5_000_image.nii.gz"]).ShouldBe(kept);
        Images("shares").ShouldBe(Images("whole"));
        JsonNode.Parse(File.ReadAllText(_temp["shares/manifest.json"]))!["samples"]!.AsArray().Count.ShouldBe(4);
        (await Generate("x", "--shard", "4/3")).Error.ShouldContain("i/n");
    }

    [Fact]
    public async Task A_resumed_run_redoes_what_is_damaged_or_was_made_otherwise()
    {
        WriteMasks();
        await Done("out");
        var before = Images("out");
        var times = Directory.EnumerateFiles(_temp["out"], "*_image.nii.gz").ToDictionary(f => f, File.GetLastWriteTimeUtc);
        File.Delete(_temp["out/a_label_seed5_001_label.nii.gz"]);
        File.WriteAllText(_temp["out/b_label_seed5_000_image.nii.gz"], "damaged");
        File.WriteAllText(_temp["out/b_label_seed5_001.json"], "{ damaged");
        await Done("out", "--resume");
        Images("out").ShouldBe(before);
        times.Where(t => File.GetLastWriteTimeUtc(t.Key) == t.Value).Select(t => Path.GetFileName(t.Key)).ShouldBe(["a_label_seed5_000_image.nii.gz"]);

        await Done("out", "--resume", "--steps", "2");
        Images("out").ShouldNotBe(before);
    }

    [Fact]
    public async Task A_killed_run_is_resumed_to_the_same_bytes()
    {
        WriteMasks();
        var random = new Random(4);
        // The whole count kills batches of 20 samples; the small one, of 4.
        var (kills, count) = int.TryParse(Environment.GetEnvironmentVariable("MAISI_FUZZ"), out var n) ? (n, "10") : (2, "2");
        var clock = Stopwatch.StartNew();
        await Done("whole", "--count", count);
        var duration = (int)clock.ElapsedMilliseconds;
        for (var i = 0; i < kills; i++)
        {
            var name = $"killed{i}";
            using (var process = Maisi.Start(_temp.Path, Arguments(name, "--count", count)))
            {
                await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(random.Next(duration / 10, duration)));
                process.Kill();
                await process.WaitForExitAsync();
            }
            log.WriteLine($"{name}: {Directory.EnumerateFiles(_temp.Path, $"{name}/*_image.nii.gz").Count()} samples were there, {clock.Elapsed.TotalSeconds:F0} s");
            await Done(name, "--resume", "--count", count);
            Images(name).ShouldBe(Images("whole"), name);
            Directory.EnumerateFileSystemEntries(_temp[name]).Select(Path.GetFileName).Order()
                .ShouldBe(Directory.EnumerateFileSystemEntries(_temp["whole"]).Select(Path.GetFileName).Order());
        }
    }

    [Fact]
    public async Task A_manifest_is_replayed_byte_for_byte_and_a_difference_is_told()
    {
        WriteMasks();
        await Done("out");
        var (code, output, error) = await Maisi.RunAsync(_temp.Path, ["replay", "out/manifest.json", "--verify", "--sample", "1", "--sample", "2", "-q"]);
        code.ShouldBe(0, error);
        output.Length.ShouldBe(8);
        output.ShouldAllBe(line => line.StartsWith("same"));

        var manifest = JsonNode.Parse(File.ReadAllText(_temp["out/manifest.json"]))!;
        manifest["samples"]![3]!["files"]![0]!["sha256"] = new string('0', 64);
        File.WriteAllText(_temp["changed.json"], manifest.ToJsonString());
        (code, output, _) = await Maisi.RunAsync(_temp.Path, ["replay", "changed.json", "--verify", "--sample", "3", "-q"]);
        code.ShouldBe(1);
        output.Count(line => line.StartsWith("DIFFERS")).ShouldBe(1);

        TinyBundle.WriteHead(12, _temp["ct.nii.gz"], _temp["a_label.nii.gz"]);
        (code, _, error) = await Maisi.RunAsync(_temp.Path, ["replay", "out/manifest.json", "-q"]);
        code.ShouldBe(2);
        error.ShouldContain("has changed");
    }

    private void WriteMasks()
    {
        TinyBundle.WriteHead(10, _temp["ct.nii.gz"], _temp["a_label.nii.gz"]);
        TinyBundle.WriteHead(11, _temp["ct.nii.gz"], _temp["b_label.nii.gz"]);
        File.WriteAllText(_temp["masks.txt"], "a_label.nii.gz\nb_label.nii.gz\n");
    }

    private string[] Arguments(string output, params string[] more) =>
        ["generate", "--bundle", bundle.Path, "--masks", "masks.txt", .. more.Contains("--count") ? Array.Empty<string>() : ["--count", "2"], "--seed", "5", "--memory", "2GB", "--output", output, "--quiet", .. more];

    private Task<(int Code, string[] Output, string Error)> Generate(string output, params string[] more) => Maisi.RunAsync(_temp.Path, Arguments(output, more));

    private async Task Done(string output, params string[] more)
    {
        var (code, _, error) = await Generate(output, more);
        code.ShouldBe(0, error);
    }

    private Dictionary<string, string> Images(string folder) => Directory.EnumerateFiles(_temp[folder], "*.nii.gz")
        .Concat(Directory.EnumerateFiles(_temp[folder], "*_seed*.png"))
        .ToDictionary(f => Path.GetFileName(f), f => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f))));
}
