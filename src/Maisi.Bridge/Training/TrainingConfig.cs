using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Maisi.Bridge.Training;

/// <summary>What `maisi train` reads: the data's grid and labels, three network definitions and how long each is trained.</summary>
public sealed record TrainingConfig
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The bundle's name.</summary>
    public required string Name { get; init; }

    /// <summary>One sentence on what the bundle makes.</summary>
    public required string Description { get; init; }

    /// <summary>Seed of initial weights, batches, augmentation and noise.</summary>
    public ulong Seed { get; set; }

    /// <summary>How cases are brought to the training grid.</summary>
    public required DataOptions Data { get; init; }

    /// <summary>MONAI definition (`_target_` and arguments) of the autoencoder.</summary>
    public required JsonObject AutoencoderDef { get; init; }

    /// <summary>MONAI definition of the diffusion UNet.</summary>
    public required JsonObject DiffusionUnetDef { get; init; }

    /// <summary>MONAI definition of the ControlNet.</summary>
    public required JsonObject ControlnetDef { get; init; }

    /// <summary>MONAI definition of the scheduler.</summary>
    public required JsonObject NoiseScheduler { get; init; }

    /// <summary>Training of the autoencoder.</summary>
    public required AutoencoderTrainOptions AutoencoderTrain { get; init; }

    /// <summary>Training of the diffusion UNet.</summary>
    public required StageTrainOptions DiffusionUnetTrain { get; init; }

    /// <summary>Training of the ControlNet, the UNet frozen.</summary>
    public required StageTrainOptions ControlnetTrain { get; init; }

    /// <summary>The networks that make label maps; null trains none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public MaskModelOptions? MaskModel { get; set; }

    /// <summary>Stores the weights in half: half the size.</summary>
    public bool HalfWeights { get; set; }

    /// <summary>Denoising steps that the bundle recommends.</summary>
    public int NumInferenceSteps { get; set; } = 30;

    /// <summary>The config as indented JSON, which <see cref="Parse"/> reads.</summary>
    public string ToJson() => JsonNode.Parse(JsonSerializer.Serialize(this, TrainingJson.Default.TrainingConfig))!.ToJsonString(Indented);

    /// <summary>Reads a config; unknown keys are refused.</summary>
    /// <exception cref="MaisiException">The file is missing, is no JSON or does not fit.</exception>
    public static TrainingConfig Read(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MaisiException($"The training config cannot be read: {e.Message}", path, inner: e);
        }
    }

    /// <summary>Parses a config.</summary>
    /// <param name="json">The text.</param>
    /// <param name="name">Where it comes from, for errors.</param>
    /// <exception cref="MaisiException">No JSON, or it does not fit.</exception>
    public static TrainingConfig Parse(string json, string name)
    {
        try
        {
            return JsonSerializer.Deserialize(json, TrainingJson.Default.TrainingConfig) ?? throw new JsonException("the file holds null");
        }
        catch (JsonException e)
        {
            throw new MaisiException($"The training config does not fit: {e.Message}", name, "Compare it with configs/train_headneck_small.json.", e);
        }
    }
}

/// <summary>How cases are brought to the training grid.</summary>
public sealed record DataOptions
{
    /// <summary>Voxels along x, y, z in RAS.</summary>
    public required int[] Size { get; init; }

    /// <summary>Millimetres along x, y, z.</summary>
    public required double[] Spacing { get; init; }

    /// <summary>HU that map to 0 and 1.</summary>
    public double[] Intensity { get; set; } = [-1000, 1000];

    /// <summary>MAISI modality code of the images.</summary>
    public int Modality { get; set; } = 1;

    /// <summary>Names and codes of the labels that the networks see.</summary>
    public required Dictionary<string, int> Labels { get; init; }

    /// <summary>Codes found in label files that become another code, for instance treatment volumes that become body.</summary>
    public Dictionary<string, int> Remap { get; set; } = [];

    /// <summary>Labels on whose bounding box the grid is centred.</summary>
    public required int[] AnchorLabels { get; init; }

    /// <summary>The code of the body's envelope, added where the image shows tissue and no organ is labelled.</summary>
    public int BodyLabel { get; set; } = 200;

    /// <summary>Further views of every case, moved, turned and scaled at random, for the networks that learn from whole cases; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public CaseVariantOptions? Variants { get; set; }

    /// <summary>Share of ControlNet batches that see the organs without the envelope, so that masks without it work too.</summary>
    public double BodyDropout { get; set; } = 0.25;
}

/// <summary>How long and how fast a network is trained.</summary>
public record StageTrainOptions : EngineOptions
{
    /// <summary>Optimizer steps.</summary>
    public required int Iterations { get; init; }

    /// <summary>Cases per step.</summary>
    public int BatchSize { get; set; } = 1;

    /// <summary>Peak learning rate.</summary>
    public double Lr { get; set; } = 1e-3;

    /// <summary>Decoupled weight decay.</summary>
    public double WeightDecay { get; set; } = 1e-4;

    /// <summary>The settings of a stage; what the options leave out is AdamW with warm-up, cosine decay, clipping and a moving average.</summary>
    internal StageSettings Settings(string name, int iterations, double rate) => Over(new StageSettings
    {
        Name = name,
        Iterations = iterations,
        Rate = rate,
        WeightDecay = WeightDecay,
        Schedule = RateSchedule.WarmupCosine,
        ClipNorm = 5,
        EmaDecay = 0.998,
    });
}

/// <summary>
/// Training of the autoencoder. Group norms see what lies in the patch, so a network that was trained on patches alone is a little off on
/// whole volumes: where memory allows it, train on whole volumes, or end with some.
/// </summary>
public sealed record AutoencoderTrainOptions : StageTrainOptions
{
    /// <summary>Voxels of a patch along x, y, z; null trains on whole volumes.</summary>
    public int[]? PatchSize { get; set; }

    /// <summary>Steps on whole volumes at a quarter of the learning rate, after <see cref="StageTrainOptions.Iterations"/> steps on patches.</summary>
    public int WholeIterations { get; set; }

    /// <summary>Weight of the Kullback-Leibler term, which is a sum over voxels.</summary>
    public double KlWeight { get; set; } = 1e-7;

    /// <summary>Weight of the adversarial loss; null or 0 trains without a discriminator.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? AdvWeight { get; set; }

    /// <summary>MONAI definition of the discriminator; needed with <see cref="AdvWeight"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonObject? DiscriminatorDef { get; set; }

    /// <summary>Weight of the perceptual loss; null or 0 trains without.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? PerceptualWeight { get; set; }

    /// <summary>torchvision's squeezenet1_1 weights; needed with <see cref="PerceptualWeight"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? PerceptualTrunk { get; set; }

    /// <summary>The linear layers of LPIPS 0.1 for it; needed with <see cref="PerceptualWeight"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? PerceptualLinear { get; set; }
}

// Members with a default are settable: generated code gives missing init-only members null or 0 instead of their default.
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    ReadCommentHandling = JsonCommentHandling.Disallow)]
[JsonSerializable(typeof(TrainingConfig))]
internal sealed partial class TrainingJson : JsonSerializerContext;
