using System.CommandLine;
using System.Globalization;
using Maisi.Bridge.Evaluation;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Cli.Commands;

/// <summary>Options of commands that score label maps.</summary>
internal sealed class ScoreOptions
{
    private readonly Option<int[]> _labels = new("--labels") { Description = "Classes; all that occur otherwise.", AllowMultipleArgumentsPerToken = true };
    private readonly Option<string> _vocabulary = VocabularyOption();
    private readonly Option<double> _tolerance = new("--tolerance") { Description = "Distance in mm up to which surfaces agree.", DefaultValueFactory = _ => 1 };
    private readonly Option<double> _percentile = new("--percentile") { Description = "Of the Hausdorff distance; 0 for the largest.", DefaultValueFactory = _ => 95 };
    private readonly Option<int[]> _lesions = new("--lesions") { Description = "Classes whose connected pieces are lesions to be counted.", AllowMultipleArgumentsPerToken = true };
    private readonly Option<double> _overlap = new("--lesion-overlap") { Description = "Share of a lesion that must be covered; 0 asks for one voxel." };
    private readonly Option<bool> _countEmpty = new("--count-empty") { Description = "An empty truth gives Dice 1 if the prediction is empty too, else 0; otherwise it is left out, as in MONAI." };
    private readonly Option<bool> _noSurfaces = new("--no-surfaces") { Description = "Leave out surface distances, which take most of the time." };

    public static Option<string> VocabularyOption() => new("--vocabulary")
    {
        Description = $"What the labels mean: {string.Join(", ", LabelVocabulary.BuiltIn)}, or a JSON file.",
        DefaultValueFactory = _ => "maisi",
    };

    public static Func<int, string> NamingOf(string vocabulary)
    {
        var names = LabelVocabulary.Load(vocabulary);
        return label => names.Find(label)?.Name ?? $"label {label.ToString(CultureInfo.InvariantCulture)}";
    }

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _labels, _vocabulary, _tolerance, _percentile, _lesions, _overlap, _countEmpty, _noSurfaces })
            command.Options.Add(option);
    }

    public Func<int, string> Naming(ParseResult parse) => NamingOf(parse.GetValue(_vocabulary)!);

    public IReadOnlyList<int>? Labels(ParseResult parse) => parse.GetValue(_labels) is { Length: > 0 } labels ? labels : null;

    public SegmentationOptions Read(ParseResult parse) => new()
    {
        HausdorffPercentile = parse.GetValue(_percentile),
        SurfaceTolerance = parse.GetValue(_tolerance),
        LesionLabels = parse.GetValue(_lesions) ?? [],
        LesionOverlap = parse.GetValue(_overlap),
        IgnoreEmpty = !parse.GetValue(_countEmpty),
        Surfaces = !parse.GetValue(_noSurfaces),
    };
}
