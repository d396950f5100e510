using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>Writes trained networks as a MONAI bundle: configs, checkpoints as NV-Generate keeps them, and a model card.</summary>
internal sealed class BundleWriter(TrainingConfig config, TrainingReport report, IReadOnlyList<TrainingCase> cases)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public void Write(StagingFolder staging, AutoencoderKlMaisi autoencoder, DiffusionModelUNetMaisi unet, ControlNetMaisi controlNet, MaskModelTrainer? masks)
    {
        var settings = Settings();
        ScalarType? type = config.HalfWeights ? ScalarType.Float16 : null;
        TorchFile.SaveNetwork(staging.File(settings.TrainedAutoencoderPath), autoencoder, type: type);
        TorchFile.SaveNetwork(staging.File(settings.TrainedDiffusionPath), unet, "unet_state_dict", new Dictionary<string, object?>
        {
            ["scale_factor"] = report.ScaleFactor,
            ["num_train_timesteps"] = 1000L,
        }, type);
        TorchFile.SaveNetwork(staging.File(settings.TrainedControlnetPath), controlNet, "controlnet_state_dict", type: type);
        if (masks is not null)
            Write(staging, masks, settings, type);
        File.WriteAllText(staging.File("configs/inference.json"), settings.ToJson() + "\n");
        File.WriteAllText(staging.File("configs/metadata.json"), Metadata().ToJsonString(Indented) + "\n");
        BundleTrainConfigs.Write(staging, config);
        File.WriteAllText(staging.File("docs/training.json"), report.ToJson() + "\n");
        File.WriteAllText(staging.File("docs/training_subjects.json"), Subjects().ToJsonString(Indented) + "\n");
        File.WriteAllText(staging.File("docs/README.md"), ModelCard());
    }

    private void Write(StagingFolder staging, MaskModelTrainer masks, BundleSettings settings, ScalarType? type)
    {
        TorchFile.SaveNetwork(staging.File(settings.TrainedMaskGenerationAutoencoderPath!), masks.Autoencoder, type: type);
        TorchFile.SaveNetwork(staging.File(settings.TrainedMaskGenerationDiffusionPath!), masks.UNet, "unet_state_dict", new Dictionary<string, object?>
        {
            ["scale_factor"] = masks.ScaleFactor,
            ["num_train_timesteps"] = (long)masks.Scheduler.NumTrainTimesteps,
        }, type);
        var sizes = new JsonArray([.. masks.PatientSizes.Select(p => new JsonObject { ["organ_size"] = new JsonArray([.. p.Select(v => JsonValue.Create(v))]) })]);
        File.WriteAllText(staging.File(settings.AllAnatomySizeCondtionsJson!), sizes.ToJsonString(Indented) + "\n");
        var classes = new JsonObject(MaskModelTrainer.Classes(config.Data).Select(c => KeyValuePair.Create<string, JsonNode?>(c.Key, new JsonArray(c.Value.Class, c.Value.Code))));
        File.WriteAllText(staging.File(settings.LabelDictRemapJson!), classes.ToJsonString(Indented) + "\n");
    }

    private BundleSettings Settings()
    {
        var settings = ImageSettings();
        return config.MaskModel is not { } masks ? settings : settings with
        {
            TrainedMaskGenerationAutoencoderPath = "models/mask_generation_autoencoder.pt",
            TrainedMaskGenerationDiffusionPath = "models/mask_generation_diffusion_unet.pt",
            MaskGenerationAutoencoderDef = masks.AutoencoderDef,
            MaskGenerationDiffusionDef = masks.DiffusionDef,
            MaskGenerationNoiseScheduler = masks.NoiseScheduler,
            MaskGenerationNumInferenceSteps = masks.NumInferenceSteps,
            MaskGenerationLatentShape = LatentShape(masks.AutoencoderDef),
            MaskGenerationSpacing = config.Data.Spacing,
            AllAnatomySizeCondtionsJson = "configs/anatomy_sizes.json",
            LabelDictRemapJson = "configs/label_dict_remap.json",
        };
    }

    private int[] LatentShape(JsonObject definition)
    {
        var stride = 1 << (definition["num_channels"]!.AsArray().Count - 1);
        return [definition["latent_channels"]!.GetValue<int>(), .. config.Data.Size.Select(n => n / stride)];
    }

    private BundleSettings ImageSettings() => new()
    {
        TrainedAutoencoderPath = "models/autoencoder.pt",
        TrainedDiffusionPath = "models/diff_unet_3d.pt",
        TrainedControlnetPath = "models/controlnet_3d.pt",
        OutputSize = config.Data.Size,
        Spacing = config.Data.Spacing,
        Modality = config.Data.Modality,
        Intensity = config.Data.Intensity,
        NumInferenceSteps = config.NumInferenceSteps,
        LabelDict = config.Data.Labels,
        LabelRemap = config.Data.Remap,
        BodyLabel = config.Data.BodyLabel,
        AnchorLabels = config.Data.AnchorLabels,
        AutoencoderDef = config.AutoencoderDef,
        DiffusionUnetDef = config.DiffusionUnetDef,
        ControlnetDef = config.ControlnetDef,
        NoiseScheduler = config.NoiseScheduler,
    };

    // Experiments read whom the generator has seen, so that none of them is tested on.
    private JsonObject Subjects() => new() { ["training"] = new JsonArray([.. cases.Select(c => new JsonObject { ["image"] = c.Id })]) };

    private JsonObject Metadata() => new()
    {
        ["schema"] = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json",
        ["version"] = "0.1.0",
        ["changelog"] = new JsonObject { ["0.1.0"] = "first training" },
        ["monai_version"] = "1.5.0",
        ["pytorch_version"] = "2.6.0",
        ["numpy_version"] = "1.26.4",
        ["required_packages_version"] = new JsonObject { ["nibabel"] = "5.2.1" },
        ["name"] = config.Name,
        ["task"] = "Synthesis of CT from a label map",
        ["description"] = config.Description,
        ["authors"] = "Maisi.Bridge",
        ["copyright"] = "The Maisi.Bridge authors",
        ["network_data_format"] = new JsonObject
        {
            ["inputs"] = new JsonObject { ["image"] = TensorFormat("CT image", "HU") },
            ["outputs"] = new JsonObject { ["pred"] = TensorFormat("CT image", "HU") },
        },
    };

    private JsonObject TensorFormat(string type, string format) => new()
    {
        ["type"] = "image",
        ["format"] = format,
        ["modality"] = "CT",
        ["num_channels"] = 1,
        ["spatial_shape"] = new JsonArray([.. config.Data.Size.Select(n => (JsonNode)n)]),
        ["dtype"] = "float32",
        ["value_range"] = new JsonArray(config.Data.Intensity[0], config.Data.Intensity[1]),
        ["is_patch_data"] = false,
        ["channel_def"] = new JsonObject { ["0"] = type },
    };

    private string ModelCard()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"# {config.Name}\n\n{config.Description}\n");
        text.AppendLine(CultureInfo.InvariantCulture, $"Trained by `maisi train` on {report.Cases} cases with seed {report.Seed}: {report.ProcessorSeconds / 60:F0} processor minutes.\n");
        text.AppendLine("| network | steps | first loss | last loss | seconds |\n| --- | ---: | ---: | ---: | ---: |");
        foreach (var stage in report.Stages)
            text.AppendLine(CultureInfo.InvariantCulture, $"| {stage.Name} | {stage.Iterations} | {stage.Losses[0]:F4} | {stage.Losses[^1]:F4} | {stage.Seconds:F0} |");
        if (report.ValidationPsnr is { } psnr)
            text.AppendLine(CultureInfo.InvariantCulture, $"\nReconstruction of the validation cases: {psnr:F2} dB PSNR (range 1).");
        text.AppendLine(CultureInfo.InvariantCulture, $"\nGrid: {string.Join("×", config.Data.Size)} voxels of {string.Join("×", config.Data.Spacing)} mm. Labels: "
            + $"{string.Join(", ", config.Data.Labels.OrderBy(l => l.Value).Select(l => $"{l.Value} {l.Key}"))}.");
        text.AppendLine("\nNot for diagnosis. A small model on few cases: anatomy follows the label map, fine structure is blurred.");
        return text.ToString();
    }
}
