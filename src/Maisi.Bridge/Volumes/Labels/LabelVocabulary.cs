using System.Text.Json;

namespace Maisi.Bridge.Volumes;

/// <summary>One label of a vocabulary.</summary>
/// <param name="Id">Voxel value.</param>
/// <param name="Name">Structure.</param>
/// <param name="Color">Colour in previews and segmentations.</param>
/// <param name="Maisi">The MAISI label of the same (or the enclosing) structure.</param>
/// <param name="Code">SNOMED CT code; null for what has none, such as placeholders.</param>
public sealed record LabelEntry(int Id, string Name, Rgb Color, int Maisi, LabelCode? Code = null);

/// <summary>
/// What the values of a label volume mean. <c>maisi</c> has 132 structures and the body (200), <c>maisi-ctmr</c> those of the CT and MR
/// model with the body at 500; the others say which MAISI label each
/// of theirs becomes: <c>maisi-mask</c> (125 classes of the mask model), <c>vista3d</c>, <c>totalsegmentator-v2</c>, and <c>openkbp</c>,
/// whose brainstem, parotids, larynx and mandible MAISI lacks, so that they are trained and reported in their own vocabulary.
/// </summary>
public sealed class LabelVocabulary
{
    /// <summary>MAISI's label for what is body and no labelled structure.</summary>
    public const int Body = 200;

    private readonly Dictionary<int, LabelEntry> _byId;
    private readonly Dictionary<string, int> _byName;

    private LabelVocabulary(string name, string title, string source, IReadOnlyList<LabelEntry> labels)
    {
        (Name, Title, Source, Labels) = (name, title, source, labels);
        _byId = labels.ToDictionary(l => l.Id);
        _byName = labels.ToDictionary(l => l.Name, l => l.Id, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Names of the vocabularies that are built in.</summary>
    public static IReadOnlyList<string> BuiltIn { get; } = ["maisi", "maisi-ctmr", "maisi-mask", "vista3d", "totalsegmentator-v2", "openkbp"];

    /// <summary>Short name.</summary>
    public string Name { get; }

    /// <summary>What it is.</summary>
    public string Title { get; }

    /// <summary>Where the numbers come from.</summary>
    public string Source { get; }

    /// <summary>All labels, by id.</summary>
    public IReadOnlyList<LabelEntry> Labels { get; }

    /// <summary>The MAISI label of each label.</summary>
    public IReadOnlyDictionary<int, int> ToMaisi => Labels.ToDictionary(l => l.Id, l => l.Maisi);

    /// <summary>A vocabulary by its name, or from a JSON file of the same form.</summary>
    /// <exception cref="MaisiException">No such vocabulary, or a file that is not one.</exception>
    public static LabelVocabulary Load(string nameOrFile)
    {
        if (BuiltIn.Contains(nameOrFile, StringComparer.OrdinalIgnoreCase))
        {
            using var stream = typeof(LabelVocabulary).Assembly.GetManifestResourceStream($"vocabularies/{nameOrFile.ToLowerInvariant()}.json")!;
            return Parse(stream, nameOrFile);
        }
        if (!File.Exists(nameOrFile))
            throw new MaisiException($"there is no label vocabulary '{nameOrFile}'", hint: $"use {string.Join(", ", BuiltIn)}, or a JSON file");
        using var file = File.OpenRead(nameOrFile);
        return Parse(file, nameOrFile);
    }

    /// <summary>True when the vocabulary has this label; 0 is background everywhere.</summary>
    public bool Contains(int id) => id == 0 || _byId.ContainsKey(id);

    /// <summary>Whether all of these labels have the codes that they have here.</summary>
    public bool Holds(IReadOnlyDictionary<string, int> labels) => labels.Count > 0 && labels.All(l => Find(l.Value)?.Name.Equals(l.Key, StringComparison.OrdinalIgnoreCase) == true);

    /// <summary>The entry of a label; null when the vocabulary lacks it.</summary>
    public LabelEntry? Find(int id) => _byId.GetValueOrDefault(id);

    /// <summary>Name and colour of a label, also of one that the vocabulary lacks.</summary>
    public (string Name, Rgb Color) Describe(int id) =>
        _byId.TryGetValue(id, out var entry) ? ($"{id} {entry.Name}", entry.Color) : ($"{id} (unknown)", LabelColors.For(id));

    /// <summary>The label of a structure; upper and lower case are alike.</summary>
    /// <exception cref="MaisiException">The vocabulary has no such structure.</exception>
    public int IdOf(string name) => _byName.TryGetValue(name, out var id) ? id
        : throw new MaisiException($"'{name}' is not a structure of the {Name} vocabulary", hint: $"did you mean {Closest(name)}?");

    /// <summary>True when a structure of this name exists.</summary>
    public bool Has(string name) => _byName.ContainsKey(name);

    private static LabelVocabulary Parse(Stream stream, string where)
    {
        try
        {
            var root = JsonDocument.Parse(stream).RootElement;
            var labels = root.GetProperty("labels").EnumerateArray().Select(l =>
            {
                var id = l.GetProperty("id").GetInt32();
                var color = l.TryGetProperty("color", out var c) ? Rgb.Parse(c.GetString()!) : LabelColors.For(id);
                return new LabelEntry(id, l.GetProperty("name").GetString()!, color, l.TryGetProperty("maisi", out var m) ? m.GetInt32() : id, LabelCode.From(l));
            }).OrderBy(l => l.Id).ToArray();
            return new(root.GetProperty("name").GetString()!, Text(root, "title"), Text(root, "source"), labels);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException or FormatException)
        {
            throw new MaisiException("this is not a label vocabulary", where, "it needs \"name\" and \"labels\": [{\"id\", \"name\", \"color\", \"maisi\"}, ...], each id and name once", e);
        }
    }

    private static string Text(JsonElement root, string key) => root.TryGetProperty(key, out var value) ? value.GetString() ?? "" : "";

    private string Closest(string name)
    {
        var words = name.ToLowerInvariant().Split([' ', '_', '-'], StringSplitOptions.RemoveEmptyEntries);
        return string.Join(", ", Labels.OrderByDescending(l => words.Count(w => l.Name.Contains(w, StringComparison.OrdinalIgnoreCase))).ThenBy(l => l.Name.Length).Take(3).Select(l => $"'{l.Name}'"));
    }
}
