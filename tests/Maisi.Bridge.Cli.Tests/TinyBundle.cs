using System.Text.Json.Nodes;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Training;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Cli.Tests;

/// <summary>A bundle that `maisi train` made of three drawn heads in a handful of steps: it knows nothing, but it is whole.</summary>
public sealed class TinyBundle : IAsyncLifetime
{
    private readonly TemporaryFolder _temp = TestPaths.Temporary();

    public string Path => _temp["bundle"];

    public string Mask => _temp["head_label.nii.gz"];

    public string this[string name] => _temp[name];

    public async Task InitializeAsync()
    {
        var cases = new JsonArray();
        foreach (var number in new ulong[] { 1, 2, 3 })
        {
            WriteHead(number, _temp[$"head{number}_ct.nii.gz"], _temp[$"head{number}_label.nii.gz"]);
            cases.Add(new JsonObject { ["image"] = $"head{number}_ct.nii.gz", ["label"] = $"head{number}_label.nii.gz" });
        }
        WriteHead(9, _temp["head_ct.nii.gz"], Mask);
        File.WriteAllText(_temp["datalist.json"], new JsonObject { ["training"] = cases }.ToJsonString());
        var config = JsonNode.Parse(File.ReadAllText(System.IO.Path.Combine(TestPaths.Root, "configs", "train_phantom.json")))!.AsObject();
        config["autoencoder_train"] = new JsonObject { ["iterations"] = 2, ["batch_size"] = 1, ["patch_size"] = new JsonArray(16, 16, 16), ["whole_iterations"] = 2 };
        config["diffusion_unet_train"] = new JsonObject { ["iterations"] = 2, ["batch_size"] = 2 };
        config["controlnet_train"] = new JsonObject { ["iterations"] = 2, ["batch_size"] = 2 };
        config["num_inference_steps"] = 3;
        File.WriteAllText(_temp["train.json"], config.ToJsonString());
        var (code, output, error) = await Maisi.RunAsync(_temp.Path, ["train", "--config", "train.json", "--datalist", "datalist.json", "--output", "bundle"]);
        code.ShouldBe(0, error);
        output[^1].ShouldBe("bundle: bundle");
        error.ShouldContain("controlnet 2/2");
    }

    public Task DisposeAsync()
    {
        _temp.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>Draws a head of 32³ voxels and its label map.</summary>
    public static void WriteHead(ulong number, string image, string label)
    {
        var (labels, hounsfield) = new HeadPhantom(number).Render([32, 32, 32], [6, 6, 6]);
        var grid = new VolumeGrid(32, 32, 32, Affine.Diagonal(6, 6, 6, -96, -96, -96));
        VolumeFile.Write(Volume.FromArray<float>(hounsfield, grid), image);
        VolumeFile.Write(Volume.FromArray<byte>(labels, grid), label);
    }
}

[CollectionDefinition(nameof(TinyBundle))]
public sealed class TinyBundleCollection : ICollectionFixture<TinyBundle>;
