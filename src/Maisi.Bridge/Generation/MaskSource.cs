using System.Text.Json;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Generation;

/// <summary>The label maps of a run.</summary>
public static class MaskSource
{
    /// <summary>
    /// Reads a list of label maps: a MONAI datalist (<c>{"training": [{"label": ...}]}</c>, every list in it counts) or a text file with one
    /// path per line. Paths are relative to the list.
    /// </summary>
    /// <exception cref="MaisiException">The list is missing, is neither, or names no label map.</exception>
    public static IReadOnlyList<string> Read(string list)
    {
        try
        {
            var text = File.ReadAllText(list);
            var names = text.TrimStart().StartsWith('{') ? FromDatalist(text) : text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            var folder = Path.GetDirectoryName(Path.GetFullPath(list))!;
            string[] paths = [.. names.Select(name => Path.Combine(folder, name))];
            return paths.Length > 0 ? paths : throw new MaisiException("The list names no label map.", list, "Give {\"training\": [{\"label\": \"a.nii.gz\"}]}, or one path per line.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new MaisiException($"The list of label maps cannot be read: {e.Message}", list, "Give {\"training\": [{\"label\": \"a.nii.gz\"}]}, or one path per line.", e);
        }
    }

    /// <summary>Reads the images and label maps of a MONAI datalist; every list in it counts, paths are relative to it.</summary>
    /// <exception cref="MaisiException">The list is missing, is none, or an entry lacks image or label.</exception>
    public static IReadOnlyList<(string Image, string Label)> ReadPairs(string datalist)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(datalist));
            var folder = Path.GetDirectoryName(Path.GetFullPath(datalist))!;
            var pairs = Entries(json).Select(item => (Path.Combine(folder, item.GetProperty("image").GetString()!), Path.Combine(folder, item.GetProperty("label").GetString()!))).ToArray();
            return pairs.Length > 0 ? pairs : throw new MaisiException("The datalist has no cases.", datalist, "Give {\"training\": [{\"image\": \"ct.nii.gz\", \"label\": \"mask.nii.gz\"}]}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new MaisiException($"The datalist cannot be read: {e.Message}", datalist, "Give {\"training\": [{\"image\": \"ct.nii.gz\", \"label\": \"mask.nii.gz\"}]}.", e);
        }
    }

    /// <summary>Names of the outputs: the label map's name, the run's seed and, where several images are made of a map, their number.</summary>
    /// <exception cref="MaisiException">Two label maps of the same name.</exception>
    internal static string[] Stems(IReadOnlyList<string> masks, ulong seed, int count)
    {
        var twice = masks.GroupBy(VolumeFile.Stem).FirstOrDefault(g => g.Count() > 1);
        if (twice is not null)
            throw new MaisiException($"Two label maps have the name '{twice.Key}': their images would overwrite each other.", string.Join(", ", twice), "Give them different names.");
        return [.. masks.SelectMany(mask => Enumerable.Range(0, count).Select(i => $"{VolumeFile.Stem(mask)}_seed{seed}{(count > 1 ? $"_{i:D3}" : "")}"))];
    }

    private static string[] FromDatalist(string text)
    {
        using var json = JsonDocument.Parse(text);
        return [.. Entries(json).Select(item => item.GetProperty("label").GetString()!)];
    }

    private static IEnumerable<JsonElement> Entries(JsonDocument json) =>
        json.RootElement.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.Array).SelectMany(p => p.Value.EnumerateArray());
}
