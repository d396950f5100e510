using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Generation;

/// <summary>
/// What a bundle with weights says of itself in configs/inference.json: where the weights lie, how the networks are built, and what
/// they were trained on. Keys are NV-Generate's where it has one; references and expressions of a MONAI config are resolved. Paths are
/// relative to the bundle.
/// </summary>
public sealed record BundleSettings
{
    /// <summary>Checkpoint of the autoencoder, relative to the bundle.</summary>
    public required string TrainedAutoencoderPath { get; init; }

    /// <summary>Checkpoint of the diffusion UNet, with its scale factor.</summary>
    public required string TrainedDiffusionPath { get; init; }

    /// <summary>Checkpoint of the ControlNet; empty in a bundle that makes images of noise alone.</summary>
    public string TrainedControlnetPath { get; set; } = "";

    /// <summary>Checkpoint of the autoencoder of label maps; null in a bundle that makes none.</summary>
    public string? TrainedMaskGenerationAutoencoderPath { get; set; }

    /// <summary>Checkpoint of the diffusion UNet of label maps, with its scale factor.</summary>
    public string? TrainedMaskGenerationDiffusionPath { get; set; }

    /// <summary>Voxels along x, y, z of the training images.</summary>
    public required int[] OutputSize { get; init; }

    /// <summary>Millimetres along x, y, z of the training images.</summary>
    public required double[] Spacing { get; init; }

    /// <summary>The modality code of images unless another is asked for; 1 is CT.</summary>
    public int Modality { get; set; } = 1;

    /// <summary>The modality codes that the networks were trained on; null: <see cref="Modality"/> alone.</summary>
    public int[]? TrainedModalities { get; set; }

    /// <summary>HU, or MR intensity, that the autoencoder's 0 and 1 stand for; null takes that of the modality.</summary>
    public double[]? Intensity { get; set; }

    /// <summary>Denoising steps that the bundle recommends.</summary>
    public int NumInferenceSteps { get; set; } = 30;

    /// <summary>Classifier-free guidance that the bundle recommends.</summary>
    public double CfgGuidanceScale { get; set; }

    /// <summary>Names and codes of the labels that the ControlNet knows; those of <see cref="LabelDictJson"/> where that is given.</summary>
    public Dictionary<string, int> LabelDict { get; set; } = [];

    /// <summary>File with names and codes of the labels.</summary>
    public string? LabelDictJson { get; set; }

    /// <summary>File with the label code of each class of the mask model: {"name": [class, code]}; null: MAISI's 125 classes.</summary>
    public string? LabelDictRemapJson { get; set; }

    /// <summary>HU statistics of real images for the quality check; null where images are not checked.</summary>
    public string? RealImgMedianStatisticsFile { get; set; }

    /// <summary>The database of label maps from which images are made.</summary>
    public string? AllMaskFilesJson { get; set; }

    /// <summary>The folder of its label maps.</summary>
    public string? AllMaskFilesBaseDir { get; set; }

    /// <summary>Sizes of organs of real patients (the spelling is upstream's).</summary>
    public string? AllAnatomySizeCondtionsJson { get; set; }

    /// <summary>The labels whose sizes steer the mask model, in the order of its condition; null: MAISI's ten structures.</summary>
    public string[]? AnatomySizeNames { get; set; }

    /// <summary>Denoising steps of the mask model.</summary>
    public int? MaskGenerationNumInferenceSteps { get; set; }

    /// <summary>Channels and extents of a latent of the mask model.</summary>
    public int[] MaskGenerationLatentShape { get; set; } = [4, 64, 64, 64];

    /// <summary>Millimetres along x, y, z of the label maps that the mask model makes.</summary>
    public double[] MaskGenerationSpacing { get; set; } = [1.5, 1.5, 1.5];

    /// <summary>Codes of a mask that become another code.</summary>
    public Dictionary<string, int> LabelRemap { get; set; } = [];

    /// <summary>The code of the body's envelope; voxels without any label are air when a mask has it.</summary>
    public int BodyLabel { get; set; } = 200;

