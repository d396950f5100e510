using System.Text.Json;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using NJsonSchema;
using NJsonSchema.Validation;

namespace Maisi.Bridge.Experiments;

/// <summary>A five-fold experiment as one JSON: data, arms, trainer, budget, and what counts as an effect.</summary>
public sealed record ExperimentConfig
{
    /// <summary>A short name.</summary>
    public required string Name { get; init; }

    /// <summary>What is asked, in a sentence.</summary>
    public string Description { get; set; } = "";

    /// <summary>Real cases: their folds and the held-out test set.</summary>
    public required DataSection Data { get; init; }

    /// <summary>What is segmented; the order gives class numbers from 1.</summary>
    public required ExperimentClass[] Classes { get; init; }

    /// <summary>Parts of the cross-validation.</summary>
    public int Folds { get; set; } = 5;

    /// <summary>Where synthetic cases come from; not needed when no arm uses them.</summary>
    public SyntheticSection? Synthetic { get; set; }

    /// <summary>What is compared; the first arm is the reference.</summary>
    public ArmKind[] Arms { get; set; } = [ArmKind.Real, ArmKind.RealSynthetic];

    /// <summary>Who trains: "segresnet" (in this program) or "auto3dseg" (MONAI in Python).</summary>
    public TrainerKind Trainer { get; set; }

    /// <summary>Optimizer steps, batch and validations of every training, the same in all arms.</summary>
    public required BudgetSection Budget { get; init; }

    /// <summary>Network and optimizer of the trainer "segresnet".</summary>
    public SegResNetOptions Segresnet { get; set; } = new();

    /// <summary>Templates and settings of the trainer "auto3dseg".</summary>
    public Auto3DSegSection? Auto3dseg { get; set; }

    /// <summary>Seeds; the whole experiment runs once with each.</summary>
    public ulong[] Seeds { get; set; } = [0];

    /// <summary>Devices that trainings are queued on, one training at a time on each: "cpu", "cuda:0", ...</summary>
    public string[] Devices { get; set; } = ["cpu"];

    /// <summary>What the comparison needs to draw a conclusion.</summary>
    public StatisticsSection Statistics { get; set; } = new();

    /// <summary>The folder that relative paths of the config start from.</summary>
    [JsonIgnore]
    public string Folder { get; set; } = ".";

