using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Generation;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>
/// The state of an unfinished training, in a folder beside the output: one file per stage, each replaced at once, so that a killed
/// run goes on where it was last saved and ends with the very weights of an uninterrupted one.
/// </summary>
internal sealed class TrainingStore
{
    private const string Identity = "training.json";
    private readonly string _folder;
    private readonly string _fingerprint;

    private TrainingStore(string folder, string fingerprint) => (_folder, _fingerprint) = (folder, fingerprint);

    /// <summary>Where the state of a training into <paramref name="output"/> is kept.</summary>
    public static string FolderOf(string output) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(output)) + ".training";

    /// <summary>The folder.</summary>
    public string Folder => _folder;

    /// <inheritdoc cref="Open(string, string, bool)"/>
    public static TrainingStore Open(string output, TrainingConfig config, IReadOnlyList<TrainingCase> cases, bool resume) =>
        Open(FolderOf(output), Fingerprint(config, cases), resume);

    /// <summary>Starts a folder, or goes on with one.</summary>
    /// <param name="folder">The folder of the state.</param>
    /// <param name="fingerprint">Stands for everything that the result depends on: config, data, initial weights.</param>
    /// <param name="resume">Whether to go on with an unfinished training.</param>
    /// <exception cref="MaisiException">
    /// There is an unfinished training and <paramref name="resume"/> is false, or it was started with another config or other data.
    /// </exception>
    public static TrainingStore Open(string folder, string fingerprint, bool resume)
    {
        var store = new TrainingStore(folder, fingerprint);
        var identity = Path.Combine(folder, Identity);
        if (!File.Exists(identity))
        {
            Directory.CreateDirectory(folder);
            AtomicFile.Write(identity, stream => stream.Write(JsonSerializer.SerializeToUtf8Bytes(store._fingerprint, StoreJson.Default.String)));
            return store;
        }
        if (!resume)
            throw new MaisiException("An unfinished training lies here.", folder, "Go on with it (--resume; in a bundle's train section: resume), or remove the folder.");
        if (!string.Equals(JsonSerializer.Deserialize(File.ReadAllBytes(identity), StoreJson.Default.String), store._fingerprint, StringComparison.Ordinal))
        {
            throw new MaisiException("The unfinished training was started with another config or other data.", folder,
                "Give the same --config and --datalist, or remove the folder to start anew.");
        }
        return store;
    }

    /// <summary>What was saved of a stage; null when it has not been saved. The caller disposes the tensors.</summary>
    public (Dictionary<string, Tensor> Tensors, StageState State)? Load(string stage)
    {
        var path = PathOf(stage);
        if (!File.Exists(path))
            return null;
        using var file = CheckpointFile.Open(path);
        var state = JsonSerializer.Deserialize(file.Metadata["state"], StoreJson.Default.StageState)!;
        return (file.Flatten().ToDictionary(t => t.Key, t => t.Value.ToTensor(), StringComparer.Ordinal), state);
    }

    /// <summary>Saves a stage; the file of before stays until the new one is whole.</summary>
    public void Save(string stage, IEnumerable<KeyValuePair<string, Tensor>> tensors, StageState state) => SafetensorsFile.Save(
        PathOf(stage), tensors, new Dictionary<string, string> { ["state"] = JsonSerializer.Serialize(state, StoreJson.Default.StageState) });

    /// <summary>Collects the bundle inside this folder; what a killed run has collected is removed.</summary>
    public StagingFolder Stage(string output)
    {
        var folder = Path.Combine(_folder, "bundle");
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        return new StagingFolder(output, folder);
    }

    /// <summary>Keeps a batch whose loss is not finite.</summary>
    /// <returns>The file.</returns>
    public string SaveBatch(string stage, IReadOnlyDictionary<string, Tensor> batch, int step)
    {
        var path = Path.Combine(_folder, $"{stage}.step{step}.batch.safetensors");
        SafetensorsFile.Save(path, batch.ToDictionary(b => b.Key, b => b.Value.detach().contiguous(), StringComparer.Ordinal));
        return path;
    }

    /// <summary>Keeps the weights of the best validation so far.</summary>
    public void SaveBest(string stage, IEnumerable<KeyValuePair<string, Tensor>> weights) => SafetensorsFile.Save(PathOf(stage + ".best"), weights);

    /// <summary>Those weights; null when there are none. The caller disposes the tensors.</summary>
    public Dictionary<string, Tensor>? LoadBest(string stage) => File.Exists(PathOf(stage + ".best")) ? SafetensorsFile.Load(PathOf(stage + ".best")) : null;

    /// <summary>Forgets the training; called when its results are in place.</summary>
    public void Delete() => Directory.Delete(_folder, recursive: true);

    private string PathOf(string stage) => Path.Combine(_folder, stage + ".safetensors");

    private static string Fingerprint(TrainingConfig config, IReadOnlyList<TrainingCase> cases)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(config, TrainingJson.Default.TrainingConfig));
        foreach (var item in cases)
        {
            hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(item.Image.AsSpan()));
            hash.AppendData(item.Labels);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

/// <summary>Where a stage stands.</summary>
internal sealed record StageState
{
    /// <summary>Optimizer steps done.</summary>
    public required int Step { get; init; }

    /// <summary>True when the stage has ended and the file holds its final weights alone.</summary>
    public required bool Finished { get; init; }

    /// <summary>Numbers drawn from the stage's random stream.</summary>
    public required ulong RandomPosition { get; init; }

    /// <summary>Mean loss over each twentieth of the steps so far.</summary>
    public required IReadOnlyList<double> Losses { get; init; }

    /// <summary>Sum of the losses since the last mean.</summary>
    public required double LossSum { get; init; }

    /// <summary>Wall-clock seconds spent in the stage.</summary>
    public required double Seconds { get; init; }

    /// <summary>Processor seconds of all threads spent in the stage.</summary>
    public required double ProcessorSeconds { get; init; }

    /// <summary>The learners' numbers, in the order of the learners; empty in files from before there were several.</summary>
    public IReadOnlyList<LearnerState> Learners { get; set; } = [];

    /// <summary>The best validation so far.</summary>
    public double? Best { get; set; }

    /// <summary>Validations since then.</summary>
    public int SinceBest { get; set; }

    /// <summary>Steps of the epoch so far.</summary>
    public int EpochSteps { get; set; }

    /// <summary>Sum of their losses.</summary>
    public double EpochSum { get; set; }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(StageState))]
[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class StoreJson : System.Text.Json.Serialization.JsonSerializerContext;
