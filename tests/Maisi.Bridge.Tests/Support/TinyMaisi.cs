using System.Text.Json.Nodes;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Support;

/// <summary>A bundle with the small golden networks, image and mask model both, and label maps for it.</summary>
internal static class TinyMaisi
{
    public static readonly int[] Size = [32, 32, 64];
    public static readonly double[] Spacing = [1.5, 1.5, 2.0];

    /// <summary>The networks of an image fixture.</summary>
    public static ImageModel ImageNetworks(Golden golden, string variant, bool weaken = true)
    {
        using var unetWeights = new Golden($"unet_{variant}");
        using var controlWeights = new Golden($"controlnet_{variant}");
        using var vaeWeights = new Golden("vae_maisi");
        var unet = unetWeights.Network<DiffusionModelUNetMaisi>(golden.Info["unet"]!.AsObject());
        if (weaken)
            Weaken(unet);
        return new ImageModel(
            vaeWeights.Network<AutoencoderKlMaisi>(golden.Info["autoencoder"]!.AsObject()), unet, controlWeights.Network<ControlNetMaisi>(golden.Info["controlnet"]!.AsObject()),
            SchedulerFactory.Create(golden.Info["noise_scheduler"]!.AsObject()), golden.Info["scale_factor"]!.GetValue<double>());
    }

    /// <summary>The networks of the mask fixture.</summary>
    public static MaskModel MaskNetworks(Golden golden)
    {
        using var unetWeights = new Golden("unet_mask_crossattn");
        using var vaeWeights = new Golden("vae_maisi_mask");
        var unet = unetWeights.Network<DiffusionModelUNet>(golden.Info["unet"]!.AsObject());
        Weaken(unet);
        return new MaskModel(
            vaeWeights.Network<AutoencoderKlMaisi>(golden.Info["autoencoder"]!.AsObject()), unet,
            SchedulerFactory.Create(golden.Info["noise_scheduler"]!.AsObject()), golden.Info["scale_factor"]!.GetValue<double>());
    }

    /// <summary>Writes a bundle: rflow or ddpm for images, the mask model, MAISI's label names, sizes of three patients.</summary>
    /// <param name="path">Where.</param>
    /// <param name="variant">rflow or ddpm.</param>
    /// <param name="change">Changes the settings before they are written.</param>
    public static string Write(string path, string variant, Action<JsonObject>? change = null)
    {
        using var scope = NewDisposeScope();
        using var image = new Golden($"pipeline_image_{variant}");
        using var mask = new Golden("pipeline_mask");
        Directory.CreateDirectory(Path.Combine(path, "configs"));
        Directory.CreateDirectory(Path.Combine(path, "models"));
        var networks = ImageNetworks(image, variant);
        var masks = MaskNetworks(mask);
        Save(networks.Autoencoder, "autoencoder.pt", null, null);
        Save(networks.UNet, "unet.pt", "unet_state_dict", networks.ScaleFactor);
        Save(networks.ControlNet!, "controlnet.pt", "controlnet_state_dict", null);
        Save(masks.Autoencoder, "mask_autoencoder.pt", null, null);
        Save(masks.UNet, "mask_unet.pt", "unet_state_dict", masks.ScaleFactor);
        File.WriteAllText(Path.Combine(path, "configs", "sizes.json"), """
            [{"organ_size": [0.1, 0.2, 0.3, 0.4, 0.5, -1, -1, 0.02, -1, -1]}, {"organ_size": [0.9, 0.8, 0.7, 0.6, 0.5, 0.1, -1, -1, -1, -1]},
             {"organ_size": [0.5, 0.5, 0.5, 0.5, 0.5, -1, -1, -1, -1, -1]}]
            """);
        var settings = new JsonObject
        {
            ["trained_autoencoder_path"] = "models/autoencoder.pt",
            ["trained_diffusion_path"] = "models/unet.pt",
            ["trained_controlnet_path"] = "models/controlnet.pt",
            ["trained_mask_generation_autoencoder_path"] = "models/mask_autoencoder.pt",
            ["trained_mask_generation_diffusion_path"] = "models/mask_unet.pt",
            ["output_size"] = new JsonArray([.. Size.Select(n => (JsonNode)n)]),
            ["spacing"] = new JsonArray([.. Spacing.Select(n => (JsonNode)n)]),
            ["num_inference_steps"] = variant == "ddpm" ? 4 : 2,
            ["mask_generation_num_inference_steps"] = 4,
            ["mask_generation_latent_shape"] = new JsonArray(4, 8, 8, 8),
            ["label_dict"] = JsonNode.Parse(File.ReadAllText(Path.Combine(TestPaths.Root, "bundles", "maisi_ct_rflow", "configs", "label_dict.json"))),
            ["all_anatomy_size_condtions_json"] = "configs/sizes.json",
            ["autoencoder_def"] = image.Info["autoencoder"]!.DeepClone(),
            ["diffusion_unet_def"] = image.Info["unet"]!.DeepClone(),
            ["controlnet_def"] = image.Info["controlnet"]!.DeepClone(),
            ["noise_scheduler"] = image.Info["noise_scheduler"]!.DeepClone(),
            ["mask_generation_autoencoder_def"] = mask.Info["autoencoder"]!.DeepClone(),
            ["mask_generation_diffusion_def"] = mask.Info["unet"]!.DeepClone(),
            ["mask_generation_noise_scheduler"] = mask.Info["noise_scheduler"]!.DeepClone(),
        };
        change?.Invoke(settings);
        File.WriteAllText(Path.Combine(path, "configs", "inference.json"), settings.ToJsonString());
        return path;

        void Save(nn.Module network, string file, string? key, double? scale) => TorchFile.SaveNetwork(
            Path.Combine(path, "models", file), network, key, scale is { } s ? new Dictionary<string, object?> { ["scale_factor"] = s } : null);
    }

