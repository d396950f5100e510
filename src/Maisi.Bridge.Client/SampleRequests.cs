using System.Text.Json;
using System.Text.Json.Serialization;

namespace Maisi.Bridge.Client;

/// <summary>An organ or tumour and its wanted size; on the wire a pair, <c>["liver", 0.5]</c>.</summary>
/// <param name="Name">The structure.</param>
/// <param name="Size">0 to 1 relative to real patients, or -1 for absent.</param>
[JsonConverter(typeof(SizedAnatomyConverter))]
public readonly record struct SizedAnatomy(string Name, double Size);

/// <summary>The body of <c>POST /v1/maisi/run</c>: the fields of NVIDIA's MAISI NIM, a seed and the number of steps.</summary>
public sealed record RunRequest
{
    /// <summary>How many pairs of image and label map to make.</summary>
    public required int NumOutputSamples { get; init; }

    /// <summary>head, chest, thorax, abdomen, pelvis, lower; not looked at where sizes of anatomy are given.</summary>
    public required IReadOnlyList<string> BodyRegion { get; init; }

    /// <summary>Structures that the label map must show.</summary>
    public IReadOnlyList<string>? AnatomyList { get; set; }

    /// <summary>Voxels along x, y, z; the bundle's own when left out.</summary>
    public IReadOnlyList<int>? OutputSize { get; set; }

    /// <summary>Millimetres along x, y, z; the bundle's own when left out.</summary>
    public IReadOnlyList<double>? Spacing { get; set; }

    /// <summary>Wanted sizes, at most ten; the label map is then synthesised.</summary>
    public IReadOnlyList<SizedAnatomy>? ControllableAnatomySize { get; set; }

    /// <summary>An https URL to which the ZIP is PUT; its host must be one that the server allows.</summary>
    public string? PreSignedUrl { get; set; }

    /// <summary>A folder of the server, in one that it allows, for the files.</summary>
    public string? LocalWorkingDir { get; set; }

    /// <summary>.nii.gz (the default), .nii, .nrrd or .dcm.</summary>
    public string? ImageOutputExt { get; set; }

    /// <summary>.nii.gz (the default), .nii, .nrrd or .dcm.</summary>
    public string? LabelOutputExt { get; set; }

    /// <summary>Denoising steps of the image, 1 to 1000; the bundle's own when left out.</summary>
    public int? NumInferenceSteps { get; set; }

    /// <summary>Seed of the run: equal seeds give equal bytes. Drawn by the server when left out, and told in the answer.</summary>
    public ulong? Seed { get; set; }
}

/// <summary>What a job makes.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<JobKind>))]
public enum JobKind
{
    /// <summary>A label map and its image.</summary>
    [JsonStringEnumMemberName("paired")]
    Paired,

    /// <summary>An image of an uploaded label map.</summary>
    [JsonStringEnumMemberName("from-mask")]
    FromMask,

    /// <summary>A label map alone.</summary>
    [JsonStringEnumMemberName("mask")]
    Mask,

    /// <summary>An image alone.</summary>
    [JsonStringEnumMemberName("image")]
    Image,
}

/// <summary>The body of <c>POST /v1/jobs</c>; the part <c>request</c> of a form for <see cref="JobKind.FromMask"/>, whose part <c>mask</c> is the label map.</summary>
public sealed record JobRequest
{
    /// <summary>What to make.</summary>
    public required JobKind Kind { get; init; }

    /// <summary>How many samples; 1 when left out.</summary>
    public int? NumOutputSamples { get; set; }

    /// <inheritdoc cref="RunRequest.Seed"/>
    public ulong? Seed { get; set; }

    /// <inheritdoc cref="RunRequest.BodyRegion"/>
    public IReadOnlyList<string>? BodyRegion { get; set; }

    /// <inheritdoc cref="RunRequest.AnatomyList"/>
    public IReadOnlyList<string>? AnatomyList { get; set; }

    /// <inheritdoc cref="RunRequest.OutputSize"/>
    public IReadOnlyList<int>? OutputSize { get; set; }

    /// <inheritdoc cref="RunRequest.Spacing"/>
    public IReadOnlyList<double>? Spacing { get; set; }

    /// <inheritdoc cref="RunRequest.ControllableAnatomySize"/>
    public IReadOnlyList<SizedAnatomy>? ControllableAnatomySize { get; set; }

    /// <inheritdoc cref="RunRequest.NumInferenceSteps"/>
    public int? NumInferenceSteps { get; set; }

    /// <summary>Denoising steps of a synthesised label map.</summary>
    public int? MaskInferenceSteps { get; set; }

    /// <summary>Classifier-free guidance; 0 switches it off.</summary>
    public double? GuidanceScale { get; set; }

    /// <summary>Modality code; must be one that the bundle was trained on.</summary>
    public int? Modality { get; set; }

    /// <summary>How often a sample that fails the quality check is made again, 0 to 10; 2 when left out.</summary>
    public int? Retries { get; set; }

    /// <summary>Grid of an uploaded label map: auto, mask or bundle.</summary>
    public string? Grid { get; set; }

    /// <inheritdoc cref="RunRequest.ImageOutputExt"/>
    public string? ImageOutputExt { get; set; }

    /// <inheritdoc cref="RunRequest.LabelOutputExt"/>
    public string? LabelOutputExt { get; set; }
}

internal sealed class SizedAnatomyConverter : JsonConverter<SizedAnatomy>
{
    public override SizedAnatomy Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartArray || !reader.Read() || reader.TokenType != JsonTokenType.String)
            throw new JsonException("A size of anatomy is a pair of a name and a number.");
        var name = reader.GetString()!;
        var size = reader.Read() && reader.TokenType == JsonTokenType.Number ? reader.GetDouble() : throw new JsonException("The second part of a size of anatomy is a number.");
        return reader.Read() && reader.TokenType == JsonTokenType.EndArray ? new SizedAnatomy(name, size) : throw new JsonException("A size of anatomy has two parts.");
    }

    public override void Write(Utf8JsonWriter writer, SizedAnatomy value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        writer.WriteStringValue(value.Name);
        writer.WriteNumberValue(value.Size);
        writer.WriteEndArray();
    }
}
