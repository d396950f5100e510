using System.Text.Json;
using System.Text.Json.Serialization;

namespace Maisi.Bridge.Training;

/// <summary>Images and labels by part, in the format of MONAI's and MSD's dataset.json; paths are relative to a folder.</summary>
public sealed record Datalist
{
    /// <summary>Cases to learn from.</summary>
    [JsonPropertyName("training")]
    public required IReadOnlyList<DatalistEntry> Training { get; init; }

    /// <summary>Cases held back.</summary>
    [JsonPropertyName("validation")]
    public IReadOnlyList<DatalistEntry> Validation { get; set; } = [];

    /// <summary>What the cases are, in a sentence; for the bundle's card.</summary>
    [JsonPropertyName("description")]
    public string? Description { get; set; }

    /// <summary>What to cite for the cases.</summary>
    [JsonPropertyName("reference")]
    public string? Reference { get; set; }

    /// <summary>The licence of the cases.</summary>
    [JsonPropertyName("licence")]
    public string? Licence { get; set; }

    /// <summary>Reads a datalist and checks that every file of it is there.</summary>
    /// <param name="path">The JSON file.</param>
    /// <param name="root">The folder of its paths; the file's own folder when null.</param>
    /// <exception cref="MaisiException">The list cannot be read, is empty, or names files that are not there.</exception>
    public static Datalist Read(string path, string? root)
    {
        Datalist list;
        try
        {
            list = JsonSerializer.Deserialize(File.ReadAllText(path), DatalistJson.Default.Datalist) ?? throw new JsonException("the file holds null");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new MaisiException($"The datalist cannot be read: {e.Message}", path, "It is JSON with a list \"training\" of {\"image\", \"label\"}.", e);
        }
        var folder = root ?? Path.GetDirectoryName(Path.GetFullPath(path))!;
        var full = list with { Training = Absolute(list.Training, folder), Validation = Absolute(list.Validation, folder) };
        if (full.Training.Count == 0)
            throw new MaisiException("The datalist has no training cases.", path);
        var missing = full.Training.Concat(full.Validation).SelectMany(e => new[] { e.Image, e.Label }).Where(f => !File.Exists(f)).ToList();
        if (missing.Count > 0)
            throw new MaisiException($"{missing.Count} files of the datalist are not there, the first is {missing[0]}", path, "Name the folder of the data with --data-root.");
        return full;
    }

    private static DatalistEntry[] Absolute(IReadOnlyList<DatalistEntry> entries, string folder) =>
        [.. entries.Select(e => new DatalistEntry(Path.GetFullPath(e.Image, Path.GetFullPath(folder)), Path.GetFullPath(e.Label, Path.GetFullPath(folder))))];
}

/// <summary>An image and its label map.</summary>
public sealed record DatalistEntry(
    [property: JsonPropertyName("image")] string Image,
    [property: JsonPropertyName("label")] string Label);

// Members with a default are settable: generated code gives missing init-only members null or 0 instead of their default.
[JsonSourceGenerationOptions(UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip)]
[JsonSerializable(typeof(Datalist))]
internal sealed partial class DatalistJson : JsonSerializerContext;
