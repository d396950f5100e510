using System.Security.Cryptography;
using System.Text;

namespace Maisi.Bridge.Experiments;

/// <summary>Reads the cases of a config, refuses what would spoil the experiment, and decides who is trained and validated on what.</summary>
public static class ExperimentPlanner
{
    /// <summary>Plans an experiment whose synthetic cases exist.</summary>
    /// <param name="config">The config.</param>
    /// <param name="generated">The datalist of synthetic cases that were made on the spot; null takes the config's own.</param>
    /// <exception cref="MaisiException">A list is wrong, or the plan would leak.</exception>
    public static ExperimentPlan Plan(ExperimentConfig config, string? generated = null, CancellationToken cancellation = default)
    {
        var hashes = new FileHashes();
        var cases = Cases(config, generated);
        hashes.Read(cases, cancellation);
        cases = WithParentsByContent(cases, hashes);
        CaseContract.CheckIdentity(cases, hashes);
        cases = WithFolds(cases, config);
        CaseContract.CheckFolds(cases, config.Folds);
        CaseContract.CheckGrids(cases, cancellation);
        var subjects = GeneratorSubjects.Find(config);
        if (subjects.Source is { } source)
            CaseContract.CheckGenerator(cases, subjects.Patients, source);
        var folds = Enumerable.Range(0, config.Folds).Select(fold => Fold(cases, fold, config)).ToList();
        var arms = config.Arms.Select(arm => new ArmPlan(arm, [.. folds.Select(fold => fold with
        {
            TrainReal = arm == ArmKind.Synthetic ? [] : fold.TrainReal,
            TrainSynthetic = arm is ArmKind.RealSynthetic or ArmKind.Synthetic ? fold.TrainSynthetic : [],
        })])).ToList();
        var used = arms.SelectMany(a => a.Folds).SelectMany(f => f.TrainReal.Concat(f.TrainSynthetic).Concat(f.Validation)).ToHashSet(StringComparer.Ordinal);
        var plan = new ExperimentPlan
        {
            Cases = [.. cases.Where(c => c.Test || used.Contains(c.CaseId))],
            Arms = arms,
            Test = [.. cases.Where(c => c.Test).Select(c => c.CaseId)],
            GeneratorSource = subjects.Source,
            GeneratorSubjects = subjects.Patients.Count,
        };
        PlanContract.Check(plan, subjects.Patients);
        return plan.WithFingerprint(config, hashes);
    }

    /// <summary>Real cases with their folds, for who wants to make synthetic ones of those that may be parents.</summary>
    internal static List<ExperimentCase> RealCases(ExperimentConfig config, CancellationToken cancellation)
    {
        var hashes = new FileHashes();
        var cases = DatasetLayouts.Read(config).Where(c => !c.Synthetic).ToList();
        hashes.Read(cases, cancellation);
        CaseContract.CheckIdentity(cases, hashes);
        cases = WithFolds(cases, config);
        CaseContract.CheckFolds(cases, config.Folds);
        return cases;
    }

    /// <summary>A number that orders things by chance, but always in the same way.</summary>
    internal static string Lot(string name) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(name)));

    private static List<ExperimentCase> Cases(ExperimentConfig config, string? generated)
    {
        var cases = DatasetLayouts.Read(config);
        if (!config.Arms.Any(a => a is ArmKind.RealSynthetic or ArmKind.Synthetic))
            return [.. cases.Where(c => !c.Synthetic)];
        if ((generated ?? (config.Synthetic!.Datalist is { } own ? config.PathOf(own) : null)) is not { } list)
            return cases;
        var synthetic = new CaseLists(list, Path.GetDirectoryName(Path.GetFullPath(list))!, PatientNames.Pattern(config.Data.PatientPattern)).Read();
        if (synthetic.FirstOrDefault(c => !c.Synthetic) is { } real)
            throw new ExperimentException($"The list of synthetic cases has the real case '{real.CaseId}'.", real.Where, "Set \"source\": \"synthetic\", or list it with the real cases.");
        cases.AddRange(synthetic);
        return cases;
    }

    // A generated case names the bytes of the label map that it was made from, which tells the patient whatever the file was called.
    private static List<ExperimentCase> WithParentsByContent(List<ExperimentCase> cases, FileHashes hashes)
    {
        var patients = cases.Where(c => !c.Synthetic).ToLookup(c => hashes.Of(c.Label), c => c.PatientId, StringComparer.Ordinal);
        return [.. cases.Select(c => c.ParentSha256 is { } hash ? c with { Parents = [.. c.Parents.Union(patients[hash], StringComparer.Ordinal)] } : c)];
    }

    private static List<ExperimentCase> WithFolds(List<ExperimentCase> cases, ExperimentConfig config)
    {
        var open = cases.Where(c => c is { Test: false, Synthetic: false, TrainOnly: false }).ToList();
        var assign = config.Data.AssignFolds || config.Data.Layout != DataLayout.Datalist;
        if (!assign || open.Any(c => c.Fold is not null))
            return cases;
        var folds = open.Select(c => c.PatientId).Distinct(StringComparer.Ordinal).OrderBy(p => Lot($"fold|{p}"), StringComparer.Ordinal)
            .Select((patient, i) => (patient, Fold: i % config.Folds)).ToDictionary(p => p.patient, p => p.Fold, StringComparer.Ordinal);
        return [.. cases.Select(c => c is { Test: false, Synthetic: false, TrainOnly: false } ? c with { Fold = folds[c.PatientId] } : c)];
    }

    private static FoldPlan Fold(IReadOnlyList<ExperimentCase> cases, int fold, ExperimentConfig config)
    {
        var held = cases.Where(c => c.Fold == fold).Select(c => c.PatientId).ToHashSet(StringComparer.Ordinal);
        var real = cases.Where(c => c is { Synthetic: false, Test: false } && c.Fold != fold).Select(c => c.CaseId).ToList();
        // A synthetic case whose parent is validated on in this fold would show the network what it is going to be asked.
        var allowed = cases.Where(c => c.Synthetic && !c.Parents.Any(held.Contains)).OrderBy(c => Lot($"synthetic|{c.CaseId}"), StringComparer.Ordinal).Select(c => c.CaseId).ToList();
        var wanted = cases.Any(c => c.Synthetic) ? Math.Max(1, (int)Math.Round((config.Synthetic?.Ratio ?? 0) * real.Count, MidpointRounding.AwayFromZero)) : 0;
        if (wanted > allowed.Count)
        {
            throw new ExperimentException($"Fold {fold} wants {wanted} synthetic cases, but {allowed.Count} may be used in it: those of held-out patients may not.", "synthetic",
                $"Make more cases, or set synthetic.ratio to {Math.Floor(100.0 * allowed.Count / real.Count) / 100} or less.");
        }
        return new FoldPlan
        {
            Fold = fold,
            TrainReal = real,
            TrainSynthetic = allowed[..wanted],
            Validation = [.. cases.Where(c => c.Fold == fold).Select(c => c.CaseId)],
            Steps = config.Budget.Steps,
            Validations = config.Budget.Validations,
        };
    }
}
