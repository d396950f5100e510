using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Maisi.Bridge.Generation;

/// <summary>A file and its SHA-256, with a path relative to the manifest where the file lies beside it.</summary>
public sealed record HashedFile(string Path, string Sha256)
{
    /// <summary>Hashes a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="shownAs">The path to record; the file's own when null.</param>
    public static HashedFile Of(string path, string? shownAs = null)
    {
        using var stream = File.OpenRead(path);
        return new HashedFile(shownAs ?? path, Convert.ToHexStringLower(SHA256.HashData(stream)));
    }
}

/// <summary>What made a run: enough to make it again.</summary>
public sealed record RunManifest
{
    /// <summary>Version of this format.</summary>
    public int Format { get; set; } = 1;

    /// <summary>Name and version of the program.</summary>
    public required string Program { get; init; }

    /// <summary>libtorch, .NET and operating system.</summary>
    public required IReadOnlyDictionary<string, string> Versions { get; init; }

    /// <summary>The bundle's name and version.</summary>
    public required string Bundle { get; init; }

    /// <summary>The bundle's folder as it was given.</summary>
    public string? BundlePath { get; set; }

    /// <summary>Weights and configs of the bundle.</summary>
    public required IReadOnlyList<HashedFile> BundleFiles { get; init; }

    /// <summary>The options of the run after defaults were filled in.</summary>
    public required GenerationOptions Options { get; init; }

    /// <summary>How latents were decoded, and what was planned for it; null in manifests of earlier versions.</summary>
    public DecodeRecord? Decode { get; set; }

    /// <summary>The samples in the order of their index.</summary>
    public required IReadOnlyList<SampleRecord> Samples { get; init; }

    /// <summary>Seconds for the whole run, loading included.</summary>
    public double Seconds { get; set; }

    /// <summary>Reads a manifest.</summary>
    /// <exception cref="MaisiException">The file is missing or is no manifest.</exception>
    public static RunManifest Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), ManifestJson.Default.RunManifest)
                ?? throw new JsonException("the file holds null");
        }
        catch (Exception e) when (e is IOException or JsonException or UnauthorizedAccessException)
        {
            throw new MaisiException($"This is no run manifest: {e.Message}", path, "Give the manifest.json that 'maisi generate' wrote.", e);
        }
    }

    /// <summary>The manifest as indented JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ManifestJson.Default.RunManifest);
}

/// <summary>The options of a run.</summary>
public sealed record GenerationOptions
{
    /// <summary>The seed of the run; every sample's own seed comes from it and the sample's index.</summary>
    public ulong Seed { get; set; }

    /// <summary>How many samples.</summary>
    public int Count { get; set; } = 1;

    /// <summary>Denoising steps.</summary>
    public int Steps { get; set; }

    /// <summary>Classifier-free guidance scale; 0 switches it off.</summary>
    public double GuidanceScale { get; set; }

    /// <summary>The modality code; 1 is CT.</summary>
    public int Modality { get; set; } = 1;

    /// <summary>How the mask's grid is chosen.</summary>
    public GridChoice Grid { get; set; }

    /// <summary>The device, for instance cpu or cuda:0.</summary>
    public string Device { get; set; } = "cpu";
}

/// <summary>On which voxel grid an image is generated.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<GridChoice>))]
public enum GridChoice
{
    /// <summary>The mask's own grid where its spacing is the bundle's, the bundle's grid otherwise.</summary>
    Auto,

    /// <summary>The mask's own size and spacing.</summary>
    Mask,

    /// <summary>The size and spacing that the bundle was trained on, centred on the labelled structures.</summary>
    Bundle,
}

/// <summary>One sample of a run.</summary>
public sealed record SampleRecord
{
    /// <summary>Index in the run, from 0.</summary>
    public int Index { get; set; }

    /// <summary>The seed of this sample alone.</summary>
    public ulong Seed { get; set; }

    /// <summary>Hash of everything that the sample is made from: options, weights, label map, seed, program.</summary>
    public string? Origin { get; set; }

    /// <summary>The mask that was given.</summary>
    public required HashedFile Mask { get; init; }

    /// <summary>The image, the label map and the previews.</summary>
    public required IReadOnlyList<HashedFile> Files { get; init; }

    /// <summary>What was changed in the mask before it was used, in words.</summary>
    public required IReadOnlyList<string> MaskChanges { get; init; }

    /// <summary>Voxels along x, y, z.</summary>
    public required long[] Size { get; init; }

    /// <summary>Millimetres along x, y, z.</summary>
    public required double[] Spacing { get; init; }

    /// <summary>Median HU of each label in the image, by the label's name.</summary>
    public required IReadOnlyDictionary<string, double> MedianHounsfield { get; init; }

    /// <summary>Seconds for denoising and for decoding.</summary>
    public required SampleTimings Seconds { get; init; }

    /// <summary>Peak bytes of tensors on the device; null where the binding does not count them.</summary>
    public long? PeakTensorBytes { get; set; }

    /// <summary>The file with this end of its name.</summary>
    internal HashedFile File(string end) => Files.First(f => f.Path.EndsWith(end, StringComparison.Ordinal));
}

/// <summary>Seconds spent in the two parts of sampling.</summary>
public sealed record SampleTimings(double Denoise, double Decode);

// Members with a default are settable: generated code gives missing init-only members null or 0 instead of their default.
[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip)]
[JsonSerializable(typeof(RunManifest))]
[JsonSerializable(typeof(SampleRecord))]
[JsonSerializable(typeof(GenerationOptions))]
internal sealed partial class ManifestJson : JsonSerializerContext;
