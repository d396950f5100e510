using System.Text.RegularExpressions;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Parsing;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Experiments;

/// <summary>Reads a datalist and says in which line something is wrong.</summary>
internal sealed class CaseLists(string file, string root, Regex? patientPattern)
{
    private static readonly string[] _keys =
        ["image", "label", "case_id", "patient_id", "source", "fold", "train_only", "parent_patient_ids", "synthetic", "parent", "parent_sha256", "seed"];

    private static readonly string[] _parts = ["training", "testing"];

    /// <summary>The cases of "training" and "testing".</summary>
    /// <exception cref="ExperimentException">The list is wrong.</exception>
    public List<ExperimentCase> Read()
    {
        var node = Parse(file);
        if (node is not DictNode dict)
            throw Wrong(node, $"the datalist is a {node.KindName}, not an object", "It is JSON with the lists \"training\" and \"testing\".");
        foreach (var key in dict.Entries.Keys.OfType<string>())
            if (!_parts.Contains(key, StringComparer.Ordinal) && Suggestion.Nearest(key, _parts) is { } meant)
                throw Wrong(dict.Entries[key], $"the datalist has a part '{key}'", $"Write \"{meant}\".");
        if (dict.Entries.TryGetValue("validation", out var validation))
            throw Wrong(validation, "the datalist has a list \"validation\"", "Cases are validated on by their fold: move them to \"training\", with a \"fold\" each.");
        if (!dict.Entries.ContainsKey("training"))
            throw Wrong(dict, "the datalist has no list \"training\"");
        return [.. Part(dict, "training", test: false), .. Part(dict, "testing", test: true)];
    }

    /// <summary>Patient ids of a file that lists a generator's training subjects: names, or a datalist whose "training" has images.</summary>
    public IReadOnlyList<string> Subjects()
    {
        var node = Parse(file);
        var list = node is DictNode dict && dict.Entries.TryGetValue("training", out var training) ? training : node;
        if (list is not ListNode items)
            throw Wrong(list, $"the training subjects of a generator are a list, not a {list.KindName}");
        return [.. items.Items.Select(item => item switch
        {
            { Text: { Length: > 0 } name } => name,
            DictNode entry when Text(entry, "patient_id", required: false) is { } id => id,
            DictNode entry when patientPattern is null && Text(entry, "case_id", required: false) is { } id => id,
            DictNode entry => PatientOf(Text(entry, "image", required: true)!),
            _ => throw Wrong(item, $"a training subject is a name or a case, not a {item.KindName}"),
        })];
    }

    private static ConfigNode Parse(string path)
    {
        try
        {
            return new ConfigFile(Environment.CurrentDirectory, _ => { }, failOnDuplicate: true).Load(path);
        }
        catch (BundleException e)
        {
            throw new ExperimentException(e.Message, e.Where ?? path, e.Hint ?? "A datalist is JSON.");
        }
    }

    private IEnumerable<ExperimentCase> Part(DictNode dict, string part, bool test)
    {
        if (!dict.Entries.TryGetValue(part, out var node))
            return [];
        if (node is not ListNode list)
            throw Wrong(node, $"\"{part}\" is a {node.KindName}, not a list");
        return list.Items.Select(item => Entry(item as DictNode ?? throw Wrong(item, $"a case of \"{part}\" is a {item.KindName}, not an object"), test));
    }

    private ExperimentCase Entry(DictNode node, bool test)
    {
        foreach (var key in node.Entries.Keys.OfType<string>())
            if (!_keys.Contains(key, StringComparer.Ordinal) && Suggestion.Nearest(key, _keys) is { } meant)
                throw Wrong(node.Entries[key], $"the case has a key '{key}'", $"Write \"{meant}\": an unknown key would be ignored.");
        var image = FileOf(node, "image");
        var label = FileOf(node, "label");
        if (string.Equals(image, label, StringComparison.Ordinal))
            throw Wrong(node, "image and label are the same file");
        var synthetic = Source(node);
        // Files of a case are named by its id.
        if (node.Entries.TryGetValue("case_id", out var named) && named.Text is { Length: > 0 } name && !IsFileName(name))
            throw Wrong(named, $"the case id '{name}' cannot be a file's name");
        var id = Text(node, "case_id", required: false) ?? VolumeFile.Stem(image);
        var fold = Fold(node);
        var trainOnly = Flag(node, "train_only");
        if (test && synthetic)
            throw Wrong(node, $"the synthetic case '{id}' is in the test list", "Tests are on real cases alone.");
        if (synthetic && (fold is not null || trainOnly))
            throw Wrong(node, $"the synthetic case '{id}' has a fold", "A synthetic case is never validated on: leave out \"fold\".");
        if (test && (fold is not null || trainOnly))
            throw Wrong(node, $"the test case '{id}' has a fold", "A test case is in no fold: leave out \"fold\".");
        if (trainOnly && fold is not null)
            throw Wrong(node, $"the case '{id}' has a fold and is train_only", "A case that is only trained on is validated in no fold.");
        var parents = Names(node, "parent_patient_ids");
        var parent = Text(node, "parent", required: false);
        if (parents.Count == 0 && parent is not null)
            parents = [PatientOf(parent)];
        if (synthetic && parents.Count == 0)
            throw Wrong(node, $"nobody knows what the synthetic case '{id}' was made from", "Name the patients in \"parent_patient_ids\", or it could be one of the test set.");
        return new ExperimentCase
        {
            CaseId = id,
            PatientId = synthetic ? id : Text(node, "patient_id", required: false) ?? (patientPattern is null ? id : PatientOf(image)),
            Image = image,
            Label = label,
            Synthetic = synthetic,
            Test = test,
            TrainOnly = trainOnly,
            Fold = fold,
            Parents = parents,
            ParentSha256 = Text(node, "parent_sha256", required: false),
            Where = node.Location.ToString(),
        };
    }

