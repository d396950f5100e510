namespace Maisi.Bridge.Experiments;

/// <summary>One class of one arm against the reference arm.</summary>
public sealed record ClassComparison
{
    /// <summary>The arm's name.</summary>
    public required string Arm { get; init; }

    /// <summary>The class; "mean" is the mean over classes, case by case.</summary>
    public required string Class { get; init; }

    /// <summary>Test cases that both arms have a Dice for.</summary>
    public required int Cases { get; init; }

    /// <summary>Their patients.</summary>
    public required int Patients { get; init; }

    /// <summary>Mean Dice of the reference arm.</summary>
    public required double Reference { get; init; }

    /// <summary>Mean Dice of the arm.</summary>
    public required double Value { get; init; }

    /// <summary>Mean of the paired differences, arm minus reference.</summary>
    public required double Difference { get; init; }

    /// <summary>Median of the paired differences.</summary>
    public required double Median { get; init; }

    /// <summary>Lower end of the 95% patient bootstrap interval of the mean difference.</summary>
    public required double Low { get; init; }

    /// <summary>Upper end.</summary>
    public required double High { get; init; }

    /// <summary>Wilcoxon's signed-rank test (Pratt), patients' mean differences.</summary>
    public required double PValue { get; init; }

    /// <summary>The same after Holm's correction over all classes and arms; for the mean over classes, over the arms.</summary>
    public double PHolm { get; set; } = double.NaN;

    /// <summary>Cases that got better, worse, and stayed the same.</summary>
    public required int[] BetterWorseEqual { get; init; }

    /// <summary>Mean difference with each seed.</summary>
    public required IReadOnlyList<double> Seeds { get; init; }

    /// <summary>Mean validation difference of each fold.</summary>
    public IReadOnlyList<double> FoldDifferences { get; set; } = [];

    /// <summary>The test of them.</summary>
    public FoldTest? Folds { get; set; }

    /// <summary>What may be said.</summary>
    public string Conclusion { get; set; } = "";
}

/// <summary>A score of a case: what the statistics are made of.</summary>
/// <param name="CaseId">The case.</param>
/// <param name="PatientId">Its patient.</param>
/// <param name="Dice">Dice by class; NaN or missing where the truth has no voxel of it.</param>
public sealed record CaseDice(string CaseId, string PatientId, IReadOnlyDictionary<string, double> Dice);

/// <summary>What is compared: scores by seed on the test set and, fold by fold, in validation.</summary>
/// <param name="Name">The arm's name.</param>
/// <param name="Test">Per seed, the test cases.</param>
/// <param name="Validation">Per seed and fold, the validation cases.</param>
public sealed record ArmScores(string Name, IReadOnlyList<IReadOnlyList<CaseDice>> Test, IReadOnlyList<IReadOnlyList<IReadOnlyList<CaseDice>>> Validation);

/// <summary>Compares arms on the same cases.</summary>
public static class ArmComparison
{
    /// <summary>The name of the row over all classes.</summary>
    public const string MeanRow = "mean";

    private const double NothingLearned = 0.05;
    private const ulong BootstrapSeed = 20250101;

    /// <summary>Every other arm against the first one.</summary>
    /// <param name="arms">The arms; the first is the reference.</param>
    /// <param name="classes">Class names.</param>
    /// <param name="testToTrain">Validation cases per training case of a fold.</param>
    /// <param name="options">Minimal effect, level, resamples.</param>
    /// <exception cref="MaisiException">The arms were scored on different cases.</exception>
    public static IReadOnlyList<ClassComparison> Compare(IReadOnlyList<ArmScores> arms, IReadOnlyList<string> classes, double testToTrain, StatisticsSection options)
    {
        var rows = new List<ClassComparison>();
        foreach (var arm in arms.Skip(1))
            foreach (var name in classes.Append(MeanRow))
                if (Row(arms[0], arm, name, testToTrain, options) is { } row)
                    rows.Add(row);
        // The means over classes are a question of their own: one per arm.
        foreach (var family in rows.GroupBy(r => r.Class == MeanRow).Select(g => g.ToList()))
            foreach (var (row, p) in family.Zip(Holm.Adjust([.. family.Select(r => r.PValue)])))
                row.PHolm = p;
        foreach (var row in rows)
            row.Conclusion = Conclude(row, options);
        return rows;
    }

    /// <summary>Mean Dice of an arm on the test cases, seeds averaged; NaN when no case has the class.</summary>
    internal static double MeanOf(ArmScores arm, string name) =>
        OverSeeds(arm.Test, name).Values.Select(v => v.Dice).Where(double.IsFinite).DefaultIfEmpty(double.NaN).Average();

