using System.Text.Json;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Networks;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;
using static Maisi.Bridge.Cli.Tests.CapturedConsole;

namespace Maisi.Bridge.Cli.Tests;

/// <summary><c>maisi evaluate</c>: tables, files, exit codes, and one-screen errors for input that cannot be evaluated.</summary>
[Collection("console")]
public sealed class EvaluateCommandTests
{
    [Fact]
    public async Task Segmentations_are_scored_and_reported()
    {
        using var folder = TestPaths.Temporary();
        WriteCase(folder["pred/a_pred.nii.gz"], 3, 100);
        WriteCase(folder["truth/a_label.nii.gz"], 3, 120);
        var (code, output, _) = await Run("evaluate", "segmentation", folder["pred"], folder["truth"], "-o", folder["out"], "--lesions", "3");
        code.ShouldBe(0);
        output.ShouldContain("spleen");
        output.ShouldContain("0.909");
        output.ShouldContain("MONAI's ignore_empty");
        File.Exists(folder["out/segmentation.html"]).ShouldBeTrue();
        var json = await Run("evaluate", "segmentation", folder["pred/a_pred.nii.gz"], folder["truth/a_label.nii.gz"], "--json", "-q", "--no-surfaces");
        var row = JsonDocument.Parse(json.Output).RootElement.GetProperty("tables").GetProperty("classes")[0];
        row.GetProperty("dice").GetDouble().ShouldBe(200.0 / 220, 1e-12);
        row.GetProperty("hausdorff").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task Fid_and_memorisation_run_from_files()
    {
        using var folder = TestPaths.Temporary();
        foreach (var (set, first) in new[] { ("real", 0), ("fake", 3), ("train", 10), ("val", 20) })
            for (var i = 0; i < 3; i++)
                WriteImage(folder[$"{set}/{set}{i}.nii.gz"], first + i);
        File.Copy(folder["train/train1.nii.gz"], folder["fake/planted.nii.gz"]);
        using (var network = new SqueezeNet(withClassifier: false))
            SafetensorsFile.Save(folder["squeeze.safetensors"], network.state_dict());
        var fid = await Run("evaluate", "fid", folder["fake"], folder["real"], "--network", "squeezenet", "--weights", folder["squeeze.safetensors"], "--size", "32x32x32", "--resamples", "5", "-o", folder["out"], "-q");
        fid.Code.ShouldBe(0);
        fid.Output.ShouldContain("feature network: squeezenet1_1 without classifier (512 features)");
        fid.Output.ShouldContain("padded with -1000 and cropped to 32×32×32");
        File.ReadAllLines(folder["out/fid_planes.csv"]).Length.ShouldBe(5);
        var audit = await Run("evaluate", "memorisation", folder["fake"], folder["train"], "--validation", folder["val"], "-o", folder["out"], "--strict", "-q");
        audit.Code.ShouldBe(3);
        audit.Output.ShouldContain("1 of 4 synthetic cases is a copy of training cases");
        new FileInfo(folder["out/memorisation_pairs.png"]).Length.ShouldBeGreaterThan(2000);
    }

    [Fact]
    public async Task Images_are_compared()
    {
        using var folder = TestPaths.Temporary();
        for (var i = 0; i < 2; i++)
        {
            WriteImage(folder[$"a/c{i}_image.nii.gz"], i);
            WriteImage(folder[$"b/c{i}_image.nii.gz"], i + 5);
            WriteCase(folder[$"l/c{i}_label.nii.gz"], 3, 4000, 24);
        }
        var (code, output, error) = await Run("evaluate", "image", folder["a"], "--against", folder["b"], "--labels", folder["l"], "--real", folder["b"], "--real-labels", folder["l"], "-q");
        (code, error).ShouldBe((0, ""));
        foreach (var text in new[] { "PSNR dB", "spleen", "Wasserstein", "whole image" })
            output.ShouldContain(text);
    }

    [Fact]
    public async Task What_cannot_be_evaluated_gives_one_screen()
    {
        using var folder = TestPaths.Temporary();
        WriteCase(folder["t/a.nii.gz"], 3, 50);
        WriteCase(folder["big/a.nii.gz"], 3, 50, 12);
        WriteImage(folder["i/a.nii.gz"], 1);
        File.WriteAllText(folder["text.nii.gz"], "hello");
        Directory.CreateDirectory(folder["empty"]);
        string[][] wrong =
        [
            ["segmentation", folder["none"], folder["t"]],
            ["segmentation", folder["empty"], folder["t"]],
            ["segmentation", folder["t"], folder["big"]],
            ["segmentation", folder["i"], folder["i"]],
            ["segmentation", folder["text.nii.gz"], folder["t"]],
            ["segmentation", folder["t"], folder["t"], "--tolerance", "-1"],
            ["image", folder["i"], "--against", folder["t"]],
            ["image", folder["i"], "--range", "5", "5"],
            ["fid", folder["i"], folder["i"], "--network", "squeezenet"],
            ["fid", folder["i"], folder["i"], "--network", "squeezenet", "--weights", folder["text.nii.gz"]],
            ["fid", folder["i"], folder["i"], "--network", "autoencoder", "--bundle", folder["i"]],
            ["fid", folder["i"], folder["i"], "--network", "inception"],
            ["fid", folder["i"], folder["i"], "--network", "squeezenet", "--weights", "x", "--size", "512x512"],
            ["consistency", folder["i"], folder["t"], "--network", folder["none.json"]],
            ["memorisation", folder["i"], folder["i"]],
        ];
        foreach (var arguments in wrong)
        {
            var (code, _, error) = await Run(["evaluate", .. arguments]);
            code.ShouldBe(2, string.Join(' ', arguments) + error);
            error.ShouldStartWith("maisi: ");
            error.Split('\n').Length.ShouldBeLessThan(12);
            error.ShouldNotContain("   at ");
        }
    }

    private static void WriteCase(string path, byte label, int voxels, int edge = 10)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var map = Volume.Zeros<byte>(new(edge, edge, edge, Affine.Diagonal(1, 1, 1)));
        map.Voxels<byte>()[..voxels].Fill(label);
        VolumeFile.Write(map, path);
    }

    private static void WriteImage(string path, int seed)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        const int edge = 24;
        var random = new Random(seed);
        var image = Volume.Zeros<float>(new(edge, edge, edge, Affine.Diagonal(1, 1, 1)));
        var blocks = Enumerable.Range(0, 64).Select(_ => (float)(random.NextDouble() * 2000 - 1000)).ToArray();
        for (var i = 0; i < image.Count; i++)
            image.Voxels<float>()[i] = blocks[i % edge / 6 + 4 * (i / edge % edge / 6) + 16 * (i / edge / edge / 6)];
        VolumeFile.Write(image, path);
    }
}