    /// <summary>Reads a config; everything that does not fit the schema is named with its line.</summary>
    /// <exception cref="MaisiException">The file is missing, is no JSON or does not fit.</exception>
    public static ExperimentConfig Read(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MaisiException($"The experiment config cannot be read: {e.Message}", path, inner: e);
        }
        var config = Parse(text, path);
        config.Folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return config;
    }

    /// <summary>Parses a config.</summary>
    /// <param name="json">The text.</param>
    /// <param name="name">Where it comes from, for errors.</param>
    /// <exception cref="MaisiException">No JSON, or it does not fit.</exception>
    public static ExperimentConfig Parse(string json, string name)
    {
        const string hint = "Compare it with configs/experiment_headneck.json; 'maisi experiment schema' prints what is allowed.";
        try
        {
            var schema = JsonSchema.FromJsonAsync(Schema()).GetAwaiter().GetResult();
            if (schema.Validate(json).SelectMany(Flatten).FirstOrDefault() is { } error)
            {
                var place = error.HasLineInfo ? $"{name}:{error.LineNumber}:{error.LinePosition}" : name;
                throw new MaisiException($"The experiment config does not fit: {error.Path?.TrimStart('#', '/')} ({error.Kind}).", place, hint);
            }
            var config = JsonSerializer.Deserialize(json, ExperimentJson.Default.ExperimentConfig)!;
            config.Check(name);
            return config;
        }
        catch (Exception e) when (e is JsonException or Newtonsoft.Json.JsonException)
        {
            throw new MaisiException($"The experiment config does not fit: {e.Message}", name, hint, e);
        }
    }

    /// <summary>The JSON schema of this config.</summary>
    public static string Schema()
    {
        var node = ExperimentJson.Default.ExperimentConfig.GetJsonSchemaAsNode(new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true });
        return node.ToJsonString(new JsonSerializerOptions { WriteIndented = true });
    }

    /// <summary>The config as indented JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ExperimentJson.Default.ExperimentConfig);

    /// <summary>What of the config a result depends on: not where things run, where the data lies, or what is said about it.</summary>
    internal string Identity() =>
        (this with { Devices = [], Description = "", Statistics = new StatisticsSection(), Data = Data with { Root = null, Path = "" } }).ToJson();

    /// <summary>A path of the config, made absolute.</summary>
    internal string PathOf(string path) => Path.GetFullPath(path, Folder);

    private void Check(string name)
    {
        Require(Classes.Length > 0 && Classes.All(c => c.Labels.Length > 0 && c.Labels.All(l => l > 0)), "classes", "at least one class, each with label codes above 0");
        Require(Classes.SelectMany(c => c.Labels).GroupBy(l => l).All(g => g.Count() == 1), "classes", "classes that share no label code");
        Require(Classes.GroupBy(c => c.Name, StringComparer.OrdinalIgnoreCase).All(g => g.Count() == 1), "classes", "classes with different names");
        Require(Folds is >= 2 and <= 20, "folds", "2 to 20");
        Require(Arms.Length > 0 && Arms.Distinct().Count() == Arms.Length, "arms", "at least one arm, none twice");
        Require(Seeds.Length > 0 && Seeds.Distinct().Count() == Seeds.Length, "seeds", "at least one seed, none twice");
        Require(Devices.Length > 0 && Devices.Distinct(StringComparer.Ordinal).Count() == Devices.Length, "devices", "at least one device, none twice");
        Require(Budget is { Steps: >= 1, BatchSize: >= 1, Validations: >= 1 } && Budget.Validations <= Budget.Steps, "budget", "steps, batch_size and validations above 0, no more validations than steps");
        Require(Statistics.MinimalEffect >= 0 && Statistics.Alpha is > 0 and < 1 && Statistics.Resamples >= 100 && Statistics.LeastPatients >= 2, "statistics", "minimal_effect from 0, alpha in (0, 1), resamples from 100, least_patients from 2");
        var synthetic = Arms.Any(a => a is ArmKind.RealSynthetic or ArmKind.Synthetic);
        Require(!synthetic || Synthetic is not null, "synthetic", "given, since an arm uses synthetic cases");
        Require(Synthetic is not { } s || (s.Ratio > 0 && (s.Datalist is null) != (s.Bundle is null)), "synthetic", "a ratio above 0 and either a datalist or a bundle");
        Require(Synthetic is not { Bundle: not null } b || (b.Count > 0 && b.Steps is null or > 0), "synthetic", "a count above 0 with a bundle");
        Require(Trainer != TrainerKind.Auto3DSeg || Auto3dseg is not null, "auto3dseg", "given, since it is the trainer");
        if (Trainer == TrainerKind.SegResNet)
            Segresnet.Check();

        void Require(bool holds, string key, string what)
        {
            if (!holds)
                throw new MaisiException($"The experiment's {key} must be {what}.", $"{name}: {key}");
        }
    }

    private static IEnumerable<ValidationError> Flatten(ValidationError error) =>
        error is ChildSchemaValidationError child && child.Errors.SelectMany(e => e.Value).Any() ? child.Errors.SelectMany(e => e.Value).SelectMany(Flatten) : [error];
}

// Members with a default are settable: generated code gives missing init-only members null or 0 instead of their default.
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(ExperimentConfig))]
[JsonSerializable(typeof(ExperimentPlan))]
[JsonSerializable(typeof(UnitResult))]
[JsonSerializable(typeof(TestResult))]
[JsonSerializable(typeof(ExperimentResults))]
[JsonSerializable(typeof(ExperimentStatus))]
[JsonSerializable(typeof(ResultComparison))]
internal sealed partial class ExperimentJson : JsonSerializerContext;
