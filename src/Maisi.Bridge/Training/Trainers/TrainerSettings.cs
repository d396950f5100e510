using System.Text.Json;
using System.Text.Json.Serialization;

namespace Maisi.Bridge.Training;

/// <summary>NV-Generate's section <c>autoencoder_train</c>, with the engine's options.</summary>
public sealed record AutoencoderTrainSection : EngineOptions
{
    public int BatchSize { get; set; } = 1;
    public int[] PatchSize { get; set; } = [64, 64, 64];

    /// <summary>Accepted: validation takes one volume at a time.</summary>
    public int ValBatchSize { get; set; } = 1;

    /// <summary>Centred box that is validated on; null is the whole volume.</summary>
    public int[]? ValPatchSize { get; set; }

    public long[] ValSlidingWindowPatchSize { get; set; } = [96, 96, 64];
    public double Lr { get; set; } = 1e-4;

    /// <summary>Weight of the perceptual loss. It needs the two files below; without them and with <see cref="Parity"/> off it is left out.</summary>
    public double PerceptualWeight { get; set; }

    /// <summary>torchvision's squeezenet1_1 weights.</summary>
    public string? PerceptualTrunk { get; set; }

    /// <summary>The linear layers of LPIPS 0.1 for it.</summary>
    public string? PerceptualLinear { get; set; }

    public double KlWeight { get; set; } = 1e-7;
    public double AdvWeight { get; set; } = 0.1;

    /// <summary>"l1", or "l2" for squared errors.</summary>
    public string ReconLoss { get; set; } = "l1";

    /// <summary>Epochs between validations.</summary>
    public int ValInterval { get; set; } = 10;

    /// <summary>Share of the images kept in memory.</summary>
    public double Cache { get; set; }

    /// <summary>fp16 where there is CUDA, unless <see cref="EngineOptions.Precision"/> says otherwise.</summary>
    public bool Amp { get; set; } = true;

    public int NEpochs { get; set; } = 1;

    /// <summary>Upstream's documented bugs, on.</summary>
    public bool Parity { get; set; }

    /// <summary>Goes on with an unfinished training.</summary>
    public bool Resume { get; set; }
}

/// <summary>NV-Generate's section <c>data_option</c>.</summary>
public sealed record AugmentationSection
{
    public bool RandomAug { get; set; } = true;

    /// <summary>"original", "fixed" or "rand_zoom".</summary>
    public string SpacingType { get; set; } = "original";

    /// <summary>Millimetres along x, y, z for "fixed".</summary>
    public double[]? Spacing { get; set; }

    /// <summary>Channel of an MR image with several.</summary>
    public int SelectChannel { get; set; }
}

/// <summary>What <c>diffusion_unet_train</c> and <c>controlnet_train</c> have in common, with the engine's options.</summary>
public record LatentTrainSection : EngineOptions
{
    public int BatchSize { get; set; } = 1;

    /// <summary>Share of the cases kept in memory.</summary>
    public double CacheRate { get; set; }

    public double Lr { get; set; } = 1e-5;
    public int NEpochs { get; set; } = 1;

    /// <summary>fp16 where there is CUDA, unless <see cref="EngineOptions.Precision"/> says otherwise.</summary>
    public bool Amp { get; set; } = true;

    /// <summary>Upstream's documented bugs, on.</summary>
    public bool Parity { get; set; }

    /// <summary>Goes on with an unfinished training.</summary>
    public bool Resume { get; set; }

    /// <summary>The settings of a stage as upstream's scripts have them: polynomial decay per step, no clipping, no average.</summary>
    internal StageSettings Settings(string name, int cases, int batches, bool decoupled, double weightDecay, bool cuda)
    {
        var perEpoch = (batches + (Accumulate ?? 1) - 1) / (Accumulate ?? 1);
        return Over(new StageSettings
        {
            Name = name,
            Iterations = NEpochs * perEpoch,
            Rate = Lr,
            Decoupled = decoupled,
            WeightDecay = weightDecay,
            Schedule = RateSchedule.Polynomial,
            ScheduleTotal = (double)NEpochs * cases / BatchSize / (Accumulate ?? 1),
            StepsPerEpoch = perEpoch,
            Precision = Amp && cuda ? TrainingPrecision.Float16 : TrainingPrecision.Float32,
        });
    }
}

/// <summary>NV-Generate's section <c>diffusion_unet_train</c>.</summary>
public sealed record DiffusionTrainSection : LatentTrainSection
{
    /// <summary>Probability with which a modality becomes its group's general one, and with which it becomes unknown.</summary>
    public double ModalityAugmentation { get; set; } = 0.1;

    /// <summary>Extents of resized images are multiples of this.</summary>
    public int DimMultiple { get; set; } = 128;
}

/// <summary>NV-Generate's section <c>controlnet_train</c>.</summary>
public sealed record ControlNetTrainSection : LatentTrainSection
{
    /// <summary>Cases of this fold are held back.</summary>
    public int Fold { get; set; }

    /// <summary>Labels whose voxels weigh more.</summary>
    public int[] WeightedLossLabel { get; set; } = [];

    /// <summary>Their weight; above 1 it is used.</summary>
    public double WeightedLoss { get; set; } = 1;

    public bool UseRegionContrasiveLoss { get; set; }
    public double RegionContrasiveLossDelta { get; set; } = 2;
    public double RegionContrasiveLossWeight { get; set; } = 0.01;
}

/// <summary>The sections <c>mask_autoencoder_train</c> and <c>mask_diffusion_train</c>.</summary>
public sealed record MaskTrainSection : LatentTrainSection
{
    /// <summary>Voxels of a box that the autoencoder is trained on; null is the whole mask. The diffusion UNet sees whole masks.</summary>
    public int[]? PatchSize { get; set; }

    public double KlWeight { get; set; } = 1e-7;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(AutoencoderTrainSection))]
[JsonSerializable(typeof(AugmentationSection))]
[JsonSerializable(typeof(DiffusionTrainSection))]
[JsonSerializable(typeof(ControlNetTrainSection))]
[JsonSerializable(typeof(MaskTrainSection))]
[JsonSerializable(typeof(LatentSidecar))]
internal sealed partial class SectionJson : JsonSerializerContext
{
    /// <summary>Reads a section of a config.</summary>
    /// <param name="json">The section.</param>
    /// <param name="type">Its record.</param>
    /// <param name="name">Its name, for errors.</param>
    /// <exception cref="MaisiException">A key is unknown or a value does not fit.</exception>
    public static T Read<T>(string json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, string name)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new JsonException("it is null");
        }
        catch (JsonException e)
        {
            throw new MaisiException($"The section {name} does not fit: {e.Message}", name, "See src/docs/training.md for what it takes.", e);
        }
    }
}
