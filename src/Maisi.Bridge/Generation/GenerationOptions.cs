using System.Text.Json.Serialization;

namespace Maisi.Bridge.Generation;

/// <summary>What a pipeline makes, and from what.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PipelineKind>))]
public enum PipelineKind
{
    /// <summary>An image of a label map that the caller gives.</summary>
    FromMask,

    /// <summary>A label map, synthesised or out of a database, and its image.</summary>
    Paired,

    /// <summary>A synthesised label map alone.</summary>
    Mask,

    /// <summary>An image of noise alone.</summary>
    Image,
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

/// <summary>What is asked for. Members that are null take the bundle's own value; <see cref="ISynthesisPipeline.Resolve"/> fills them.</summary>
public sealed record GenerationOptions
{
    /// <summary>The pipeline.</summary>
    public PipelineKind Kind { get; set; }

    /// <summary>The seed of the run; every sample's own seed comes from it and the sample's index.</summary>
    public ulong Seed { get; set; }

    /// <summary>How many samples, of each label map where label maps are given.</summary>
    public int Count { get; set; } = 1;

    /// <summary>Denoising steps of the image.</summary>
    public int? Steps { get; set; }

    /// <summary>Denoising steps of a synthesised label map.</summary>
    public int? MaskSteps { get; set; }

    /// <summary>Classifier-free guidance scale; 0 switches it off.</summary>
    public double? GuidanceScale { get; set; }

    /// <summary>The modality code; 1 is CT.</summary>
    public int? Modality { get; set; }

    /// <summary>How the grid of a given label map is chosen.</summary>
    public GridChoice Grid { get; set; }

    /// <summary>Voxels along x, y, z.</summary>
    public int[]? Size { get; set; }

    /// <summary>Millimetres along x, y, z.</summary>
    public double[]? Spacing { get; set; }

    /// <summary>Body regions that a label map out of the database must show, or that a network is told.</summary>
    public IReadOnlyList<string> BodyRegions { get; set; } = [];

    /// <summary>Structures that the label map must show.</summary>
    public IReadOnlyList<string> Anatomy { get; set; } = [];

    /// <summary>Wanted sizes of organs and tumours; any makes the label map a synthesised one.</summary>
    public IReadOnlyList<AnatomySize> AnatomySizes { get; set; } = [];

    /// <summary>Synthesises label maps also where no size is given, each with the sizes of a patient drawn at random.</summary>
    public bool SynthesizeMask { get; set; }

    /// <summary>The database of label maps; null takes the bundle's.</summary>
    public string? MaskDatabase { get; set; }

    /// <summary>The folder of the database's label maps; null takes the bundle's, or the database's own folder.</summary>
    public string? MaskFolder { get; set; }

    /// <summary>HU statistics of real images for the quality check; null takes the bundle's.</summary>
    public string? Statistics { get; set; }

    /// <summary>How often a sample that fails the quality check is made again; the best is kept.</summary>
    public int Retries { get; set; } = 2;

    /// <summary>How latents are decoded; null: exactly, and by windows in parity mode.</summary>
    public DecodeMode? Decode { get; set; }

    /// <summary>Saved label maps number the wanted structures from 1 and drop the rest; null: so in parity mode alone.</summary>
    public bool? CompactLabels { get; set; }

    /// <summary>As upstream does it, quirks included.</summary>
    public bool Parity { get; set; }

    /// <summary>Goes on where upstream only warns.</summary>
    public bool Force { get; set; }

    /// <summary>The device, for instance cpu or cuda:0.</summary>
    public string Device { get; set; } = "cpu";

    /// <summary>Bytes that decoding may use, the program included; null takes half of what is free. Changes nothing of a sample.</summary>
    [JsonIgnore]
    public long? Memory { get; set; }

    /// <summary>Whether label maps are synthesised.</summary>
    [JsonIgnore]
    public bool UsesMaskModel => Kind == PipelineKind.Mask || (Kind == PipelineKind.Paired && (SynthesizeMask || AnatomySizes.Count > 0));

    /// <summary>The structures that count: those with a wanted size, or else the wanted ones.</summary>
    [JsonIgnore]
    internal IReadOnlyList<string> WantedAnatomy => AnatomySizes.Count > 0 ? [.. AnatomySizes.Select(s => s.Name)] : Anatomy;
}
