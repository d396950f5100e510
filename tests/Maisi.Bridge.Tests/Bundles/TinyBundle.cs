using System.Text.Json.Nodes;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Bundles;

/// <summary>The shipped bundles with the small networks of the golden fixtures instead of MAISI's.</summary>
internal static class TinyBundle
{
    public static readonly int[] Size = [32, 32, 64];
    public static readonly double[] Spacing = [1.5, 1.5, 2.0];

    /// <summary>A config of a shipped bundle.</summary>
    public static string Config(string bundle, string file) => Path.Combine(TestPaths.Root, "bundles", bundle, "configs", file);

    /// <summary>Weights under the names of the MR bundles, and overrides with small definitions.</summary>
    public static Dictionary<string, object?> PrepareImages(TemporaryFolder folder)
    {
        using var scope = NewDisposeScope();
        SaveState(folder, "autoencoder_v1.pt", "vae_maisi", null);
        SaveState(folder, "autoencoder_v2.pt", "vae_maisi", null);
        SaveState(folder, "diff_unet_3d_rflow-mr.pt", "unet_rflow", "unet_state_dict");
        SaveState(folder, "diff_unet_3d_rflow-mr-brain_v1.pt", "unet_rflow", "unet_state_dict");
        var image = Definitions("pipeline_image_rflow");
        return new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["model_dir"] = ".",
            ["output_dir"] = "output",
            ["device"] = "$torch.device('cpu')",
            ["random_seed"] = 7L,
            ["output_size"] = new ListValue([32L, 32L, 64L]),
            ["spacing"] = new ListValue([1.5, 1.5, 2.0]),
            ["num_inference_steps"] = 2L,
            ["cfg_guidance_scale"] = 2.0,
            ["autoencoder_sliding_window_infer_size"] = new ListValue([8L, 8L, 8L]),
            ["autoencoder_def"] = Value(image["autoencoder"]),
            ["diffusion_unet_def"] = Value(image["unet"]),
            ["noise_scheduler"] = Value(image["noise_scheduler"]),
        };
    }

    /// <summary>Weights as .pt files under the names of the CT bundles, one mask with its database, and overrides with small definitions.</summary>
    public static Dictionary<string, object?> Prepare(TemporaryFolder folder, string kind, int steps)
    {
        using var scope = NewDisposeScope();
        var image = Definitions($"pipeline_image_{kind}");
        var masks = Definitions("pipeline_mask");
        SaveState(folder, "autoencoder_v1.pt", "vae_maisi", null);
        SaveState(folder, $"diff_unet_3d_{kind}-ct.pt", $"unet_{kind}", "unet_state_dict");
        SaveState(folder, $"controlnet_3d_{kind}-ct.pt", $"controlnet_{kind}", "controlnet_state_dict");
        SaveState(folder, "mask_generation_autoencoder.pt", "vae_maisi_mask", null);
        SaveState(folder, "mask_generation_diffusion_unet.pt", "unet_mask_crossattn", "unet_state_dict");
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
            ["label_dict_json"] = Config("maisi_ct_rflow", "label_dict.json"),
            ["real_img_median_statistics_file"] = Config("maisi_ct_rflow", "image_median_statistics_ct.json"),
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
    }

    /// <summary>What synthesised masks need: sizes of two patients, the small mask model's extents and steps, and a wanted size.</summary>
    public static void PrepareMasks(TemporaryFolder folder, Dictionary<string, object?> overrides, string organ, double size)
    {
        File.WriteAllText(folder["sizes.json"], """[{"organ_size": [0.1, 0.2, 0.3, 0.4, 0.5, -1, -1, -1, -1, -1]}, {"organ_size": [0.9, 0.8, 0.7, 0.6, 0.5, 0.1, -1, -1, -1, -1]}]""");
        overrides["all_anatomy_size_condtions_json"] = "sizes.json";
        overrides["mask_generation_noise_scheduler"] = Value(Definitions("pipeline_mask")["noise_scheduler"]);
        overrides["mask_generation_latent_shape"] = new ListValue([4L, 8L, 8L, 8L]);
        overrides["mask_generation_num_inference_steps"] = 4L;
        overrides["controllable_anatomy_size"] = new ListValue([new ListValue([organ, size])]);
    }

    public static JsonObject Definitions(string golden) => JsonNode.Parse(File.ReadAllText(TestPaths.Golden($"{golden}.json")))!.AsObject();

    public static object? Value(JsonNode? node) => node switch
    {
        null => null,
        JsonObject o => new DictValue(o.Select(p => KeyValuePair.Create((object?)p.Key, Value(p.Value)))),
        JsonArray a => new ListValue(a.Select(Value)),
        JsonValue v when v.TryGetValue<bool>(out var b) => b,
        JsonValue v when v.TryGetValue<long>(out var l) => l,
        JsonValue v when v.TryGetValue<double>(out var d) => d,
        _ => node.GetValue<string>(),
    };

    /// <summary>Saves the weights of a golden fixture as .pt file, as they are or under a key with scale factor and epoch.</summary>
    public static void SaveState(TemporaryFolder folder, string file, string golden, string? key)
    {
        var weights = Weights(golden);
        TorchFile.Save(folder[file], key is null ? weights : new Dictionary<string, object?>(StringComparer.Ordinal) { [key] = weights, ["scale_factor"] = tensor(1.05f), ["epoch"] = 1L });
    }

    /// <summary>The weights of a golden fixture.</summary>
    public static Dictionary<string, Tensor> Weights(string golden) => SafetensorsFile.Load(TestPaths.Golden($"{golden}.safetensors"))
        .Where(p => p.Key.StartsWith("w/", StringComparison.Ordinal)).ToDictionary(p => p.Key[2..], p => p.Value, StringComparer.Ordinal);
}
