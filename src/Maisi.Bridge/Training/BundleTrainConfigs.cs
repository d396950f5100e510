using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Maisi.Bridge.Generation;

namespace Maisi.Bridge.Training;

/// <summary>
/// The configs with which MONAI's own trainer fine-tunes a network of a bundle: <c>configs/train.json</c> on one device and, merged over
/// it, <c>configs/multi_gpu_train.json</c> on several. Networks, grid and labels are those of <c>configs/inference.json</c>, which they
/// refer to; what a config cannot say is the Python package <c>maisi_bridge.training</c>. Layout: MONAI Model Zoo.
/// </summary>
/// <remarks>
/// The rank comes from ignite, which talks to all processes when it is first asked: all ask at the same place, before handlers that the
/// first process alone has could do so and wait for ever.
/// </remarks>
internal static class BundleTrainConfigs
{
    /// <summary>Fine-tuning on one device.</summary>
    public const string Single = "train.json";

    /// <summary>What several devices or hosts change of it.</summary>
    public const string Distributed = "multi_gpu_train.json";

    // Expressions are full of quotation marks, which a config for people to read does not escape.
    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes both configs of a bundle.</summary>
    /// <param name="staging">The bundle.</param>
    /// <param name="config">The training that made it.</param>
    public static void Write(StagingFolder staging, TrainingConfig config)
    {
        foreach (var name in (string[])[Single, Distributed])
            File.WriteAllText(staging.File($"configs/{name}"), Text(name, config));
    }

    /// <summary>One of the configs, indented.</summary>
    /// <param name="name"><see cref="Single"/> or <see cref="Distributed"/>.</param>
    /// <param name="config">The training that made the bundle.</param>
    public static string Text(string name, TrainingConfig config)
    {
        using var stream = typeof(BundleTrainConfigs).Assembly.GetManifestResourceStream($"training/{name}")!;
        var root = JsonNode.Parse(stream)!.AsObject();
        if (name == Single)
        {
            root["body_dropout"] = config.Data.BodyDropout;
            root["batch_size"] = config.ControlnetTrain.BatchSize;
            root["weight_decay"] = config.ControlnetTrain.WeightDecay;
        }
        return root.ToJsonString(Readable) + "\n";
    }
}
