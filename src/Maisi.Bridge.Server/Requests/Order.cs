using Maisi.Bridge.Generation;

namespace Maisi.Bridge.Server;

/// <summary>A request that was read and found possible.</summary>
internal sealed record Order
{
    /// <summary>What to make.</summary>
    public required GenerationOptions Options { get; init; }

    /// <summary>Ending of image files.</summary>
    public string ImageExtension { get; init; } = ".nii.gz";

    /// <summary>Ending of label files.</summary>
    public string LabelExtension { get; init; } = ".nii.gz";

    /// <summary>Where the ZIP is PUT.</summary>
    public string? Url { get; init; }

    /// <summary>Where the files are copied.</summary>
    public string? LocalFolder { get; init; }

    /// <summary>The uploaded label map, in the folder of uploads.</summary>
    public string? Mask { get; init; }
}
