using System.Text.Json;
using System.Text.Json.Serialization;

namespace Maisi.Bridge.Volumes;

/// <summary>One mask of a candidate database, with MAISI's field names.</summary>
/// <param name="PseudoLabelFilename">File, relative to the folder of the masks.</param>
/// <param name="Dim">Voxels along each axis, after RAS.</param>
/// <param name="Spacing">Millimetres along each axis.</param>
/// <param name="LabelList">MAISI labels that occur, background left out.</param>
/// <param name="TopRegionIndex">One-hot of the highest body region; null when the regions are not known.</param>
/// <param name="BottomRegionIndex">One-hot of the lowest body region.</param>
/// <param name="LabelFilename">File with another labelling of the same case.</param>
public sealed record MaskRecord(
    [property: JsonPropertyName("pseudo_label_filename")] string PseudoLabelFilename,
    [property: JsonPropertyName("dim")] IReadOnlyList<int> Dim,
    [property: JsonPropertyName("spacing")] IReadOnlyList<double> Spacing,
    [property: JsonPropertyName("label_list")] IReadOnlyList<int> LabelList,
    [property: JsonPropertyName("top_region_index")] IReadOnlyList<int>? TopRegionIndex = null,
    [property: JsonPropertyName("bottom_region_index")] IReadOnlyList<int>? BottomRegionIndex = null,
    [property: JsonPropertyName("label_filename")] string? LabelFilename = null);

/// <summary>What a mask must show.</summary>
/// <param name="Regions">Body regions, all of them inside the mask.</param>
/// <param name="Anatomy">MAISI labels, all of them present; tumours that are not named must be absent.</param>
/// <param name="Size">Wanted voxels along each axis.</param>
/// <param name="Spacing">Wanted millimetres along each axis.</param>
public sealed record MaskRequest(IReadOnlyList<string> Regions, IReadOnlyList<int> Anatomy, IReadOnlyList<int> Size, IReadOnlyList<double> Spacing);

/// <summary>
/// The database of masks from which images are generated: a JSON list that <c>maisi mask index</c> writes and MAISI's find_masks reads.
/// Source: NV-Generate-CTMR scripts/find_masks.py and sample.py (find_closest_masks).
/// </summary>
public sealed class MaskDatabase
{
    private static readonly int[] _tumours = [23, 24, 26, 27, 128];

