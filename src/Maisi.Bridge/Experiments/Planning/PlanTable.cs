using System.Globalization;
using System.Text;

namespace Maisi.Bridge.Experiments;

/// <summary>A plan as text.</summary>
public static class PlanTable
{
    /// <summary>Who is trained and validated on what, a line per arm and fold, and what was checked.</summary>
    public static string Text(ExperimentPlan plan)
    {
        var cases = plan.Cases.ToDictionary(c => c.CaseId, StringComparer.Ordinal);
        var text = new StringBuilder("arm                fold  train real  train synthetic  validate  patients held out  steps  validations\n");
        foreach (var arm in plan.Arms)
        {
            foreach (var fold in arm.Folds)
            {
                var held = fold.Validation.Select(id => cases[id].PatientId).Distinct(StringComparer.Ordinal).Count();
                text.Append(CultureInfo.InvariantCulture,
                    $"{ArmNames.Title(arm.Arm),-18} {fold.Fold,4}  {fold.TrainReal.Count,10}  {fold.TrainSynthetic.Count,15}  {fold.Validation.Count,8}  {held,17}  {fold.Steps,5}  {fold.Validations,11}\n");
            }
        }
        var test = plan.Test.Select(id => cases[id].PatientId).Distinct(StringComparer.Ordinal).Count();
        text.Append(CultureInfo.InvariantCulture, $"test: {plan.Test.Count} real cases of {test} patients, seen by no arm\n");
        text.Append(plan.GeneratorSource is { } source
            ? $"generator: {plan.GeneratorSubjects} training subjects by {source}, none of them validated or tested on\n"
            : plan.Cases.Any(c => c.Synthetic) ? "generator: nobody knows whom it was trained on, and the config allows that\n" : "");
        var dropped = plan.Arms.SelectMany(a => a.Folds).Select(f => f.TrainSynthetic.Count).Where(n => n > 0).Distinct().ToList();
        if (dropped.Count > 0)
            text.Append("synthetic cases of a fold come from none of the patients that it holds out\n");
        return text.Append(CultureInfo.InvariantCulture, $"plan {plan.Fingerprint[..12]}\n").ToString();
    }
}