    /// <summary>What may be said about a row.</summary>
    internal static string Conclude(ClassComparison row, StatisticsSection options)
    {
        if (row.Patients < options.LeastPatients)
            return $"no conclusion: {row.Patients} test patients are fewer than {options.LeastPatients}";
        if (SignedRank.LeastPValue(row.Patients) > options.Alpha)
            return $"no conclusion: {row.Patients} test patients can never reach p < {options.Alpha}";
        // Two arms that both fail agree very well.
        if (Math.Max(row.Reference, row.Value) < NothingLearned)
            return $"no conclusion: neither arm learned it (mean Dice below {NothingLearned})";
        var significant = row.PHolm < options.Alpha && (row.Low > 0 || row.High < 0);
        if (significant && Math.Abs(row.Difference) >= options.MinimalEffect)
            return row.Difference > 0 ? "better" : "worse";
        if (row.Low > -options.MinimalEffect && row.High < options.MinimalEffect)
            return $"no difference that matters (below {options.MinimalEffect})";
        return significant ? $"a difference, but smaller than {options.MinimalEffect}" : "no conclusion: the data fit both a difference that matters and none";
    }

    private static ClassComparison? Row(ArmScores reference, ArmScores arm, string name, double testToTrain, StatisticsSection options)
    {
        var pairs = Pairs(reference.Test, arm.Test, name);
        if (pairs.Count == 0)
            return null;
        double[] differences = [.. pairs.Select(p => p.Value - p.Reference)];
        string[] patients = [.. pairs.Select(p => p.Patient)];
        // The test is on patients, who are independent; images of one patient are not.
        double[] byPatient = [.. differences.Zip(patients).GroupBy(p => p.Second, StringComparer.Ordinal).Select(g => g.Average(p => p.First))];
        var (low, high) = PatientBootstrap.Interval(differences, patients, options.Resamples, BootstrapSeed);
        var folds = FoldDifferences(reference, arm, name);
        return new ClassComparison
        {
            Arm = arm.Name,
            Class = name,
            Cases = pairs.Count,
            Patients = byPatient.Length,
            Reference = pairs.Average(p => p.Reference),
            Value = pairs.Average(p => p.Value),
            Difference = differences.Average(),
            Median = Quantiles.Median(differences),
            Low = low,
            High = high,
            PValue = SignedRank.PValue(byPatient),
            BetterWorseEqual = [differences.Count(d => d > 0), differences.Count(d => d < 0), differences.Count(d => d == 0)],
            Seeds = [.. reference.Test.Zip(arm.Test).Select(seed => Mean(Pairs([seed.First], [seed.Second], name)))],
            FoldDifferences = folds,
            Folds = folds.Count == 0 ? null : CorrectedResampledTest.Run(folds, testToTrain),
        };
    }

    private static double Mean(List<(string Patient, double Reference, double Value)> pairs) => pairs.Count == 0 ? double.NaN : pairs.Average(p => p.Value - p.Reference);

    // Seeds are averaged first: they repeat the same folds and say nothing about other patients.
    private static IReadOnlyList<double> FoldDifferences(ArmScores reference, ArmScores arm, string name)
    {
        var folds = reference.Validation.Count == 0 ? 0 : reference.Validation.Min(s => s.Count);
        return [.. Enumerable.Range(0, folds).Select(fold => Mean(Pairs([.. reference.Validation.Select(s => s[fold])], [.. arm.Validation.Select(s => s[fold])], name)))
            .Where(double.IsFinite)];
    }

    private static List<(string Patient, double Reference, double Value)> Pairs(
        IReadOnlyList<IReadOnlyList<CaseDice>> reference, IReadOnlyList<IReadOnlyList<CaseDice>> arm, string name)
    {
        var (first, second) = (OverSeeds(reference, name), OverSeeds(arm, name));
        if (!first.Keys.ToHashSet(StringComparer.Ordinal).SetEquals(second.Keys))
            throw new MaisiException("The arms were scored on different cases.", "results", "Compare runs with the same test set.");
        return [.. first.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => (p.Value.Patient, p.Value.Dice, second[p.Key].Dice))
            .Where(p => double.IsFinite(p.Item2) && double.IsFinite(p.Item3))];
    }

    private static Dictionary<string, (string Patient, double Dice)> OverSeeds(IReadOnlyList<IReadOnlyList<CaseDice>> seeds, string name) =>
        seeds.SelectMany(s => s).GroupBy(c => c.CaseId, StringComparer.Ordinal).ToDictionary(
            g => g.Key, g => (g.First().PatientId, g.Average(c => Score(c, name))), StringComparer.Ordinal);

    private static double Score(CaseDice item, string name) => name == MeanRow
        ? item.Dice.Values.Where(double.IsFinite).DefaultIfEmpty(double.NaN).Average()
        : item.Dice.GetValueOrDefault(name, double.NaN);
}
