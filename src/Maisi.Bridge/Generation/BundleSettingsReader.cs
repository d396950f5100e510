using System.Text.Json;
using System.Text.Json.Nodes;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Bundles.Modules;
using Maisi.Bridge.Bundles.Parsing;

namespace Maisi.Bridge.Generation;

/// <summary>
/// Takes the settings out of a bundle's inference config, upstream's own included: each key alone is resolved, definitions of networks
/// stay definitions, and nothing of the rest of the config is evaluated.
/// </summary>
internal static class BundleSettingsReader
{
    public static BundleSettings Read(string bundle)
    {
        var path = Path.Combine(bundle, "configs", "inference.json");
        if (!Directory.Exists(bundle))
            throw new MaisiException("There is no such bundle folder.", bundle, "A bundle is a folder with configs/ and models/; 'maisi train' makes one.");
        if (!File.Exists(path))
            throw new MaisiException("This folder is no bundle: it has no configs/inference.json.", bundle, "Give the folder that holds configs/ and models/.");
        var parser = new ConfigParser(new ConfigParserOptions { Registry = TargetRegistryBuilder.Standard(), WorkingDirectory = Path.GetFullPath(bundle) });
        parser.ReadConfig(Path.GetFullPath(path));
        try
        {
            var settings = BundleJson.Default.BundleSettings.Properties.Where(p => parser.Contains(p.Name)).Select(p => KeyValuePair.Create(p.Name, Value(parser, p.Name)));
            var read = new JsonObject(settings.Where(p => p.Value is not null)).Deserialize(BundleJson.Default.BundleSettings) ?? throw new JsonException("the file holds null");
            var names = read.LabelDictJson is { } labels && read.LabelDict.Count == 0 ? Labels(Path.Combine(bundle, labels)) : read.LabelDict;
            return read with { LabelDict = names, HasMaisiRules = !parser.Contains("label_dict") };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new MaisiException($"The bundle's config does not fit: {e.Message}", path, "Train the bundle again or restore the file.", e);
        }
    }

    private static JsonNode? Value(ConfigParser parser, string key)
    {
        if (parser.Get(key) is DictNode { IsComponent: true } definition)
            return new JsonObject(definition.Entries.Keys.Select(k => KeyValuePair.Create((string)k, Part(parser, key, (string)k, definition.Entries[k]))));
        return Json(parser.GetParsedContent(key));
    }

    private static JsonNode? Part(ConfigParser parser, string key, string name, ConfigNode node) =>
        name == "_target_" ? node.Text : Json(parser.GetParsedContent($"{key}::{name}"));

    // Paths of a config begin with the bundle's folder, "./": they are relative to it anyway.
    private static JsonNode? Json(object? value) => value is string text
        ? JsonValue.Create(text.StartsWith("./", StringComparison.Ordinal) ? text[2..] : text)
        : JsonNode.Parse(JsonText.Write(value, new TypeTable([])));

    private static Dictionary<string, int> Labels(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllBytes(path)) ?? throw new JsonException("the file holds null");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new MaisiException($"The names of the labels cannot be read: {e.Message}", path, "Restore the file from the bundle's source.", e);
        }
    }
}