    /// <summary>Labels on which the bundle's grid is centred.</summary>
    public int[] AnchorLabels { get; set; } = [];

    /// <summary>Latent voxels of a window of the sliding-window decode.</summary>
    public int[] AutoencoderSlidingWindowInferSize { get; set; } = [48, 48, 48];

    /// <summary>Share of a window that the next one repeats.</summary>
    public double AutoencoderSlidingWindowInferOverlap { get; set; } = 0.6666;

    /// <summary>MONAI definition of the autoencoder.</summary>
    public required JsonObject AutoencoderDef { get; init; }

    /// <summary>MONAI definition of the diffusion UNet.</summary>
    public required JsonObject DiffusionUnetDef { get; init; }

    /// <summary>MONAI definition of the ControlNet.</summary>
    public JsonObject? ControlnetDef { get; set; }

    /// <summary>MONAI definition of the scheduler.</summary>
    public required JsonObject NoiseScheduler { get; init; }

    /// <summary>MONAI definition of the autoencoder of label maps.</summary>
    public JsonObject? MaskGenerationAutoencoderDef { get; set; }

    /// <summary>MONAI definition of the diffusion UNet of label maps.</summary>
    public JsonObject? MaskGenerationDiffusionDef { get; set; }

    /// <summary>MONAI definition of the scheduler of the mask model.</summary>
    public JsonObject? MaskGenerationNoiseScheduler { get; set; }

    /// <summary>
    /// Whether sizes, spacings and names must be those that MAISI's own checks let pass: so for bundles with MAISI's networks, not for those
    /// that name their labels themselves (<c>label_dict</c>).
    /// </summary>
    [JsonIgnore]
    public bool HasMaisiRules { get; init; }

    /// <summary>Whether every label has the code that it has in MAISI, so that rules about tumours and organs mean what they say.</summary>
    [JsonIgnore]
    public bool HasMaisiLabels => LabelVocabulary.Load("maisi").Holds(LabelDict);

    /// <summary>Names of the structures whose sizes steer the mask model.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> SizedStructures => AnatomySizeNames ?? InputValidation.ControllableAnatomy;

    /// <summary>Whether the UNet is told the body regions.</summary>
    [JsonIgnore]
    public bool TakesRegions => DiffusionUnetDef["include_top_region_index_input"] is { } flag && flag.GetValue<bool>();

    /// <summary>Reads configs/inference.json of a bundle.</summary>
    /// <exception cref="MaisiException">There is no such file, or it does not fit.</exception>
    public static BundleSettings Read(string bundle) => BundleSettingsReader.Read(bundle);

    /// <summary>The code of a label by its name; upper and lower case are alike.</summary>
    /// <exception cref="MaisiException">The bundle has no such label.</exception>
    public int CodeOf(string name) => LabelDict.Where(l => l.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(l => (int?)l.Value).FirstOrDefault()
        ?? throw new MaisiException($"'{name}' is not a label of the bundle.", "anatomy", $"It has {string.Join(", ", LabelDict.Keys.Order(StringComparer.Ordinal).Take(40))}{(LabelDict.Count > 40 ? ", ..." : "")}.");

    /// <summary>What the autoencoder's 0 and 1 stand for in images of a modality.</summary>
    internal IntensityRange RangeOf(int modality) =>
        Intensity is [var low, var high] ? IntensityRange.Of(modality) with { Low = low, High = high } : IntensityRange.Of(modality);

    /// <summary>The windows of the sliding-window decode.</summary>
    internal SlidingWindowOptions Windows() =>
        new([.. AutoencoderSlidingWindowInferSize.Select(n => (long)n)], [.. Enumerable.Repeat(AutoencoderSlidingWindowInferOverlap, AutoencoderSlidingWindowInferSize.Length)]);

    /// <summary>The settings as indented JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, BundleJson.Default.BundleSettings);
}

// Members with a default are settable: generated code gives missing init-only members null or 0 instead of their default.
[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(BundleSettings))]
internal sealed partial class BundleJson : JsonSerializerContext;