    private static readonly JsonSerializerOptions _json = new() { WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private static readonly Dictionary<string, int> _regions = new(StringComparer.OrdinalIgnoreCase)
    {
        ["head"] = 0,
        ["chest"] = 1,
        ["thorax"] = 1,
        ["chest/thorax"] = 1,
        ["abdomen"] = 2,
        ["pelvis"] = 3,
        ["lower"] = 3,
        ["pelvis/lower"] = 3,
    };

    /// <param name="records">The masks.</param>
    public MaskDatabase(IReadOnlyList<MaskRecord> records) => Records = records;

    /// <summary>All masks, in the order of the file.</summary>
    public IReadOnlyList<MaskRecord> Records { get; }

    /// <summary>Reads a database.</summary>
    /// <exception cref="MaisiException">No such file, or another form.</exception>
    public static MaskDatabase Load(string path)
    {
        try
        {
            var records = JsonSerializer.Deserialize<List<MaskRecord>>(File.ReadAllBytes(path), _json)!;
            if (records.FirstOrDefault(r => r?.PseudoLabelFilename is null || r.Dim is not { Count: 3 } || r.Spacing is not { Count: 3 } || r.LabelList is null) is { } bad)
                throw new MaisiException($"the mask '{bad.PseudoLabelFilename}' of the database is incomplete", path, "each needs pseudo_label_filename, dim, spacing and label_list");
            return new(records);
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            throw new MaisiException("the mask database cannot be read", path, "build one with: maisi mask index FOLDER", e);
        }
    }

    /// <summary>Writes the database.</summary>
    /// <exception cref="MaisiException">The disk refused.</exception>
    public void Save(string path) => AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, Records, _json));

    /// <summary>The record of one mask in MAISI labels.</summary>
    public static MaskRecord Describe(Volume mask, string fileName)
    {
        var grid = mask.Grid.Reorient(AxisCodes.RAS);
        int[] labels = [.. mask.CountLabels().Keys.Where(k => k != 0)];
        var record = new MaskRecord(fileName, [grid.SizeX, grid.SizeY, grid.SizeZ], grid.Affine.Spacing, labels);
        if (!LabelOperations.HasBodyRegion(labels))
            return record;
        var (top, bottom) = LabelOperations.FindBodyRegions(labels);
        return record with { TopRegionIndex = OneHot(top), BottomRegionIndex = OneHot(bottom) };
    }

    /// <summary>All masks that show what is asked for.</summary>
    /// <param name="request">What the mask must show.</param>
    /// <param name="exact">Size and spacing must be equal too; none found is then no error.</param>
    /// <exception cref="MaisiException">An unknown body region; or nothing found and not <paramref name="exact"/>.</exception>
    public IReadOnlyList<MaskRecord> Find(MaskRequest request, bool exact)
    {
        var regions = request.Regions.Select(Region).ToArray();
        MaskRecord[] found = [.. Records.Where(r => request.Anatomy.All(r.LabelList.Contains)
            && (r.TopRegionIndex is null || r.BottomRegionIndex is null || regions.All(i => i >= First(r.TopRegionIndex) && i <= First(r.BottomRegionIndex)))
            && !_tumours.Any(t => r.LabelList.Contains(t) && !request.Anatomy.Contains(t))
            && (!exact || (r.Dim.SequenceEqual(request.Size) && r.Spacing.SequenceEqual(request.Spacing))))];
        return found.Length > 0 || exact ? found
            : throw new MaisiException("Cannot find body region with given anatomy list.",
                hint: $"no mask shows labels {string.Join(", ", request.Anatomy)} in {string.Join(", ", request.Regions.DefaultIfEmpty("any region"))} without other tumours; ask for less, or generate the mask");
    }

    /// <summary>
    /// The masks closest in field of view, size and spacing, best first: those that would have to grow by 128 voxels or more are left out.
    /// The caller resamples them in turn and takes those that still show all structures, up to <see cref="Attempts"/>.
    /// </summary>
    /// <exception cref="MaisiException">Fewer masks than <paramref name="count"/> show what is asked for, or none can be resampled.</exception>
    public IReadOnlyList<MaskRecord> FindClosest(MaskRequest request, int count)
    {
        var candidates = Find(request, exact: false);
        if (candidates.Count < count)
            throw new MaisiException($"candidate masks are less than {count}).", hint: $"only {candidates.Count} masks show what is asked for; ask for fewer images or add masks");
        MaskRecord[] close = [.. candidates.Where(c => Enumerable.Range(0, 3).All(a => c.Dim[a] > request.Size[a] - 128)).OrderBy(c => Distance(c, request))];
        return close.Length > 0 ? close
            : throw new MaisiException("Cannot find body region with given organ list.", hint: "every mask is too small for the wanted size; ask for a smaller one");
    }

    /// <summary>How many resampled masks upstream keeps for so many images.</summary>
    public static int Attempts(int count) => Math.Max(2 * count, 5);

    private static double Distance(MaskRecord c, MaskRequest request) => Enumerable.Range(0, 3).Sum(a =>
        Math.Abs(c.Dim[a] * c.Spacing[a] - request.Size[a] * request.Spacing[a]) / 10 + Math.Abs(c.Dim[a] - request.Size[a]) / 100.0 + Math.Abs(c.Spacing[a] - request.Spacing[a]));

    /// <summary>The place of a body region in <see cref="LabelOperations.BodyRegions"/>.</summary>
    /// <exception cref="MaisiException">No such region.</exception>
    internal static int Region(string name) => _regions.TryGetValue(name, out var index) ? index
        : throw new MaisiException($"Invalid region: {name.ToLowerInvariant()}", hint: $"use {string.Join(", ", _regions.Keys)}");

    private static int First(IReadOnlyList<int> oneHot) => oneHot.TakeWhile(v => v == 0).Count();

    private static int[] OneHot(int index) => [.. Enumerable.Range(0, 4).Select(i => i == index ? 1 : 0)];
}
