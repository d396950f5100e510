using System.Text.Json.Nodes;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Tests.Bundles;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Training;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Training;

/// <summary>The mask model's two trainers, on spheres of three organs.</summary>
public sealed class MaskTrainerTests
{
    private static readonly Dictionary<string, int[]> Remap = new() { ["background"] = [0, 0], ["liver"] = [1, 1], ["lung tumor"] = [2, 23], ["body"] = [12, 200] };

    [Fact]
    public void Masks_become_classes_and_sizes_ranks()
    {
        using var folder = TestPaths.Temporary();
        using var scope = NewDisposeScope();
        var radii = new[] { 3, 5, 6 };
        Masks(folder, radii);
        var classes = new MaskCases(Remap, 4).Read(folder["m1.nii.gz"]);
        classes.shape.ShouldBe([1, 1, 32, 32, 32]);
        classes[0, 0, 16, 16, 16].ToInt64().ShouldBe(1);
        classes[0, 0, 0, 0, 0].ToInt64().ShouldBe(12);
        classes.eq(2).sum().ToInt64().ShouldBe(8);
        ConditionPlanes.Of(classes)[0, TensorIndex.Colon, 0, 0, 0].data<float>().ToArray().ShouldBe([0, 0, 1, 1, 0, 0, 0, 0]);

        var records = TrainingRecord.Read(folder["masks.json"], folder.Path, "training");
        var sizes = MaskCases.Sizes(records);
        sizes.Select(s => s[1]).ShouldBe([0.5f / 3, 1.5f / 3, 2.5f / 3], 1e-6); // liver, smallest to largest
        sizes[0][5].ShouldBe(0.5f); // the tumour, which two have, of one size
        sizes[2][5].ShouldBe(-1);
        sizes[0][0].ShouldBe(-1);
        MaskCases.Sizes([records[0] with { OrganSize = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }])[0][9].ShouldBe(10);

        Should.Throw<MaisiException>(() => new MaskCases(Remap, 5).Read(folder["m1.nii.gz"])).Message.ShouldContain("multiple of 5");
        Should.Throw<MaisiException>(() => new MaskCases(new Dictionary<string, int[]> { ["background"] = [0, 0] }, 4).Read(folder["m1.nii.gz"])).Message.ShouldContain("code 200");
    }

    [Fact]
    public void The_mask_model_is_trained_from_label_maps()
    {
        using var folder = TestPaths.Temporary();
        using var scope = NewDisposeScope();
        Masks(folder, [3, 5, 6]);
        Run("train_mask_autoencoder.json", folder, new()
        {
            ["mask_autoencoder_train#n_epochs"] = 20L, ["mask_autoencoder_train#lr"] = 0.01, ["mask_autoencoder_train#schedule"] = "constant",
            ["mask_autoencoder_train#patch_size"] = new ListValue([16L, 16L, 16L]),
        });
        var log = TrainingLog.Read(folder["models/mask_autoencoder_log/training.csv"]);
        var entropy = log.Where(e => e.Name == "cross_entropy").Select(e => e.Value).ToArray();
        entropy.Length.ShouldBe(60);
        entropy[0].ShouldBeGreaterThan(1);
        entropy[^6..].Average().ShouldBeLessThan(0.5 * entropy[0]);
        log.Last(e => e.Name == "accuracy").Value.ShouldBeInRange(0.5, 1);

        Run("train_mask_diffusion.json", folder, new() { ["mask_diffusion_train#n_epochs"] = 2L, ["mask_diffusion_train#batch_size"] = 2L });
        using var file = CheckpointFile.Open(folder["models/mask_generation_diffusion_unet.pt"]);
        StateDictLoader.Load(NetworkFactory.Create<DiffusionModelUNet>(TinyBundle.Definitions("unet_mask_crossattn")["config"]!.AsObject()), file.StateDict("unet_state_dict"), "");
        file.Number("epoch").ShouldBe(2);
        file.Number("scale_factor")!.Value.ShouldBeGreaterThan(0);
        TrainingLog.Read(folder["models/mask_diffusion_log/training.csv"]).Where(e => e.Name == "loss").Select(e => e.Step).ShouldBe([1, 2, 3, 4]);
    }

    private static void Run(string config, TemporaryFolder folder, Dictionary<string, object?> overrides)
    {
        var remap = new DictValue(Remap.Select(p => KeyValuePair.Create((object?)p.Key, (object?)new ListValue(p.Value.Select(v => (object?)(long)v)))));
        foreach (var (id, value) in new (string, object?)[]
        {
            ("model_dir", "models"), ("data_base_dir", "."), ("json_data_list", "masks.json"), ("device", "$torch.device('cpu')"), ("label_remap", remap),
            ("mask_generation_autoencoder_def", TinyBundle.Value(TinyBundle.Definitions("vae_maisi_mask")["config"])),
            ("mask_generation_diffusion_def", TinyBundle.Value(TinyBundle.Definitions("unet_mask_crossattn")["config"])),
        })
            overrides.Add(id, value);
        if (!config.Contains("diffusion", StringComparison.Ordinal))
            overrides.Remove("mask_generation_diffusion_def");
        new BundleWorkflow(
            new ConfigParserOptions { Registry = TargetRegistryBuilder.Standard(), WorkingDirectory = folder.Path }, [TinyBundle.Config("maisi_ct_rflow", config)], [], overrides).Run();
    }

    /// <summary>Bodies of 32³ voxels with a liver of each radius; all but the last have a tumour of eight voxels.</summary>
    private static void Masks(TemporaryFolder folder, int[] radii)
    {
        using var scope = NewDisposeScope();
        JsonArray list = [];
        for (var i = 0; i < radii.Length; i++)
        {
            var codes = new int[32 * 32 * 32];
            for (var at = 0; at < codes.Length; at++)
            {
                var (x, y, z) = (at / 1024, at / 32 % 32, at % 32);
                codes[at] = Square(x) + Square(y) + Square(z) <= radii[i] * radii[i] ? 1 : i < radii.Length - 1 && x is 4 or 5 && y is 4 or 5 && z is 4 or 5 ? 23 : 200;
            }
            VolumeFile.Write(new VolumeTensor(tensor(codes, [1, 32, 32, 32]), Affine.Diagonal(1.5, 1.5, 1.5)).ToVolume().ConvertTo<short>(), folder[$"m{i + 1}.nii.gz"]);
            list.Add((JsonNode)new JsonObject { ["label"] = $"m{i + 1}.nii.gz" });
        }
        File.WriteAllText(folder["masks.json"], new JsonObject { ["training"] = list }.ToJsonString());

        static int Square(int n) => (n - 16) * (n - 16);
    }
}
