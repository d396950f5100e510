using System.Text.Json;
using System.Text.Json.Nodes;

namespace Maisi.Bridge.Training;

/// <summary>A case as NV-Generate's and MSD's datalists have it.</summary>
/// <param name="Name">The image's path as the list has it.</param>
/// <param name="Image">Its full path.</param>
internal sealed record TrainingRecord(string Name, string Image)
{
    /// <summary>Full path of the label map.</summary>
    public string? Label { get; init; }

    /// <summary>"ct", "mri" ..., or a name of the modality mapping.</summary>
    public string? Modality { get; init; }

    /// <summary>The fold that holds it back.</summary>
    public int? Fold { get; init; }

    /// <summary>Millimetres along x, y, z.</summary>
    public float[]? Spacing { get; init; }

    /// <summary>One-hot index of the uppermost body region.</summary>
    public float[]? TopRegion { get; init; }

    /// <summary>One-hot index of the lowest body region.</summary>
    public float[]? BottomRegion { get; init; }

    /// <summary>The ten anatomy sizes that steer the mask model.</summary>
    public float[]? OrganSize { get; init; }

    /// <summary>Reads a part of a datalist.</summary>
    /// <param name="path">The JSON file.</param>
    /// <param name="folder">The folder of its paths.</param>
    /// <param name="part">"training" or "validation"; a part that is missing is empty.</param>
    /// <exception cref="MaisiException">The list cannot be read or an entry has no image.</exception>
    public static IReadOnlyList<TrainingRecord> Read(string path, string folder, string part)
    {
        try
        {
            return [.. ((JsonNode.Parse(File.ReadAllText(path)) as JsonObject)?[part] as JsonArray ?? []).Select(n => Of(n, folder))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or FormatException)
        {
            throw new MaisiException($"The datalist cannot be read: {e.Message}", path, "It is JSON with a list \"training\" of {\"image\", ...}.", e);
        }
    }

    /// <summary>Refuses a list without entries, or with files that are not there.</summary>
    /// <exception cref="MaisiException">So it is.</exception>
    public static IReadOnlyList<TrainingRecord> Require(IReadOnlyList<TrainingRecord> records, string path)
    {
        if (records.Count == 0)
            throw new MaisiException("The datalist has no training cases.", path);
        var missing = records.SelectMany(r => new[] { r.Image, r.Label }).OfType<string>().Where(f => !File.Exists(f)).ToList();
        return missing.Count == 0 ? records
            : throw new MaisiException($"{missing.Count} files of the datalist are not there, the first is {missing[0]}", path, "Set data_base_dir to the folder of its paths.");
    }

    private static TrainingRecord Of(JsonNode? node, string folder)
    {
        if (node is JsonValue name)
            return new TrainingRecord(name.GetValue<string>(), Path.GetFullPath(name.GetValue<string>(), folder));
        var image = (node?["image"] ?? node?["label"])?.GetValue<string>() ?? throw new FormatException("an entry has neither \"image\" nor \"label\"");
        return new TrainingRecord(image, Path.GetFullPath(image, folder))
        {
            Label = node!["label"] is { } label ? Path.GetFullPath(label.GetValue<string>(), folder) : null,
            Modality = (node["modality"] ?? node["class"])?.ToString(),
            Fold = node["fold"]?.GetValue<int>(),
            Spacing = Numbers(node["spacing"]),
            TopRegion = Numbers(node["top_region_index"]),
            BottomRegion = Numbers(node["bottom_region_index"]),
            OrganSize = Numbers(node["organ_size"]),
        };
    }

    private static float[]? Numbers(JsonNode? node) => (node as JsonArray)?.Select(n => (float)n!.GetValue<double>()).ToArray();
}
