using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Maisi.Bridge.Experiments;

/// <summary>Who is trained and validated on what.</summary>
public sealed record ExperimentPlan
{
    /// <summary>Stands for the config, the cases and their files: a run in a folder goes on only with the same plan.</summary>
    public string Fingerprint { get; set; } = "";

    /// <summary>All cases that are used.</summary>
    public required IReadOnlyList<ExperimentCase> Cases { get; init; }

    /// <summary>The arms in the order of the config, each with its folds.</summary>
    public required IReadOnlyList<ArmPlan> Arms { get; init; }

    /// <summary>Case ids of the held-out real test set.</summary>
    public required IReadOnlyList<string> Test { get; init; }

    /// <summary>Who names the generator's training subjects; null when nobody does.</summary>
    public string? GeneratorSource { get; set; }

    /// <summary>How many training subjects the generator had.</summary>
    public int GeneratorSubjects { get; set; }

    /// <summary>The plan as indented JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ExperimentJson.Default.ExperimentPlan);

    /// <summary>Hashes everything that a result depends on.</summary>
    internal ExperimentPlan WithFingerprint(ExperimentConfig config, FileHashes hashes)
    {
        var text = new StringBuilder(config.Identity());
        foreach (var item in Cases)
            text.Append('\n').AppendJoin('|', item.CaseId, item.PatientId, item.Fold, item.Test, item.TrainOnly, hashes.Of(item.Image), hashes.Of(item.Label));
        foreach (var fold in Arms.SelectMany(a => a.Folds))
            text.Append('\n').AppendJoin(',', fold.TrainReal).Append('|').AppendJoin(',', fold.TrainSynthetic).Append('|').AppendJoin(',', fold.Validation);
        return this with { Fingerprint = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString()))) };
    }
}

/// <summary>An arm.</summary>
/// <param name="Arm">Which.</param>
/// <param name="Folds">Its folds.</param>
public sealed record ArmPlan(ArmKind Arm, IReadOnlyList<FoldPlan> Folds);

/// <summary>One training, without its seed.</summary>
public sealed record FoldPlan
{
    /// <summary>Number of the fold, from 0.</summary>
    public required int Fold { get; init; }

    /// <summary>Ids of real cases that are trained on.</summary>
    public required IReadOnlyList<string> TrainReal { get; init; }

    /// <summary>Ids of synthetic cases that are trained on.</summary>
    public required IReadOnlyList<string> TrainSynthetic { get; init; }

    /// <summary>Ids of real cases that choose the weights.</summary>
    public required IReadOnlyList<string> Validation { get; init; }

    /// <summary>Optimizer steps.</summary>
    public required int Steps { get; init; }

    /// <summary>Validations.</summary>
    public required int Validations { get; init; }
}
