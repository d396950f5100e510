using System.Text.Json;
using System.Text.Json.Nodes;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Volumes;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>Writes trained networks as a MONAI bundle: configs, checkpoints as NV-Generate keeps them, and a model card.</summary>
/// <param name="config">What was trained.</param>
/// <param name="report">How it went.</param>
/// <param name="cases">The training cases, without their variants.</param>
/// <param name="source">Where they are from; null says nothing of it.</param>
internal sealed class BundleWriter(TrainingConfig config, TrainingReport report, IReadOnlyList<TrainingCase> cases, Datalist? source)
{
    // Six standard deviations of fewer cases say nothing about a new one.
    private const int FewestForStatistics = 20;
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
        if (settings.RealImgMedianStatisticsFile is { } statistics)
            Statistics(settings).Save(staging.File(statistics));
        File.WriteAllText(staging.File("configs/inference.json"), settings.ToJson() + "\n");
        var card = new BundleCard(config, report, source);
        File.WriteAllText(staging.File("configs/metadata.json"), card.Metadata().ToJsonString(Indented) + "\n");
        File.WriteAllText(staging.File("configs/maisi_train.json"), config.ToJson() + "\n");
        BundleTrainConfigs.Write(staging, config);
        File.WriteAllText(staging.File("docs/training.json"), report.ToJson() + "\n");
        File.WriteAllText(staging.File("docs/training_subjects.json"), Subjects().ToJsonString(Indented) + "\n");
        File.WriteAllText(staging.File("docs/README.md"), card.Text());
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
            AnatomySizeNames = masks.SizeLabels,
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
        RealImgMedianStatisticsFile = cases.Count >= FewestForStatistics ? "configs/image_median_statistics.json" : null,
        LabelDict = config.Data.Labels,
        LabelRemap = config.Data.Remap,
        BodyLabel = config.Data.BodyLabel,
        AnchorLabels = config.Data.AnchorLabels,
        AutoencoderDef = config.AutoencoderDef,
        DiffusionUnetDef = config.DiffusionUnetDef,
        ControlnetDef = config.ControlnetDef,
        NoiseScheduler = config.NoiseScheduler,
    };

    // What the quality check compares images with: medians in the training images, on the training grid.
    private ImageStatistics Statistics(BundleSettings settings)
    {
        var (size, spacing, low, high) = (config.Data.Size, config.Data.Spacing, config.Data.Intensity[0], config.Data.Intensity[1]);
        var grid = new VolumeGrid(size[0], size[1], size[2], Affine.Diagonal(spacing[0], spacing[1], spacing[2]));
        return new StatisticsBuilder(StatisticsBuilder.OrgansOf(settings)).Build(cases.Select(item =>
            (Volume.FromArray<float>(Array.ConvertAll(item.Image, v => (float)(low + (v * (high - low)))), grid), Volume.FromArray<byte>(item.Labels, grid))));
    }

    // Experiments read whom the generator has seen, so that none of them is tested on.
    private JsonObject Subjects() => new() { ["training"] = new JsonArray([.. cases.Select(c => new JsonObject { ["image"] = c.Id })]) };
}
