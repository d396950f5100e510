using System.Text.Json.Nodes;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Bundles;

/// <summary>The shipped inference configs, in the shape of NVIDIA's own, run from start to end with the small golden networks.</summary>
public sealed class MaisiRunTests
{
    private static readonly int[] Size = [32, 32, 64];
    private static readonly double[] Spacing = [1.5, 1.5, 2.0];

    [Theory]
    [InlineData("maisi_ct_rflow", "rflow", 2)]
    [InlineData("maisi_ct_ddpm", "ddpm", 4)]
    public void The_inference_config_samples_an_image_of_a_mask(string bundle, string kind, int steps)
    {
        using var folder = TestPaths.Temporary();
        var overrides = Prepare(folder, kind, steps);
        var log = new StringWriter();
        var first = Run(bundle, folder, overrides, log);
        var (image, label) = (VolumeFile.Read(first[0]), VolumeFile.Read(first[1]));
        var mask = VolumeFile.Read(folder["masks/m.nii.gz"]);
        image.Shape.ShouldBe(Size);
        image.Spacing.ShouldBe(Spacing, 1e-6);
        var (voxels, codes, saved) = (image.ToFloats(), mask.ToArray<int>(), label.ToArray<int>());
        voxels.Min().ShouldBe(-1000f);
        voxels.Max().ShouldBeLessThanOrEqualTo(1000f);
        for (var i = 0; i < voxels.Length; i++)
        {
            saved[i].ShouldBe(codes[i] == 1 ? 1 : 0);
            if (codes[i] == 0)
                voxels[i].ShouldBe(-1000f);
        }
        voxels.Where((_, i) => codes[i] != 0).Distinct().Count().ShouldBeGreaterThan(1000);
        log.ToString().ShouldContain("saved");
        // The same seed gives the same image, another one another.
        VolumeFile.Read(Run(bundle, folder, overrides, log)[0]).ToFloats().ShouldBe(voxels);
        overrides["random_seed"] = 8L;
        VolumeFile.Read(Run(bundle, folder, overrides, log)[0]).ToFloats().ShouldNotBe(voxels);
    }

    [Fact]
    public void A_checkpoint_of_another_network_is_an_error_with_the_place_in_the_config()
    {
        using var folder = TestPaths.Temporary();
        var overrides = Prepare(folder, "rflow", 2);
        File.Copy(folder["autoencoder_v1.pt"], folder["controlnet_3d_rflow-ct.pt"], overwrite: true);
        var error = Should.Throw<BundleException>(() => Run("maisi_ct_rflow", folder, overrides, TextWriter.Null));
        error.Kind.ShouldBe(BundleErrorKind.RuntimeError);
        error.Id.ShouldBe("load_controlnet");
        error.Chain.ShouldBe(["run::0", "ldm_sampler", "load_controlnet"]);
        error.Message.ShouldContain("controlnet_state_dict");
    }

    private static IReadOnlyList<string> Run(string bundle, TemporaryFolder folder, Dictionary<string, object?> overrides, TextWriter log)
    {
        var registry = TargetRegistryBuilder.Standard();
        var workflow = new BundleWorkflow(
            new ConfigParserOptions { Registry = registry, WorkingDirectory = folder.Path, Output = log },
            [Path.Combine(TestPaths.Root, "bundles", bundle, "configs", "inference.json")], [], overrides);
        var files = (ListValue)((ListValue)workflow.Run()[0]!)[0]!;
        return [.. files.Cast<string>()];
    }