    /// <summary>A trunk in MAISI's labels: body, liver, lung, kidneys, a bone, and a lung tumour if wanted. <paramref name="number"/> moves it.</summary>
    public static Volume Trunk(int number, int[]? size = null, bool tumour = false)
    {
        var (n, s) = (size ?? Size, Spacing);
        var volume = Volume.Zeros<short>(new VolumeGrid(n[0], n[1], n[2], Affine.Diagonal(s[0], s[1], s[2])));
        void Ball(double x, double y, double z, double rx, double ry, double rz, short code)
        {
            for (var i = 0; i < volume.Voxels<short>().Length; i++)
            {
                var (a, b, c) = ((i % n[0]) - (x * n[0]), (i / n[0] % n[1]) - (y * n[1]), (i / n[0] / n[1]) - (z * n[2]));
                if (Math.Pow(a / (rx * n[0]), 2) + Math.Pow(b / (ry * n[1]), 2) + Math.Pow(c / (rz * n[2]), 2) <= 1)
                    volume.Voxels<short>()[i] = code;
            }
        }
        var shift = 0.02 * (number % 5);
        Ball(0.5, 0.5, 0.5, 0.45, 0.4, 0.49, 200);
        Ball(0.6 + shift, 0.5, 0.3, 0.2, 0.2, 0.15, 1);
        Ball(0.3, 0.5, 0.7, 0.15, 0.2, 0.15, 28);
        Ball(0.7, 0.5, 0.7 - shift, 0.15, 0.2, 0.15, 30);
        Ball(0.35, 0.7, 0.3, 0.06, 0.06, 0.06, 14);
        Ball(0.5, 0.75, 0.5, 0.08, 0.08, 0.4, 33);
        if (tumour)
            Ball(0.3, 0.5, 0.7, 0.08, 0.09, 0.07, 23);
        return volume;
    }

    /// <summary>Writes a database of label maps: their folder and its JSON.</summary>
    public static string WriteDatabase(string folder, params Volume[] masks)
    {
        Directory.CreateDirectory(folder);
        var records = masks.Select((mask, i) =>
        {
            VolumeFile.Write(mask, Path.Combine(folder, $"mask{i}.nii.gz"));
            return MaskDatabase.Describe(mask, $"mask{i}.nii.gz");
        }).ToList();
        new MaskDatabase(records).Save(folder + ".json");
        return folder + ".json";
    }

    // As the fixtures were made, so that images stay in range.
    private static void Weaken(nn.Module unet)
    {
        using var _ = no_grad();
        foreach (var (name, parameter) in unet.named_parameters().Where(p => p.name.StartsWith("out.2.conv.", StringComparison.Ordinal)))
            parameter.mul_(0.2);
    }
}
