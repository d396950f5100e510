using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi network</c>: run one network, or see what it is made of.</summary>
internal static class NetworkCommand
{
    private static readonly JsonSerializerOptions _json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Create() => new("network", "Run one network, or see what it is made of.")
    {
        Run(),
        Summary(),
    };

    private static Option<FileInfo> Config() => new("--config") { Description = "JSON file with one _target_ definition.", Required = true };

    private static Command Run()
    {
        var config = Config();
        Option<FileInfo> weights = new("--weights") { Description = "Checkpoint: .pt, .pth or .safetensors.", Required = true };
        Option<string?> key = new("--weights-key") { Description = "Entry of the checkpoint that holds the weights; found if not given." };
        Option<FileInfo> inputs = new("--inputs") { Description = "Safetensors with the inputs under MONAI's parameter names.", Required = true };
        Option<FileInfo> output = new("--output", "-o") { Description = "Safetensors to write the results to.", Required = true };
        Option<string> method = new("--method") { Description = "forward, encode, decode, ...", DefaultValueFactory = _ => "forward" };
        Option<Precision> precision = new("--precision") { Description = "Arithmetic.", DefaultValueFactory = _ => Precision.Float32 };
        var device = CommonOptions.Device();
        var command = new Command("run", "Run a method of a network on tensors from a file.") { config, weights, key, inputs, output, method, precision, device };
        command.SetAction(result =>
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            var target = ComputeDevice.Parse(result.GetRequiredValue(device));
            var arithmetic = result.GetValue(precision);
            using var network = Build(result.GetRequiredValue(config), target);
            var report = StateDictLoader.Load(network, result.GetRequiredValue(weights).FullName, result.GetValue(key));
            foreach (var note in report.Notes)
                Console.Error.WriteLine(note);
            network.UsePrecision(arithmetic).eval();
            var tensors = SafetensorsFile.Load(result.GetRequiredValue(inputs).FullName)
                .ToDictionary(p => p.Key, p => Input(p.Key, p.Value, arithmetic).to(target), StringComparer.Ordinal);
            IReadOnlyDictionary<string, Tensor> results;
            using (arithmetic.Enter(target))
                results = NetworkRunner.Run(network, result.GetRequiredValue(method), tensors);
            SafetensorsFile.Save(result.GetRequiredValue(output).FullName, results);
            foreach (var (name, tensor) in results)
                Console.WriteLine($"{name} [{string.Join(", ", tensor.shape)}] {tensor.dtype}");
        });
        return command;
    }

    private static Command Summary()
    {
        var config = Config();
        Option<string?> shape = new("--shape") { Description = "Shape of the image (autoencoder) or latent, such as 1,4,32,32,32." };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        var command = new Command("summary", "Print layers and parameters; with a shape also operations and activation memory.") { config, shape, json };
        command.SetAction(result =>
        {
            using var network = Build(result.GetRequiredValue(config), META);
            var summary = NetworkSummary.Of(network, result.GetValue(shape) is { } text ? Shape(text) : null);
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(summary, _json));
                return;
            }
            foreach (var layer in summary.Layers)
                Console.WriteLine($"{layer.Name,-64} {layer.Kind,-16} {layer.Parameters,12:N0}{Giga(layer.Flops, " GFLOP")}{Mebi(layer.OutputBytes)}");
            Console.WriteLine($"{summary.Network}: {summary.Parameters.ToString("N0", CultureInfo.InvariantCulture)} parameters in {summary.Tensors} tensors");
            if (summary.Flops is not null)
                Console.WriteLine($"one evaluation:{Giga(summary.Flops, " GFLOP")}, largest output{Mebi(summary.LargestOutputBytes)}, all outputs{Mebi(summary.AllOutputsBytes)} in fp32");
        });
        return command;
    }

    /// <summary>Builds without drawing weights that are loaded anyway.</summary>
    private static nn.Module Build(FileInfo config, Device device)
    {
        if (!config.Exists)
            throw new MaisiException("the definition does not exist", config.FullName);
        try
        {
            var definition = JsonNode.Parse(File.ReadAllText(config.FullName)) as JsonObject
                ?? throw new MaisiException("the definition is not a JSON object", config.FullName, "give one object with _target_ and its arguments");
            using (TensorRuntime.SkipInitialization())
            using (TensorRuntime.BuildOn(device))
                return NetworkFactory.Create(definition);
        }
        catch (JsonException e)
        {
            throw new MaisiException($"the definition is not JSON: {e.Message}", config.FullName, inner: e);
        }
    }

    private static Tensor Input(string name, Tensor tensor, Precision precision)
    {
        var isActivation = tensor.is_floating_point() && name is not ("timesteps" or "conditioning_scale" or "spacing_tensor" or "top_region_index_tensor" or "bottom_region_index_tensor");
        return isActivation ? tensor.to(precision.ActivationType()) : tensor;
    }

    private static long[] Shape(string text)
    {
        var parts = text.Split(',').Select(p => long.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out var extent) ? extent : 0).ToArray();
        return parts.Length is 4 or 5 && parts.All(e => e > 0) ? parts : throw new MaisiException($"'{text}' is not a shape", "--shape", "give 4 or 5 positive numbers, such as 1,4,32,32,32");
    }

    private static string Giga(double? value, string unit) => value is { } v ? string.Create(CultureInfo.InvariantCulture, $" {v / 1e9,10:F3}{unit}") : "";

    private static string Mebi(double? bytes) => bytes is { } b ? string.Create(CultureInfo.InvariantCulture, $" {b / (1 << 20),10:F1} MiB") : "";
}
