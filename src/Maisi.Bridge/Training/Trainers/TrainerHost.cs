using System.Security.Cryptography;
using System.Text;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Generation;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>What the trainers of a bundle share: places, seed, device, messages, and the state of the unfinished training.</summary>
/// <param name="ModelDir">Where checkpoints go; made when it is missing.</param>
/// <param name="Device">Where to compute.</param>
/// <param name="Seed">Seed of weights, order, augmentation and noise.</param>
/// <param name="Output">Hears about epochs and checkpoints.</param>
internal sealed record TrainerHost(string ModelDir, Device Device, ulong Seed, TextWriter Output)
{
    /// <summary>Whether the device is a GPU.</summary>
    public bool Cuda => Device.type == DeviceType.CUDA;

    /// <summary>Stops a training at its next step, with its state saved.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>The full path of a checkpoint.</summary>
    public string File(string name) => Path.Combine(Directory.CreateDirectory(ModelDir).FullName, name);

    /// <summary>The state folder of a training under a name, and its log.</summary>
    /// <param name="name">The name, for instance "autoencoder".</param>
    /// <param name="resume">Goes on with an unfinished training.</param>
    /// <param name="identity">Texts that the result depends on: sections, data, starting weights.</param>
    /// <param name="networks">The networks, of which names and shapes count.</param>
    public (TrainingStore Store, TrainingLog Log) Open(string name, bool resume, IEnumerable<string> identity, params nn.Module[] networks)
    {
        var text = new StringBuilder().AppendJoin('\n', identity).Append('\n').Append(Seed);
        foreach (var (key, parameter) in networks.SelectMany(n => n.named_parameters()))
            text.Append('\n').Append(key).AppendJoin(',', parameter.shape);
        var fingerprint = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
        return (TrainingStore.Open(File(name + ".training"), fingerprint, resume), new TrainingLog(File(name + "_log")));
    }

    /// <summary>Loads weights, or draws them when there is no file.</summary>
    /// <param name="network">The network.</param>
    /// <param name="path">The file; null draws.</param>
    /// <param name="key">The key of the weights in the file, if it has one.</param>
    /// <param name="stream">Which of the seed's streams to draw from.</param>
    public void Initialise(nn.Module network, string? path, string? key, long stream)
    {
        if (path is null)
        {
            network.cpu();
            WeightInitialization.Draw(network, SampleSeed.Of(Seed, stream));
            network.to(Device);
            Output.WriteLine($"{network.GetType().Name}: random weights of seed {Seed}");
            return;
        }
        RequireWeights(path, network.GetType().Name);
        StateDictLoader.Load(network, path, key);
        Output.WriteLine($"{network.GetType().Name}: weights of {path}");
    }

    /// <summary>Refuses a checkpoint that is not there.</summary>
    /// <exception cref="MaisiException">It is not there.</exception>
    public static void RequireWeights(string path, string network)
    {
        if (!System.IO.File.Exists(path))
            throw new MaisiException($"The weights that the {network} starts from are not there.", path, "Fetch them with 'maisi bundle download', or set their path to None to start from random weights.");
    }

    /// <summary>Writes a line per epoch.</summary>
    public IProgress<WorkProgress> Epochs(StageSettings settings) => new EpochLines(settings, Output);

    /// <summary>Writes the report beside the log and forgets the state.</summary>
    public void Finish(TrainingStore store, TrainingLog log, string title, IReadOnlyList<ReportPicture> pictures)
    {
        log.Flush();
        TrainingPage.Write(Path.Combine(log.Folder, "training.html"), title, TrainingLog.Read(Path.Combine(log.Folder, TrainingLog.Table)), pictures);
        store.Delete();
        Output.WriteLine($"report: {Path.Combine(log.Folder, "training.html")}");
    }

    private sealed class EpochLines(StageSettings settings, TextWriter output) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value)
        {
            if (value.Done % settings.StepsPerEpoch == 0 || value.Done == value.Total)
                output.WriteLine($"{value.Stage}: epoch {value.Done / settings.StepsPerEpoch} of {settings.Iterations / settings.StepsPerEpoch}, {value.Detail}");
        }
    }
}
