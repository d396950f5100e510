namespace Maisi.Bridge.Experiments;

/// <summary>
/// What every plan must keep, checked on the plan itself and right before training: no arm sees a case or a patient that it is validated
/// or tested on, in any form, and no arm has more steps, more chances to choose its weights, or other validation cases than the next.
/// </summary>
internal static class PlanContract
{
    /// <summary>Checks a plan.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="generatorSubjects">Patients that the generator was trained on.</param>
    /// <exception cref="ExperimentException">It leaks, or its arms are not comparable.</exception>
    public static void Check(ExperimentPlan plan, IReadOnlyCollection<string> generatorSubjects)
    {
        var cases = plan.Cases.ToDictionary(c => c.CaseId, StringComparer.Ordinal);
        var test = plan.Test.Select(id => cases[id]).ToList();
        if (test.Find(c => c.Synthetic) is { } synthetic)
            throw Leak(synthetic, "the test set", "it is synthetic");
        var testPatients = test.Select(c => c.PatientId).ToHashSet(StringComparer.Ordinal);
        var seen = generatorSubjects.ToHashSet(StringComparer.Ordinal);
        if (test.Find(c => seen.Contains(c.PatientId)) is { } known)
            throw Leak(known, "the test set", "the generator was trained on it");
        foreach (var arm in plan.Arms)
        {
            foreach (var fold in arm.Folds)
            {
                var place = $"fold {fold.Fold} of arm {ArmNames.Of(arm.Arm)}";
                var validation = fold.Validation.Select(id => cases[id]).ToList();
                var training = fold.TrainReal.Concat(fold.TrainSynthetic).Select(id => cases[id]).ToList();
                if (training.Count == 0 || validation.Count == 0)
                    throw new ExperimentException("There is nothing to train or to validate on.", place);
                if (validation.Find(c => c.Synthetic) is { } made)
                    throw Leak(made, $"the validation of {place}", "it is synthetic");
                if (validation.Find(c => seen.Contains(c.PatientId)) is { } contaminated)
                    throw Leak(contaminated, $"the validation of {place}", "the generator was trained on it");
                if (validation.Find(c => testPatients.Contains(c.PatientId)) is { } both)
                    throw Leak(both, $"the validation of {place}", "its patient is in the test set");
                var held = validation.Select(c => c.PatientId).ToHashSet(StringComparer.Ordinal);
                foreach (var item in training)
                {
                    IEnumerable<string> patients = item.Synthetic ? item.Parents : [item.PatientId];
                    if (patients.Any(testPatients.Contains))
                        throw Leak(item, $"the training of {place}", item.Synthetic ? "it was made from a test patient" : "its patient is in the test set");
                    if (patients.Any(held.Contains))
                        throw Leak(item, $"the training of {place}", item.Synthetic ? "it was made from a patient who is validated on there" : "its patient is validated on there");
                }
            }
        }
        Comparable(plan);
    }

    private static void Comparable(ExperimentPlan plan)
    {
        var reference = plan.Arms[0];
        foreach (var arm in plan.Arms)
        {
            if (arm.Folds.Count != reference.Folds.Count)
                throw new ExperimentException($"Arm {ArmNames.Of(arm.Arm)} has {arm.Folds.Count} folds, and arm {ArmNames.Of(reference.Arm)} has {reference.Folds.Count}.", "plan");
            foreach (var (own, other) in arm.Folds.Zip(reference.Folds))
            {
                var place = $"fold {own.Fold} of arm {ArmNames.Of(arm.Arm)}";
                if (!own.Validation.SequenceEqual(other.Validation, StringComparer.Ordinal))
                    throw new ExperimentException($"The validation cases differ from those of arm {ArmNames.Of(reference.Arm)}.", place);
                if ((own.Steps, own.Validations) != (other.Steps, other.Validations))
                    throw new ExperimentException($"The budget is {own.Steps} steps and {own.Validations} validations, but {other.Steps} and {other.Validations} in arm {ArmNames.Of(reference.Arm)}.", place);
                if (own.TrainReal.Count > 0 && other.TrainReal.Count > 0 && !own.TrainReal.SequenceEqual(other.TrainReal, StringComparer.Ordinal))
                    throw new ExperimentException($"The real training cases differ from those of arm {ArmNames.Of(reference.Arm)}.", place);
            }
        }
    }

    private static ExperimentException Leak(ExperimentCase item, string place, string why) => new($"A leak: the case '{item.CaseId}' is in {place}, but {why}.", item.Where);
}

/// <summary>The names of arms in configs, folders and tables.</summary>
public static class ArmNames
{
    /// <summary>The name in configs and folders.</summary>
    public static string Of(ArmKind arm) => arm switch
    {
        ArmKind.Real => "real",
        ArmKind.RealSynthetic => "real+synthetic",
        ArmKind.Synthetic => "synthetic",
        _ => "real_augmented",
    };

    /// <summary>The name in tables.</summary>
    public static string Title(ArmKind arm) => arm switch
    {
        ArmKind.Real => "Real",
        ArmKind.RealSynthetic => "Real + Synthetic",
        ArmKind.Synthetic => "Synthetic",
        _ => "Real, augmented",
    };
}
