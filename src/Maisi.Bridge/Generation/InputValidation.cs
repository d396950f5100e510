using System.Globalization;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Generation;

/// <summary>An organ or tumour and its wanted size.</summary>
/// <param name="Name">One of <see cref="InputValidation.ControllableAnatomy"/>.</param>
/// <param name="Size">0 to 1 relative to real patients, or -1 for "not there".</param>
public readonly record struct AnatomySize(string Name, double Size);

/// <summary>
/// What MAISI can be asked for; every rule in the order in which upstream tests it, with the same messages (numbers are printed without
/// a trailing ".0"). Source: NV-Generate-CTMR scripts/sample_mask.py and sample.py.
/// </summary>
public static class InputValidation
{
    private static readonly int[] _ctXY = [256, 384, 512], _ctZ = [128, 256, 384, 512, 640, 768], _mrXY = [128, 256, 384, 512];

    private static readonly string[] _tumours = ["hepatic tumor", "bone lesion", "lung tumor", "colon cancer primaries", "pancreatic tumor"];

    private static readonly string[] _regions = ["head", "chest", "thorax", "abdomen", "pelvis", "lower"];

    /// <summary>Organs and tumours whose size can be chosen.</summary>
    public static IReadOnlyList<string> ControllableAnatomy { get; } = ["liver", "gallbladder", "stomach", "pancreas", "colon", .. _tumours];

    /// <summary>Checks a request for CT.</summary>
    /// <param name="size">Voxels along x, y and z.</param>
    /// <param name="spacing">Millimetres along x, y and z.</param>
    /// <param name="controllable">Wanted sizes; null when the pipeline has no masks, which ends the check after the geometry.</param>
    /// <param name="regions">Body regions, looked at when <paramref name="controllable"/> is empty.</param>
    /// <param name="anatomy">Structures, looked at when <paramref name="controllable"/> is empty.</param>
    /// <param name="vocabulary">The names that <paramref name="anatomy"/> may take.</param>
    /// <exception cref="MaisiException">The first rule that is broken.</exception>
    public static void CheckCt(IReadOnlyList<int> size, IReadOnlyList<double> spacing, IReadOnlyList<AnatomySize>? controllable, IReadOnlyList<string> regions,
        IReadOnlyList<string> anatomy, LabelVocabulary vocabulary)
    {
        Require(size[0] == size[1], $"The first two components of output_size need to be equal, yet got {List(size)}.");
        Require(_ctXY.Contains(size[0]) && _ctZ.Contains(size[2]),
            $"The output_size[0] have to be chosen from {List(_ctXY)}, and output_size[2] have to be chosen from {List(_ctZ)}, yet got {List(size)}.");
        Require(spacing[0] == spacing[1], $"The first two components of spacing need to be equal, yet got {List(spacing)}.");
        Require(spacing[0] is >= 0.5 and <= 3 && spacing[2] is >= 0.5 and <= 5,
            $"spacing[0] have to be between 0.5 and 3.0 mm, spacing[2] have to be between 0.5 and 5.0 mm, yet got {List(spacing)}.");
        double[] extent = [size[0] * spacing[0], size[1] * spacing[1], size[2] * spacing[2]];
        Require(extent[0] >= 256, $"`'spacing'({List(spacing)}mm) and 'output_size'({List(size)}) together decide the output field of view (FOV). The FOV will be {List(extent)}mm.",
            "x and y need 256 mm or more, and 384 mm for the trunk of an adult");
        if (controllable is null)
            return;
        CheckSizes(controllable);
        if (controllable.Count > 0)
            return;
        foreach (var region in regions)
            Require(_regions.Contains(region), $"The components in body_region have to be chosen from {Quoted(_regions)}, yet got {region}.");
        CheckAnatomy(anatomy, vocabulary);
    }

    /// <summary>Checks a request for MR; only geometry and the names of structures.</summary>
    /// <inheritdoc cref="CheckCt"/>
    public static void CheckMr(IReadOnlyList<int> size, IReadOnlyList<double> spacing, IReadOnlyList<string> anatomy, LabelVocabulary vocabulary)
    {
        Require(size.Distinct().Count() < 3, $"At least two components of output_size need to be equal, yet got {List(size)}.");
        Require(size[2] is 128 or 256, $"The output_size[2] have to be chosen from [128, 256], yet got {List(size)}.");
        if (size[2] == 128)
            Require(size[0] == size[1] && _mrXY.Contains(size[0]), $"The output_size[0] have to be chosen from {List(_mrXY)} when output_size[2]=128, yet got {List(size)}.");
        else
            Require((size[0], size[1]) is (128, 256) or (256, 128) or (256, 256), $"The output_size can only be [128,256,256] or [256,128,256], or [256,256,256] when output_size[2]=256, yet got {List(size)}.");
        Require(spacing.All(s => s is >= 0.4 and <= 5), $"spacing have to be between 0.4 and 5.0 mm, yet got {List(spacing)}.");
        CheckAnatomy(anatomy, vocabulary);
    }

    /// <summary>Checks the wanted sizes of organs and tumours.</summary>
    /// <exception cref="MaisiException">The first rule that is broken.</exception>
    public static void CheckSizes(IReadOnlyList<AnatomySize> sizes)
    {
        Require(sizes.Count <= 10, $"The length of list controllable_anatomy_size has to be less than 10. Yet got length equal to {sizes.Count}.");
        foreach (var (name, size) in sizes)
        {
            Require(ControllableAnatomy.Contains(name), $"The controllable_anatomy have to be chosen from {Quoted(ControllableAnatomy)}, yet got {name}.");
            Require(size is -1 or (>= 0 and <= 1), $"The controllable size scale have to be between 0 and 1,0, or equal to -1, yet got {Number(size)}.");
        }
        var names = sizes.Select(s => s.Name).ToArray();
        var tumours = names.Where(_tumours.Contains).ToArray();
        Require(names.Distinct().Count() == names.Length, $"Please do not repeat controllable_anatomy. Got {Quoted(tumours.Concat(names.Where(n => !_tumours.Contains(n))))}.");
        Require(tumours.Length <= 1, $"Only one controllable tumor is supported. Yet got {Quoted(tumours)}.");
    }

    private static void CheckAnatomy(IReadOnlyList<string> anatomy, LabelVocabulary vocabulary)
    {
        foreach (var name in anatomy)
            vocabulary.IdOf(name); // refuses a name that it lacks
    }

    private static void Require(bool holds, string message, string? hint = null)
    {
        if (!holds)
            throw new MaisiException(message, hint: hint);
    }

    private static string List<T>(IEnumerable<T> values) where T : IConvertible => $"[{string.Join(", ", values.Select(v => Number(v.ToDouble(CultureInfo.InvariantCulture))))}]";

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Quoted(IEnumerable<string> values) => $"[{string.Join(", ", values.Select(v => $"'{v}'"))}]";
}
