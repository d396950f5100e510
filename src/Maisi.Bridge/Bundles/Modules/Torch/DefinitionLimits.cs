using System.Text.Json;
using System.Text.Json.Nodes;
using Maisi.Bridge.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>
/// What a definition of a network or scheduler may ask for. A config is data from elsewhere: a wrong or malicious number must end in an
/// error, not in a machine without memory.
/// </summary>
internal static class DefinitionLimits
{
    private const long MaxNumber = 1_000_000;
    private const int MaxItems = 64;
    private const int MaxRepeats = 64;
    private const long MaxParameters = 1L << 30;

    /// <summary>Checks one argument: numbers, lengths of lists, and how often layers repeat.</summary>
    /// <exception cref="BundleException">Far beyond any real network.</exception>
    public static void Check(string name, JsonNode? value)
    {
        switch (value)
        {
            case JsonArray list:
                if (list.Count > MaxItems)
                    throw new BundleException(BundleErrorKind.ValueError, $"'{name}' has {list.Count:N0} entries, but no network has more than {MaxItems}");
                foreach (var item in list)
                    Check(name, item);
                break;
            case JsonObject dict:
                foreach (var (key, item) in dict)
                    Check(key, item);
                break;
            case JsonValue number when number.GetValueKind() == JsonValueKind.Number:
                var most = name.EndsWith("_blocks", StringComparison.Ordinal) || name.StartsWith("num_layers", StringComparison.Ordinal) || name is "num_d" ? MaxRepeats : MaxNumber;
                if (Math.Abs(number.GetValue<double>()) > most)
                    throw new BundleException(BundleErrorKind.ValueError, $"'{name}' is {number}, but at most {most:N0} is possible");
                break;
        }
    }

    /// <summary>Builds the network without memory for its weights and counts them.</summary>
    /// <exception cref="BundleException">More than four GB of weights in float32, far beyond MAISI's largest network.</exception>
    public static void CheckParameters(string path, Func<nn.Module> create)
    {
        using var meta = TensorRuntime.BuildOn(new Device(DeviceType.META));
        using var scope = NewDisposeScope();
        using var network = create();
        var parameters = network.parameters().Sum(p => p.numel());
        if (parameters > MaxParameters)
            throw new BundleException(BundleErrorKind.MemoryError, $"'{path}' would have {parameters:N0} weights, but at most {MaxParameters:N0} are possible");
    }
}