    // Weights as .pt files under the names of the bundle, one mask with its database, and small definitions.
    private static Dictionary<string, object?> Prepare(TemporaryFolder folder, string kind, int steps)
    {
        using var scope = NewDisposeScope();
        var image = Definitions($"pipeline_image_{kind}");
        var masks = Definitions("pipeline_mask");
        var unet = SafetensorsFile.Load(TestPaths.Golden($"unet_{kind}.safetensors"));
        SaveState("autoencoder_v1.pt", "vae_maisi", null);
        SaveState($"diff_unet_3d_{kind}-ct.pt", $"unet_{kind}", "unet_state_dict");
        SaveState($"controlnet_3d_{kind}-ct.pt", $"controlnet_{kind}", "controlnet_state_dict");
        SaveState("mask_generation_autoencoder.pt", "vae_maisi_mask", null);
        SaveState("mask_generation_diffusion_unet.pt", "unet_mask_crossattn", "unet_state_dict");
        var inputs = SafetensorsFile.Load(TestPaths.Golden($"pipeline_image_{kind}.safetensors"));
        var labels = inputs["in/label"].to(ScalarType.Int16).squeeze().permute(2, 1, 0).contiguous().data<short>().ToArray();
        for (var i = 0; i < labels.Length; i++)
            labels[i] = (short)(i % 64 < 40 && i % 7 != 0 ? i % 3 == 0 ? 1 : 28 : labels[i]);
        var affine = Affine.Diagonal(Spacing[0], Spacing[1], Spacing[2]);
        var mask = Volume.FromArray<short>(labels, new VolumeGrid(Size[0], Size[1], Size[2], affine));
        Directory.CreateDirectory(folder["masks"]);
        VolumeFile.Write(mask, folder["masks/m.nii.gz"]);
        var record = MaskDatabase.Describe(mask, "m.nii.gz");
        new MaskDatabase([record with { LabelList = [.. record.LabelList.Except([23, 24, 26, 27, 128])] }]).Save(folder["masks.json"]);
        return new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["model_dir"] = ".",
            ["output_dir"] = "output",
            ["all_mask_files_base_dir"] = "masks",
            ["all_mask_files_json"] = "masks.json",
            ["label_dict_json"] = Path.Combine(TestPaths.Root, "bundles", "maisi_ct_rflow", "configs", "label_dict.json"),
            ["real_img_median_statistics_file"] = Path.Combine(TestPaths.Root, "bundles", "maisi_ct_rflow", "configs", "image_median_statistics_ct.json"),
            ["device"] = "$torch.device('cpu')",
            ["random_seed"] = 7L,
            ["body_region"] = new ListValue(),
            ["anatomy_list"] = new ListValue(["liver"]),
            ["check_input"] = null,
            ["output_size"] = new ListValue([32L, 32L, 64L]),
            ["spacing"] = new ListValue([1.5, 1.5, 2.0]),
            ["num_inference_steps"] = (long)steps,
            ["autoencoder_sliding_window_infer_size"] = new ListValue([8L, 8L, 8L]),
            ["autoencoder_sliding_window_infer_overlap"] = 0.25,
            ["autoencoder_def"] = Value(image["autoencoder"]),
            ["diffusion_unet_def"] = Value(image["unet"]),
            ["controlnet_def"] = Value(image["controlnet"]),
            ["noise_scheduler"] = Value(image["noise_scheduler"]),
            ["mask_generation_autoencoder_def"] = Value(Definitions("vae_maisi_mask")["config"] ?? masks["autoencoder"]),
            ["mask_generation_diffusion_def"] = Value(masks["unet"]),
        };

        void SaveState(string file, string golden, string? key)
        {
            var weights = SafetensorsFile.Load(TestPaths.Golden($"{golden}.safetensors")).Where(p => p.Key.StartsWith("w/", StringComparison.Ordinal)).ToDictionary(p => p.Key[2..], p => p.Value, StringComparer.Ordinal);
            TorchFile.Save(folder[file], key is null ? weights : new Dictionary<string, object?>(StringComparer.Ordinal) { [key] = weights, ["scale_factor"] = tensor(1.05f), ["epoch"] = 1L });
        }
    }

    private static JsonObject Definitions(string golden) => JsonNode.Parse(File.ReadAllText(TestPaths.Golden($"{golden}.json")))!.AsObject();

    private static object? Value(JsonNode? node) => node switch
    {
        null => null,
        JsonObject o => new DictValue(o.Select(p => KeyValuePair.Create((object?)p.Key, Value(p.Value)))),
        JsonArray a => new ListValue(a.Select(Value)),
        JsonValue v when v.TryGetValue<bool>(out var b) => b,
        JsonValue v when v.TryGetValue<long>(out var l) => l,
        JsonValue v when v.TryGetValue<double>(out var d) => d,
        _ => node.GetValue<string>(),
    };
}
