using System.Text.Json;
using System.Text.Json.Serialization;

namespace Maisi.Bridge.Training;

/// <summary>What a training did.</summary>
public sealed record TrainingReport
{
    /// <summary>The bundle's name.</summary>
    public required string Bundle { get; init; }

    /// <summary>Training cases, mirror images not counted.</summary>
    public required int Cases { get; init; }

    /// <summary>Further views of them.</summary>
    public int Variants { get; set; }

    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>The stages in order.</summary>
    public required IReadOnlyList<StageSummary> Stages { get; init; }

    /// <summary>1 / standard deviation of the latents.</summary>
    public required double ScaleFactor { get; init; }

    /// <summary>Peak signal-to-noise ratio of reconstructions of the validation cases in dB, range 1; null without such cases.</summary>
    public double? ValidationPsnr { get; init; }

    /// <summary>Wall-clock seconds of the stages.</summary>
    public required double Seconds { get; init; }

    /// <summary>Processor seconds of the stages, all threads.</summary>
    public required double ProcessorSeconds { get; init; }

    /// <summary>The report as indented JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Default.TrainingReport);
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(TrainingReport))]
internal sealed partial class ReportJson : JsonSerializerContext;
