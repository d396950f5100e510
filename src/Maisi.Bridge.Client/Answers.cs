using System.Text.Json.Serialization;

namespace Maisi.Bridge.Client;

/// <summary>Where a job stands.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<JobState>))]
public enum JobState
{
    /// <summary>Waits for the device.</summary>
    [JsonStringEnumMemberName("queued")]
    Queued,

    /// <summary>Is being made.</summary>
    [JsonStringEnumMemberName("running")]
    Running,

    /// <summary>Its files are there.</summary>
    [JsonStringEnumMemberName("succeeded")]
    Succeeded,

    /// <summary>Ended with an error.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,

    /// <summary>Was cancelled.</summary>
    [JsonStringEnumMemberName("cancelled")]
    Cancelled,
}

/// <summary>How far a running job has come.</summary>
public sealed record JobProgress
{
    /// <summary>What is being done, for instance denoise.</summary>
    public required string Stage { get; init; }

    /// <summary>Units of the stage that are finished.</summary>
    public long Done { get; set; }

    /// <summary>Units of the stage in all.</summary>
    public long Total { get; set; }

    /// <summary>Estimated seconds left in the stage.</summary>
    public double? RemainingSeconds { get; set; }

    /// <summary>Figures worth showing.</summary>
    public string? Detail { get; set; }

    /// <summary>Samples that are finished.</summary>
    public long Samples { get; set; }
}

/// <summary>A file of a job.</summary>
/// <param name="Name">Its name, under <c>/v1/jobs/{id}/files/</c>.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">SHA-256 in hexadecimal; null for the manifest, whose timings differ from run to run.</param>
/// <param name="Role">image, label, preview, overlay, contact-sheet or manifest.</param>
public sealed record JobFile(string Name, long Bytes, string? Sha256, string Role);

/// <summary>A job as the service shows it.</summary>
public sealed record Job
{
    /// <summary>The id.</summary>
    public required string Id { get; init; }

    /// <summary>What it makes.</summary>
    public JobKind Kind { get; set; }

    /// <summary>Where it stands.</summary>
    public JobState State { get; set; }

    /// <summary>The seed of the run.</summary>
    public ulong Seed { get; set; }

    /// <summary>How many samples it makes.</summary>
    public int NumOutputSamples { get; set; }

    /// <summary>When it was accepted.</summary>
    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>When it was last begun.</summary>
    public DateTimeOffset? StartedAt { get; set; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? FinishedAt { get; set; }

    /// <summary>Place in the queue, from 1; null when it does not wait.</summary>
    public int? Position { get; set; }

    /// <summary>Estimated seconds until it is finished; null when nothing like it was made yet.</summary>
    public double? EstimatedSeconds { get; set; }

    /// <summary>How far it has come, while it runs.</summary>
    public JobProgress? Progress { get; set; }

    /// <summary>Voxels along x, y, z that were asked for; null where the label map says.</summary>
    public IReadOnlyList<int>? OutputSize { get; set; }

    /// <summary>Millimetres along x, y, z that were asked for; null where the label map says.</summary>
    public IReadOnlyList<double>? Spacing { get; set; }

    /// <summary>Its files, when it has succeeded.</summary>
    public IReadOnlyList<JobFile> Files { get; set; } = [];

    /// <summary>What was wrong, when it has failed.</summary>
    public Problem? Problem { get; set; }
}

/// <summary>A page of jobs, newest first.</summary>
/// <param name="Jobs">The jobs.</param>
/// <param name="Next">The id to give as <c>after</c> for the next page; null at the end.</param>
public sealed record JobList(IReadOnlyList<Job> Jobs, string? Next);

/// <summary>A field of a request and what is wrong with it.</summary>
/// <param name="Field">Its path, for instance <c>output_size[2]</c>.</param>
/// <param name="Detail">What is wrong.</param>
public sealed record FieldError(string Field, string Detail);

/// <summary>Problem details (RFC 9457).</summary>
public sealed record Problem
{
    /// <summary>What kind of problem it is, as a URN.</summary>
    public string Type { get; set; } = "about:blank";

    /// <summary>The kind in words.</summary>
    public string Title { get; set; } = "";

    /// <summary>The HTTP status.</summary>
    public int Status { get; set; }

    /// <summary>What is wrong.</summary>
    public string? Detail { get; set; }

    /// <summary>What to do about it.</summary>
    public string? Hint { get; set; }

    /// <summary>The fields at fault.</summary>
    public IReadOnlyList<FieldError>? Errors { get; set; }

    /// <summary>The id of the request in the server's logs.</summary>
    public string? TraceId { get; set; }
}

/// <summary>The answer to a run whose files went to a folder or a URL.</summary>
public sealed record Delivery
{
    /// <summary>What happened, in words.</summary>
    public required string Message { get; init; }

    /// <summary>The seed of the run.</summary>
    public ulong Seed { get; set; }

    /// <summary>The files, as they were asked for.</summary>
    public IReadOnlyList<string> Files { get; set; } = [];
}