    private string PatientOf(string path) => PatientNames.Of(path, patientPattern);

    private string FileOf(DictNode node, string key)
    {
        var full = Path.GetFullPath(Text(node, key, required: true)!, root);
        return File.Exists(full) ? full : throw Wrong(node.Entries[key], $"there is no file {full}", "Name the folder of the data: data.root of the config, or --data-root.");
    }

    private static bool IsFileName(string id) => id[0] != '.' && id.IndexOfAny(['/', '\\', ':', '*', '?', '"', '<', '>', '|']) < 0 && !id.Any(char.IsControl);

    private static bool Source(DictNode node)
    {
        var source = Text(node, "source", required: false);
        if (source is not (null or "real" or "synthetic"))
            throw Wrong(node.Entries["source"], $"the source is '{source}'", "It is \"real\" or \"synthetic\".");
        return source == "synthetic" || Flag(node, "synthetic");
    }

    private static int? Fold(DictNode node)
    {
        if (!node.Entries.TryGetValue("fold", out var fold))
            return null;
        return fold is ScalarNode { Value: long number } && number is >= 0 and < int.MaxValue ? (int)number
            : throw Wrong(fold, $"the fold is {Show(fold)}, not a number from 0", "Auto3DSeg would take a text for no fold at all, and train on every case.");
    }

    private static bool Flag(DictNode node, string key) => node.Entries.TryGetValue(key, out var value)
        && (value is ScalarNode { Value: bool flag } ? flag : throw Wrong(value, $"'{key}' is {Show(value)}, not true or false"));

    private static IReadOnlyList<string> Names(DictNode node, string key)
    {
        if (!node.Entries.TryGetValue(key, out var value))
            return [];
        if (value is not ListNode list)
            throw Wrong(value, $"'{key}' is {Show(value)}, not a list of names");
        return [.. list.Items.Select(item => item.Text is { Length: > 0 } name ? name : throw Wrong(item, $"'{key}' has {Show(item)}, not a name"))];
    }

    private static string? Text(DictNode node, string key, bool required)
    {
        if (!node.Entries.TryGetValue(key, out var value))
            return required ? throw Wrong(node, $"the case has no '{key}'") : null;
        return value.Text is { Length: > 0 } text ? text : throw Wrong(value, $"'{key}' is {Show(value)}, not a text");
    }

    private static string Show(ConfigNode node) => node switch
    {
        ScalarNode { Value: string text } => $"the text \"{text}\"",
        ScalarNode { Value: { } value } => $"{value}",
        _ => $"a {node.KindName}",
    };

    private static ExperimentException Wrong(ConfigNode node, string what, string? hint = null) => new($"Wrong datalist: {what}.", node.Location.ToString(), hint);
}

/// <summary>Whose image a file is, by its name.</summary>
internal static class PatientNames
{
    /// <summary>The pattern's group in the file's name; without a pattern the name without its ending.</summary>
    /// <exception cref="ExperimentException">The pattern does not match.</exception>
    public static string Of(string path, Regex? pattern)
    {
        var name = Path.GetFileName(path);
        if (pattern is null)
            return VolumeFile.Stem(path);
        var match = pattern.Match(name);
        return match.Success && match.Groups.Count > 1 && match.Groups[1].Length > 0 ? match.Groups[1].Value
            : throw new ExperimentException($"The patient pattern '{pattern}' finds nobody in '{name}'.", path, "It is a regular expression with one group, for instance (pt_[0-9]+).");
    }

    /// <summary>The pattern of a config; null for none.</summary>
    /// <exception cref="MaisiException">It is no regular expression.</exception>
    public static Regex? Pattern(string? pattern)
    {
        try
        {
            return pattern is null ? null : new Regex(pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        }
        catch (ArgumentException e)
        {
            throw new MaisiException($"'{pattern}' is no regular expression: {e.Message}", "data.patient_pattern", inner: e);
        }
    }
}
