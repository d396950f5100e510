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

    /// <summary>Other files that the run was made from: the mask database, HU statistics, sizes of organs.</summary>
    public IReadOnlyList<HashedFile> Inputs { get; set; } = [];

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

/// <summary>One sample of a run.</summary>
public sealed record SampleRecord
{
    /// <summary>Index in the run, from 0.</summary>
    public int Index { get; set; }

    /// <summary>The seed of this sample alone.</summary>
    public ulong Seed { get; set; }

    /// <summary>Hash of everything that the sample is made from: options, weights, label map, seed, program.</summary>
    public string? Origin { get; set; }

    /// <summary>The label map that was given or chosen; null where there was none, or it was synthesised.</summary>
    public HashedFile? Mask { get; set; }

    /// <summary>The ten relative sizes that a label map was synthesised with.</summary>
    public IReadOnlyList<double>? AnatomyCondition { get; set; }

    /// <summary>What was tried until the sample was accepted, quality check included; the kept one is marked.</summary>
    public IReadOnlyList<AttemptRecord> Attempts { get; set; } = [];

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
    internal HashedFile? File(string end) => Files.FirstOrDefault(f => f.Path.EndsWith(end, StringComparison.Ordinal));
}

/// <summary>One attempt at a sample.</summary>
public sealed record AttemptRecord
{
    /// <summary>The seed from which the streams of this attempt come.</summary>
    public ulong Seed { get; set; }

    /// <summary>The label map out of the database; null where there was none.</summary>
    public string? Mask { get; set; }

    /// <summary>Whether this is the sample that was kept.</summary>
    public bool Kept { get; set; }

    /// <summary>Why nothing was made of it; null where an image was made.</summary>
    public string? Skipped { get; set; }

    /// <summary>The organs that were compared with real images; null where there was no check.</summary>
    public IReadOnlyList<OrganCheck>? Quality { get; set; }

    /// <summary>Whether no organ lies outside of the range of real images; null where there was no check.</summary>
    [JsonIgnore]
    public bool? Passed => Quality is null ? null : !Quality.Any(o => o.IsOutlier);
}

/// <summary>Seconds spent in the parts of sampling; those of a label map are 0 where none was synthesised.</summary>
public sealed record SampleTimings(double Denoise, double Decode, double Mask = 0);

// Members with a default are settable: generated code gives missing init-only members null or 0 instead of their default.
[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RunManifest))]
[JsonSerializable(typeof(SampleRecord))]
[JsonSerializable(typeof(GenerationOptions))]
internal sealed partial class ManifestJson : JsonSerializerContext;
