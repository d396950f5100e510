namespace Maisi.Bridge.Client;

/// <summary>The answer of the health endpoints.</summary>
public sealed record Health
{
    /// <summary>live, ready, loading, failed or draining.</summary>
    public required string Status { get; init; }

    /// <summary>Why it is not ready.</summary>
    public string? Detail { get; set; }
}

/// <summary>The answer of <c>/v1/license</c>: the licence of the weights.</summary>
/// <param name="Name">Name of the licence file.</param>
/// <param name="Size">Bytes of its text.</param>
/// <param name="Sha256">SHA-256 of its text.</param>
/// <param name="Content">The text.</param>
public sealed record License(string Name, int Size, string Sha256, string Content);

/// <summary>The answer of <c>/v1/maisi/info</c>.</summary>
public sealed record ServiceInfo
{
    /// <summary>Name and version of the program.</summary>
    public required string Program { get; init; }

    /// <summary>Version of the bundle; null when it names none.</summary>
    public string? Version { get; set; }

    /// <summary>The bundle.</summary>
    public required string Bundle { get; init; }

    /// <summary>What it makes: paired, from-mask, mask, image.</summary>
    public required IReadOnlyList<JobKind> Kinds { get; init; }

    /// <summary>Names and codes of the labels.</summary>
    public required IReadOnlyDictionary<string, int> Labels { get; init; }

    /// <summary>What can be asked for.</summary>
    public required ServiceLimits Limits { get; init; }

    /// <summary>What is taken where a request leaves a field out.</summary>
    public required ServiceDefaults Defaults { get; init; }

    /// <summary>Jobs that wait or run, over all clients.</summary>
    public int QueueLength { get; set; }
}

/// <summary>What can be asked for.</summary>
public sealed record ServiceLimits
{
    /// <summary>The most samples of a request.</summary>
    public int MaxOutputSamples { get; set; }

    /// <summary>The most voxels of an image.</summary>
    public long MaxVoxels { get; set; }

    /// <summary>What every extent must be divisible by.</summary>
    public int Divisor { get; set; }

    /// <summary>Extents along x and y that can be chosen; null: all that divide.</summary>
    public IReadOnlyList<int>? SizesXY { get; set; }

    /// <summary>Extents along z that can be chosen; null: all that divide.</summary>
    public IReadOnlyList<int>? SizesZ { get; set; }

    /// <summary>Lowest and highest spacing in millimetres.</summary>
    public required IReadOnlyList<double> Spacing { get; init; }

    /// <summary>Modality codes.</summary>
    public required IReadOnlyList<int> Modalities { get; init; }

    /// <summary>Body regions.</summary>
    public required IReadOnlyList<string> BodyRegions { get; init; }

    /// <summary>Structures whose size can be chosen; none where the bundle synthesises no label maps.</summary>
    public required IReadOnlyList<string> ControllableAnatomy { get; init; }

    /// <summary>Endings of files.</summary>
    public required IReadOnlyList<string> OutputExtensions { get; init; }

    /// <summary>The most bytes of an uploaded label map.</summary>
    public long MaxUploadBytes { get; set; }
}

/// <summary>What is taken where a request leaves a field out.</summary>
public sealed record ServiceDefaults
{
    /// <summary>Voxels along x, y, z.</summary>
    public required IReadOnlyList<int> OutputSize { get; init; }

    /// <summary>Millimetres along x, y, z.</summary>
    public required IReadOnlyList<double> Spacing { get; init; }

    /// <summary>Denoising steps.</summary>
    public int NumInferenceSteps { get; set; }

    /// <summary>Modality code.</summary>
    public int Modality { get; set; }
}
