using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Maisi.Bridge.Experiments;

/// <summary>The files of an experiment in its output folder; each appears whole or not at all.</summary>
internal sealed class ExperimentFolder : IDisposable
{
    /// <summary>The finished experiment.</summary>
    public const string ResultsName = "results.json";

    private const string PlanName = "plan.json", ConfigName = "experiment.json", LockName = ".lock", ErrorName = "last_error.txt", UnitName = "result.json";
    private readonly FileStream? _lock;

    private ExperimentFolder(string path, FileStream? held) => (Root, _lock) = (path, held);

    /// <summary>The output folder.</summary>
    public string Root { get; }

    /// <summary>Where generated cases lie.</summary>
    public string Synthetic => Path.Combine(Root, "synthetic");

    /// <summary>Opens the folder for a run; no second run may write in it.</summary>
    /// <exception cref="MaisiException">Another run is in it, or it holds an experiment with another plan.</exception>
    public static ExperimentFolder Begin(string path)
    {
        var full = Path.GetFullPath(path);
        try
        {
            Directory.CreateDirectory(full);
            return new ExperimentFolder(full, new FileStream(Path.Combine(full, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MaisiException($"The experiment's folder cannot be used: {e.Message}", full, "Choose another --output, or wait for the run that is writing here.", e);
        }
    }

    /// <summary>Opens the folder of an experiment to look at it.</summary>
    /// <exception cref="MaisiException">There is none.</exception>
    public static ExperimentFolder Look(string path) => File.Exists(Path.Combine(path, PlanName))
        ? new ExperimentFolder(Path.GetFullPath(path), null)
        : throw new MaisiException("There is no experiment here.", path, "Give the --output folder of 'maisi experiment run'.");

    /// <summary>Refuses another config than that of the plan that lies here, before anything is done with it.</summary>
    /// <exception cref="MaisiException">They differ.</exception>
    public void CheckConfig(ExperimentConfig config)
    {
        if (File.Exists(Path.Combine(Root, PlanName)) && Read(ConfigName, ExperimentJson.Default.ExperimentConfig).Identity() != config.Identity())
            throw Other();
    }

    /// <summary>Keeps the plan, or compares it with the one that lies here.</summary>
    /// <exception cref="MaisiException">They differ.</exception>
    public void Keep(ExperimentConfig config, ExperimentPlan plan)
    {
        if (File.Exists(Path.Combine(Root, PlanName)) && Read(PlanName, ExperimentJson.Default.ExperimentPlan).Fingerprint != plan.Fingerprint)
            throw Other();
        // The config first: where a plan lies, its config does.
        Write(ConfigName, config.ToJson());
        Write(PlanName, plan.ToJson());
        File.Delete(Path.Combine(Root, ErrorName));
    }

    /// <summary>The plan and the config that lie here.</summary>
    public (ExperimentPlan Plan, ExperimentConfig Config) Planned() => (Read(PlanName, ExperimentJson.Default.ExperimentPlan), Read(ConfigName, ExperimentJson.Default.ExperimentConfig));

    /// <summary>Folder of a training, relative to the root.</summary>
    public static string Unit(ArmKind arm, ulong seed, int fold) => $"{Ensemble(arm, seed)}/fold_{fold}";

    /// <summary>Folder of an arm with a seed, relative to the root.</summary>
    public static string Ensemble(ArmKind arm, ulong seed) => $"{ArmNames.Of(arm)}/seed_{seed}";

    /// <summary>Folder of an arm's predictions on the test set, relative to the root.</summary>
    public static string Test(ArmKind arm, ulong seed) => $"{Ensemble(arm, seed)}/test";

    /// <summary>The full path of something relative to the root; its folder is made.</summary>
    public string Make(string name)
    {
        var path = Path.Combine(Root, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    /// <summary>The result in a folder of this experiment; null when it is not done.</summary>
    public T? Result<T>(string unit, JsonTypeInfo<T> type)
        where T : class => File.Exists(Path.Combine(Root, unit, UnitName)) ? Read($"{unit}/{UnitName}", type) : null;

    /// <summary>Marks a folder of this experiment as done.</summary>
    public void Done<T>(string unit, T result, JsonTypeInfo<T> type) => Write($"{unit}/{UnitName}", JsonSerializer.Serialize(result, type));

    /// <summary>Whether something of a unit lies here.</summary>
    public bool Begun(string unit) => Directory.Exists(Path.Combine(Root, unit));

    /// <summary>Keeps the error that a run ended with, where that is possible: the disk may be full.</summary>
    public void Fail(Exception error)
    {
        try
        {
            Write(ErrorName, error is MaisiException known ? $"{known.Message}\n{known.Where}\n{known.Hint}".Trim() : error.ToString());
        }
        catch (Exception e) when (e is MaisiException or IOException or UnauthorizedAccessException)
        {
            // The error itself is on its way to the caller.
        }
    }

    /// <summary>That error.</summary>
    public string? LastError() => File.Exists(Path.Combine(Root, ErrorName)) ? File.ReadAllText(Path.Combine(Root, ErrorName)) : null;

    /// <summary>Writes a file of the experiment.</summary>
    public void Write(string name, string text) => AtomicFile.Write(Make(name), stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    /// <inheritdoc/>
    public void Dispose() => _lock?.Dispose();

    private MaisiException Other() =>
        new("The experiment in this folder was planned from another config or other data.", Root, "Give the same config and data to go on with it, or another --output.");

    private T Read<T>(string name, JsonTypeInfo<T> type)
    {
        var path = Path.Combine(Root, name);
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type) ?? throw new JsonException("the file holds null");
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            throw new MaisiException($"A file of the experiment is damaged: {e.Message}", path, "Remove it to do that part again.", e);
        }
    }
}
