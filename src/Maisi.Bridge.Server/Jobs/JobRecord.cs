using System.Text.Json.Serialization;
using Maisi.Bridge.Client;
using Maisi.Bridge.Generation;

namespace Maisi.Bridge.Server;

/// <summary>A job as it is stored: everything that is needed to make the same bytes after a restart.</summary>
internal sealed record JobRecord
{
    /// <summary>The id: 32 hexadecimal digits, later jobs have higher ones.</summary>
    public required string Id { get; init; }

    /// <summary>The client's name; empty without keys.</summary>
    public string Owner { get; set; } = "";

    /// <summary>Where it stands.</summary>
    public JobState State { get; set; }

    /// <summary>Whether it belongs to a waiting request and ends with it.</summary>
    public bool Transient { get; set; }

    /// <summary>What to make, seed included.</summary>
    public required GenerationOptions Options { get; init; }

    /// <summary>Ending of image files.</summary>
    public string ImageExtension { get; set; } = ".nii.gz";

    /// <summary>Ending of label files.</summary>
    public string LabelExtension { get; set; } = ".nii.gz";

    /// <summary>File name of the uploaded label map in the job's folder.</summary>
    public string? Mask { get; set; }

    /// <summary>When it was accepted.</summary>
    public DateTimeOffset Created { get; set; }

    /// <summary>When it was last begun.</summary>
    public DateTimeOffset? Started { get; set; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? Finished { get; set; }

    /// <summary>How often it was begun.</summary>
    public int Starts { get; set; }

    /// <summary>The client's key against doing a thing twice.</summary>
    public string? IdempotencyKey { get; set; }

    /// <summary>SHA-256 of the request that came with the key.</summary>
    public string? RequestHash { get; set; }

    /// <summary>Files that clients may have, by their names in the job's run folder.</summary>
    public IReadOnlyList<JobFile> Files { get; set; } = [];

    /// <summary>Bytes on disk.</summary>
    public long Bytes { get; set; }

    /// <summary>What was wrong.</summary>
    public Problem? Problem { get; set; }

    /// <summary>Whether it waits or runs.</summary>
    [JsonIgnore]
    public bool IsActive => State is JobState.Queued or JobState.Running;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JobRecord))]
internal sealed partial class JobJson : JsonSerializerContext;
