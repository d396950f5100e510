using System.Text.Json.Nodes;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Cli.Tests;

/// <summary><c>maisi train STAGE</c> on a bundle's config with a small network merged over it.</summary>
public sealed class TrainCommandTests
{
    private static readonly string Config = Path.Combine(TestPaths.Root, "bundles", "maisi_ct_rflow", "configs", "train_mask_autoencoder.json");

    [Fact]
    public async Task A_stage_is_trained_with_the_data_of_the_options()
    {
        using var folder = TestPaths.Temporary();
        var mask = Volume.FromArray<short>([.. Enumerable.Range(0, 16 * 16 * 16).Select(i => (short)(i % 16 < 8 ? 1 : 0))], new VolumeGrid(16, 16, 16, Affine.Identity));
        VolumeFile.Write(mask, folder["mask.nii.gz"]);
        await File.WriteAllTextAsync(folder["data.json"], """{"training": [{"label": "mask.nii.gz"}]}""");
        var network = JsonNode.Parse(await File.ReadAllTextAsync(TestPaths.Golden("vae_maisi_mask.json")))!["config"]!.DeepClone();
        await File.WriteAllTextAsync(folder["small.json"], new JsonObject
        {
            ["mask_generation_autoencoder_def"] = network, ["label_remap"] = new JsonObject { ["background"] = new JsonArray(0, 0), ["liver"] = new JsonArray(1, 1) },
        }.ToJsonString());
        string[] arguments =
        [
            "train", "mask-vae", "--config", Config, "small.json", "--datalist", "data.json", "--data-root", ".", "--models", "models",
            "--set", "mask_autoencoder_train::n_epochs=2", "mask_autoencoder_train::patch_size=None",
        ];
        var (code, output, error) = await Maisi.RunAsync(folder.Path, arguments);
        code.ShouldBe(0, error);
        output.ShouldContain(l => l.StartsWith("mask_autoencoder: epoch 2 of 2, loss "));
        File.Exists(folder["models/mask_generation_autoencoder.pt"]).ShouldBeTrue();
        File.Exists(folder["models/mask_autoencoder_log/training.html"]).ShouldBeTrue();

        (code, _, error) = await Maisi.RunAsync(folder.Path, [.. arguments, "mask_autoencoder_train::epochs=3"]);
        code.ShouldBe(2);
        error.ShouldContain("epochs");
        (code, _, error) = await Maisi.RunAsync(folder.Path, [.. arguments, "nonsense"]);
        code.ShouldBe(2);
        error.ShouldContain("ID=VALUE");
    }
}
