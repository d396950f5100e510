using System.Text.Json;

namespace Maisi.Bridge.Volumes;

/// <summary>
/// The ten relative sizes that steer MAISI's mask model, and the sizes of real patients from which those that nobody gave are taken.
/// Source: NV-Generate-CTMR scripts/sample.py (prepare_anatomy_size_condition).
/// </summary>
public static class AnatomySizeConditions
{
    /// <summary>Structures in the order of the condition; a size of -1 says that the structure is absent.</summary>
    public static IReadOnlyList<string> Order { get; } =
        ["gallbladder", "liver", "stomach", "pancreas", "colon", "lung tumor", "pancreatic tumor", "hepatic tumor", "colon cancer primaries", "bone lesion"];

    /// <summary>Tumour labels of the last five places.</summary>
    public static IReadOnlyList<int> TumourLabels { get; } = [23, 24, 26, 27, 128];

    /// <summary>Reads a list of {"organ_size": [numbers]}.</summary>
    /// <param name="path">The file.</param>
    /// <param name="count">Numbers of each patient: MAISI's ten, or one for each structure of a bundle.</param>
    /// <exception cref="MaisiException">Another form.</exception>
    public static IReadOnlyList<double[]> Load(string path, int count = 10)
    {
        try
        {
            using var file = File.OpenRead(path);
            var rows = JsonDocument.Parse(file).RootElement.EnumerateArray().Select(e => e.GetProperty("organ_size").EnumerateArray().Select(v => v.GetDouble()).ToArray()).ToArray();
            if (rows.Length > 0 && rows.All(r => r.Length == count))
                return rows;
        }
        catch (Exception e) when (e is IOException or JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new MaisiException("the anatomy sizes cannot be read", path, $"it needs a list of {{\"organ_size\": [{count} numbers]}}", e);
        }
        throw new MaisiException($"the anatomy sizes are empty or not {count} numbers each", path);
    }

    /// <summary>
    /// The condition for given sizes: the patient whose sizes differ least in sum (the first of equals), with the given sizes put in. In
    /// parity mode the patient's entry in <paramref name="patients"/> is changed too, as upstream does, so that later calls see it.
    /// </summary>
    /// <param name="given">The sizes that somebody gave.</param>
    /// <param name="patients">Sizes of real patients.</param>
    /// <param name="parity">As upstream.</param>
    /// <param name="order">The structures in the order of the numbers; null: MAISI's ten.</param>
    /// <exception cref="MaisiException">A structure whose size cannot be chosen.</exception>
    public static double[] Prepare(IReadOnlyList<(string Name, double Size)> given, IReadOnlyList<double[]> patients, bool parity = false, IReadOnlyList<string>? order = null)
    {
        var places = given.Select(g => (Place: Place(g.Name, order ?? Order), g.Size)).ToArray();
        var closest = patients.MinBy(p => places.Sum(g => Math.Abs(g.Size - p[g.Place])))!;
        var condition = parity ? closest : [.. closest];
        foreach (var (place, size) in places)
            condition[place] = size;
        return condition;
    }

    /// <summary>The tumour that a condition asks for: the last of the five that is not -1; null when there is none.</summary>
    public static int? TargetTumour(IReadOnlyList<double> condition) =>
        Enumerable.Range(0, 5).Where(i => condition[5 + i] != -1).Select(i => (int?)TumourLabels[i]).LastOrDefault();

    private static int Place(string name, IReadOnlyList<string> order) => order.ToList().IndexOf(name) is >= 0 and var place ? place
        : throw new MaisiException($"the size of '{name}' cannot be chosen", hint: $"use {string.Join(", ", order)}");
}
