using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Maisi.Bridge.Networks;

namespace Maisi.Bridge.Generation;

/// <summary>
/// What a bundle with weights says of itself in configs/inference.json: where the weights lie, how the networks are built, and what
/// they were trained on. Keys are NV-Generate's where it has one.
/// </summary>
public sealed record BundleSettings
{
    /// <summary>Checkpoint of the autoencoder, relative to the bundle.</summary>
    public required string TrainedAutoencoderPath { get; init; }

    /// <summary>Checkpoint of the diffusion UNet, with its scale factor.</summary>
    public required string TrainedDiffusionPath { get; init; }

    /// <summary>Checkpoint of the ControlNet.</summary>
    public required string TrainedControlnetPath { get; init; }

    /// <summary>Voxels along x, y, z of the training images.</summary>
    public required int[] OutputSize { get; init; }

    /// <summary>Millimetres along x, y, z of the training images.</summary>
    public required double[] Spacing { get; init; }

    /// <summary>The modality code that the networks were trained on; 1 is CT.</summary>
    public int Modality { get; set; } = 1;

    /// <summary>HU that the autoencoder's 0 and 1 stand for.</summary>
    public double[] Intensity { get; set; } = [-1000, 1000];

    /// <summary>Denoising steps that the bundle recommends.</summary>
    public int NumInferenceSteps { get; set; } = 30;

    /// <summary>Classifier-free guidance that the bundle recommends.</summary>
    public double CfgGuidanceScale { get; set; }

    /// <summary>Names and codes of the labels that the ControlNet knows.</summary>
    public required Dictionary<string, int> LabelDict { get; init; }

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
    public required JsonObject ControlnetDef { get; init; }

    /// <summary>MONAI definition of the scheduler.</summary>
    public required JsonObject NoiseScheduler { get; init; }

    /// <summary>Reads configs/inference.json of a bundle.</summary>
    /// <exception cref="MaisiException">There is no such file, or it does not fit.</exception>
    public static BundleSettings Read(string bundle)
    {
        var path = Path.Combine(bundle, "configs", "inference.json");
        if (!Directory.Exists(bundle))
            throw new MaisiException("There is no such bundle folder.", bundle, "A bundle is a folder with configs/ and models/; 'maisi train' makes one.");
        if (!File.Exists(path))
            throw new MaisiException("This folder is no bundle: it has no configs/inference.json.", bundle, "Give the folder that holds configs/ and models/.");
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(path), BundleJson.Default.BundleSettings) ?? throw new JsonException("the file holds null");
        }
        catch (JsonException e)
        {
            throw new MaisiException($"The bundle's config does not fit: {e.Message}", path, "Train the bundle again or restore the file.", e);
        }
    }

    /// <summary>The windows of the sliding-window decode.</summary>
    internal SlidingWindowOptions Windows() =>
        new([.. AutoencoderSlidingWindowInferSize.Select(n => (long)n)], [.. Enumerable.Repeat(AutoencoderSlidingWindowInferOverlap, AutoencoderSlidingWindowInferSize.Length)]);

    /// <summary>The settings as indented JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, BundleJson.Default.BundleSettings);
}

// Members with a default are settable: generated code gives missing init-only members null or 0 instead of their default.
[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip)]
[JsonSerializable(typeof(BundleSettings))]
internal sealed partial class BundleJson : JsonSerializerContext;
