using System.Text.Json;
using System.Text.Json.Serialization;

namespace Maisi.Bridge.Experiments;

/// <summary>How well a case was segmented, on the grid of its label map.</summary>
public sealed record CaseScore
{
    /// <summary>The case.</summary>
    public required string CaseId { get; init; }

    /// <summary>Its patient.</summary>
    public required string PatientId { get; init; }

    /// <summary>Dice by class; missing where the truth has no voxel of it.</summary>
    public required IReadOnlyDictionary<string, double> Dice { get; init; }

    /// <summary>95th percentile of the surface distances in mm by class; missing where the truth or the prediction has no voxel of it.</summary>
    public required IReadOnlyDictionary<string, double> Hausdorff95 { get; init; }

    /// <summary>Voxels of the prediction and of the truth by class: where the truth has none, the prediction's are all false.</summary>
    public required IReadOnlyDictionary<string, long[]> Voxels { get; init; }

    /// <summary>The written prediction, relative to the experiment's folder.</summary>
    public string? Prediction { get; set; }
}

/// <summary>What one training came to, by whichever trainer.</summary>
public sealed record UnitResult
{
    /// <summary>The arm.</summary>
    public required ArmKind Arm { get; init; }

    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>The fold.</summary>
    public required int Fold { get; init; }

    /// <summary>Optimizer steps.</summary>
    public required int Steps { get; init; }

    /// <summary>Real and synthetic training cases.</summary>
    public required int[] TrainingCases { get; init; }

    /// <summary>Wall-clock seconds of the training.</summary>
    public required double Seconds { get; init; }

    /// <summary>Processor seconds of the training, where they are known.</summary>
    public double? ProcessorSeconds { get; set; }

    /// <summary>The validation cases with the weights that were kept. These scores are optimistic: the weights were chosen by them.</summary>
    public required IReadOnlyList<CaseScore> Validation { get; init; }

    /// <summary>Files that the prediction of test cases needs, relative to the experiment's folder.</summary>
    public IReadOnlyList<string> Models { get; set; } = [];

    /// <summary>Loss and validation by step.</summary>
    public IReadOnlyList<CurvePoint> Curve { get; set; } = [];

    /// <summary>Versions of what trained.</summary>
    public IReadOnlyDictionary<string, string> Versions { get; set; } = new Dictionary<string, string>();
}

/// <summary>A point of a learning curve.</summary>
/// <param name="Name">"loss", or "dice" of the validation.</param>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="Value">The number.</param>
public sealed record CurvePoint(string Name, int Step, double Value);

/// <summary>The ensemble of an arm's folds on the test set.</summary>
public sealed record TestResult
{
    /// <summary>The arm.</summary>
    public required ArmKind Arm { get; init; }

    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>The test cases.</summary>
    public required IReadOnlyList<CaseScore> Cases { get; init; }

    /// <summary>Wall-clock seconds.</summary>
    public double Seconds { get; set; }
}

/// <summary>A finished experiment: what the report shows and `compare` reads.</summary>
public sealed record ExperimentResults
{
    /// <summary>Version of this format.</summary>
    public string Schema { get; set; } = "maisi.experiment.results/1";

    /// <summary>The config.</summary>
    public required ExperimentConfig Config { get; init; }

    /// <summary>The plan's fingerprint.</summary>
    public required string Plan { get; init; }

    /// <summary>Every training.</summary>
    public required IReadOnlyList<UnitResult> Units { get; init; }

    /// <summary>Every ensemble.</summary>
    public required IReadOnlyList<TestResult> Tests { get; init; }

    /// <summary>The arms against the first one.</summary>
    public required IReadOnlyList<ClassComparison> Comparisons { get; init; }

    /// <summary>Program and libraries.</summary>
    public required IReadOnlyDictionary<string, string> Versions { get; init; }

    /// <summary>What the reader must know: small numbers, unknown generators.</summary>
    public IReadOnlyList<string> Notes { get; set; } = [];

    /// <summary>The results as indented JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ExperimentJson.Default.ExperimentResults);

    /// <summary>The arms against the first one as aligned text.</summary>
    public string Table() => ReportTables.Plain(ReportTables.Comparison(this));

    /// <summary>Reads results.</summary>
    /// <param name="path">A results.json, or the folder of an experiment.</param>
    /// <exception cref="MaisiException">There are none.</exception>
    public static ExperimentResults Read(string path)
    {
        var file = Directory.Exists(path) ? Path.Combine(path, ExperimentFolder.ResultsName) : path;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), ExperimentJson.Default.ExperimentResults) ?? throw new JsonException("the file holds null");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new MaisiException($"There are no results: {e.Message}", file, "Finish the experiment first: 'maisi experiment run'.", e);
        }
    }

    /// <summary>The scores of an arm for the statistics.</summary>
    internal ArmScores Scores(ArmKind arm) => new(
        ArmNames.Of(arm),
        [.. Config.Seeds.Select(seed => Dice(Tests.Single(t => t.Arm == arm && t.Seed == seed).Cases))],
        [.. Config.Seeds.Select(seed => (IReadOnlyList<IReadOnlyList<CaseDice>>)[.. Units.Where(u => u.Arm == arm && u.Seed == seed).OrderBy(u => u.Fold).Select(u => Dice(u.Validation))])]);

    private static IReadOnlyList<CaseDice> Dice(IReadOnlyList<CaseScore> cases) => [.. cases.Select(c => new CaseDice(c.CaseId, c.PatientId, c.Dice))];
}

/// <summary>How far an experiment is.</summary>
public sealed record ExperimentStatus
{
    /// <summary>Every training and ensemble, in the order in which they run.</summary>
    public required IReadOnlyList<UnitStatus> Units { get; init; }

    /// <summary>Whether the results are there.</summary>
    public required bool Finished { get; init; }

    /// <summary>The error that the last run ended with.</summary>
    public string? LastError { get; set; }

    /// <summary>The status as indented JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ExperimentJson.Default.ExperimentStatus);
}

/// <summary>Where a training is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<UnitState>))]
public enum UnitState
{
    /// <summary>Not begun.</summary>
    [JsonStringEnumMemberName("waiting")]
    Waiting,

    /// <summary>Begun and stopped, or running now.</summary>
    [JsonStringEnumMemberName("begun")]
    Begun,

    /// <summary>Done.</summary>
    [JsonStringEnumMemberName("done")]
    Done,
}

/// <summary>The status of a training, or of a test ensemble.</summary>
/// <param name="Name">Folder of it, for instance "real/seed_0/fold_2".</param>
/// <param name="State">Where it is.</param>
/// <param name="Dice">Mean Dice over cases and classes, when it is done.</param>
public sealed record UnitStatus(string Name, UnitState State, double? Dice);
