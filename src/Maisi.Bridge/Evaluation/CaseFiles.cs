using System.Text.Json;
using System.Text.Json.Nodes;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Evaluation;

/// <summary>Which files an evaluation reads, and which of two sets belong together.</summary>
public static class CaseFiles
{
    private static readonly string[] Roles = ["_image", "_label", "_labels", "_seg", "_mask", "_pred", "_prediction", "_ct", "_synthetic"];

    /// <summary>The volumes of a folder (with its subfolders), of a datalist, or a single one, sorted by name as upstream does.</summary>
    /// <param name="source">Folder, .json datalist with lists of {"image", "label"}, or a volume.</param>
    /// <param name="key">Entry of the datalist: image or label. In a folder with both it picks files whose name ends in _image or _label.</param>
    /// <param name="limit">Only so many; null for all.</param>
    /// <exception cref="MaisiException">Nothing there, or a datalist that cannot be read.</exception>
    public static IReadOnlyList<string> Find(string source, string key, int? limit = null)
    {
        IReadOnlyList<string> files = Directory.Exists(source) ? OfFolder(source, key)
            : !File.Exists(source) ? throw new MaisiException("there is no such file or folder", source, "give a folder of images, a datalist or an image")
            : source.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? OfDatalist(source, key)
            : [source];
        if (files.Count == 0)
            throw new MaisiException($"no {key} is there", source, $"volumes end in {string.Join(", ", VolumeFile.Extensions)}");
        return limit is { } most ? [.. files.Take(most)] : files;
    }

    /// <summary>Pairs files of two sets by name: endings such as _image, _label or _pred do not count.</summary>
    /// <param name="first">The set that decides which cases there are.</param>
    /// <param name="second">Must have each of them.</param>
    /// <exception cref="MaisiException">A name occurs twice, or has no counterpart.</exception>
    public static IReadOnlyList<(string Name, string First, string Second)> Pair(IReadOnlyList<string> first, IReadOnlyList<string> second)
    {
        if (first.Count == 1 && second.Count == 1)
            return [(NameOf(first[0]), first[0], second[0])];
        var (ours, theirs) = (ByName(first), ByName(second));
        var missing = ours.Keys.Where(k => !theirs.ContainsKey(k)).ToArray();
        if (missing.Length > 0)
        {
            throw new MaisiException($"{missing.Length} of {ours.Count} cases have no counterpart, the first is '{missing[0]}'", ours[missing[0]],
                $"files are paired by name without {string.Join(", ", Roles)}; the other set has for instance '{theirs.Keys.First()}'");
        }
        return [.. ours.Select(o => (o.Key, o.Value, theirs[o.Key]))];
    }

    /// <summary>The name of a case: the file's without its ending and role.</summary>
    public static string NameOf(string file)
    {
        var stem = VolumeFile.Stem(file);
        var role = Roles.Where(r => stem.EndsWith(r, StringComparison.OrdinalIgnoreCase)).MaxBy(r => r.Length);
        return role is null || role.Length == stem.Length ? stem : stem[..^role.Length];
    }

    private static SortedDictionary<string, string> ByName(IReadOnlyList<string> files)
    {
        var named = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in files)
            if (!named.TryAdd(NameOf(file), file))
                throw new MaisiException($"two files are of the case '{NameOf(file)}'", file, $"the other is {named[NameOf(file)]}; pair them by a datalist, or remove one");
        return named;
    }

    private static string[] OfFolder(string folder, string key)
    {
        var all = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(f => VolumeFile.IsVolume(f) && !f.EndsWith(".img", StringComparison.OrdinalIgnoreCase)).Order(StringComparer.Ordinal).ToArray();
        // A run of 'maisi generate' has images and label maps side by side.
        string[] other = key == "label" ? ["_image", "_ct"] : ["_label", "_labels", "_seg", "_mask"];
        var own = all.Where(f => !other.Any(o => VolumeFile.Stem(f).EndsWith(o, StringComparison.OrdinalIgnoreCase))).ToArray();
        return own.Length > 0 ? own : all;
    }

    private static string[] OfDatalist(string path, string key)
    {
        try
        {
            var root = JsonNode.Parse(File.ReadAllText(path)) ?? throw new JsonException("the file holds null");
            var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            var lists = root is JsonArray array ? [array] : root.AsObject().Select(p => p.Value).OfType<JsonArray>();
            string[] files = [.. lists.SelectMany(l => l).OfType<JsonObject>().Select(o => o[key]).OfType<JsonValue>().Select(v => Path.GetFullPath(v.GetValue<string>(), folder)).Order(StringComparer.Ordinal)];
            return Array.Find(files, f => !File.Exists(f)) is { } missing
                ? throw new MaisiException($"the {key} '{missing}' of the datalist is not there", path, "paths are relative to the datalist's folder") : files;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new MaisiException($"the datalist cannot be read: {e.Message}", path, "it is JSON with lists of {\"image\", \"label\"}", e);
        }
    }
}
