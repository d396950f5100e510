using System.Text.Json;

namespace Maisi.Bridge.Experiments;

/// <summary>An arm of one experiment against an arm of another, or of the same.</summary>
public sealed record ResultComparison
{
    /// <summary>The first, which is the reference.</summary>
    public required string First { get; init; }

    /// <summary>The second.</summary>
    public required string Second { get; init; }

    /// <summary>By class, and over the classes.</summary>
    public required IReadOnlyList<ClassComparison> Rows { get; init; }

    /// <summary>Compares two arms on their test cases; folds are compared where both have the same.</summary>
    /// <param name="first">Results.</param>
    /// <param name="firstArm">The arm's name; null for the last.</param>
    /// <param name="second">Results on the same test set.</param>
    /// <param name="secondArm">The arm's name; null for the last.</param>
    /// <exception cref="MaisiException">There is no such arm, or the test sets or classes differ.</exception>
    public static ResultComparison Run(ExperimentResults first, string? firstArm, ExperimentResults second, string? secondArm)
    {
        string[] classes = [.. first.Config.Classes.Select(c => c.Name)];
        if (!classes.SequenceEqual(second.Config.Classes.Select(c => c.Name), StringComparer.Ordinal))
            throw new MaisiException("The experiments segment different classes.", "classes");
        var (a, b) = (first.Scores(Arm(first, firstArm)), second.Scores(Arm(second, secondArm)));
        if (!Folds(a).SequenceEqual(Folds(b), StringComparer.Ordinal))
            (a, b) = (a with { Validation = [] }, b with { Validation = [] });
        var (nameA, nameB) = ($"{first.Config.Name}, {a.Name}", $"{second.Config.Name}, {b.Name}");
        var ratio = first.Units.Average(u => u.Validation.Count / (double)Math.Max(1, u.TrainingCases.Sum()));
        return new ResultComparison { First = nameA, Second = nameB, Rows = ArmComparison.Compare([a, b with { Name = nameB }], classes, ratio, first.Config.Statistics) };
    }

    /// <summary>The comparison as aligned text.</summary>
    public string Table() => $"first:  {First}\nsecond: {Second}\n{ReportTables.Plain(ReportTables.Pair(Rows))}";

    /// <summary>The comparison as indented JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ExperimentJson.Default.ResultComparison);

    private static IEnumerable<string> Folds(ArmScores arm) => arm.Validation.SelectMany(seed => seed.Select(fold => string.Join('|', fold.Select(c => c.CaseId).Order(StringComparer.Ordinal))));

    private static ArmKind Arm(ExperimentResults results, string? name) => name is null ? results.Config.Arms[^1]
        : results.Config.Arms.Where(a => ArmNames.Of(a) == name).Select(a => (ArmKind?)a).FirstOrDefault()
            ?? throw new MaisiException($"There is no arm '{name}'.", results.Config.Name, $"Its arms: {string.Join(", ", results.Config.Arms.Select(ArmNames.Of))}.");
}
