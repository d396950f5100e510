using System.Text.Json.Nodes;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Networks;
using static TorchSharp.torch;

namespace Maisi.Bridge.TestSupport;

/// <summary>A golden fixture: what MONAI 1.5.0 computed, with inputs (in/), weights (w/), outputs (out/) and gradients (grad/).</summary>
internal sealed class Golden : IDisposable
{
    private readonly CheckpointFile _file;
    private readonly IReadOnlyDictionary<string, StoredTensor> _tensors;

    public Golden(string name, string? path = null)
    {
        Name = name;
        path ??= TestPaths.Golden(name);
        Info = JsonNode.Parse(File.ReadAllText(path + ".json"))!.AsObject();
        _file = CheckpointFile.Open(path + ".safetensors");
        _tensors = _file.Flatten();
    }

    public string Name { get; }

    /// <summary>The JSON beside the tensors.</summary>
    public JsonObject Info { get; }

    /// <summary>The definition of the network or scheduler.</summary>
    public JsonObject Config => Info["config"]!.AsObject();

    public Tensor this[string key] => _tensors[key].ToTensor();

    public Tensor? TryGet(string key) => _tensors.TryGetValue(key, out var tensor) ? tensor.ToTensor() : null;

    public IEnumerable<string> Keys => _tensors.Keys;

    /// <summary>Keys below a folder, without it.</summary>
    public IEnumerable<string> Under(string folder) => _tensors.Keys.Where(k => k.StartsWith(folder + "/", StringComparison.Ordinal)).Select(k => k[(folder.Length + 1)..]);

    /// <summary>out/NAME/0, out/NAME/1, ...</summary>
    public Tensor[] Sequence(string prefix) => [.. Enumerable.Range(0, int.MaxValue).TakeWhile(i => _tensors.ContainsKey($"{prefix}/{i}")).Select(i => this[$"{prefix}/{i}"])];

    /// <summary>The network of the definition with the fixture's weights (or those of another fixture).</summary>
    public T Network<T>(JsonObject? config = null, Golden? weights = null)
        where T : nn.Module
    {
        var network = NetworkFactory.Create<T>(config ?? Config);
        StateDictLoader.Load(network, (weights ?? this).Weights());
        network.eval();
        return network;
    }

    public Dictionary<string, StoredTensor> Weights() => Under("w").ToDictionary(k => k, k => _tensors["w/" + k], StringComparer.Ordinal);

    /// <summary>Bit planes of a label map, least significant first: MAISI's spatial condition.</summary>
    public static Tensor BitPlanes(Tensor label)
    {
        using var scope = NewDisposeScope();
        var bits = arange(0, 8, ScalarType.Int64).reshape(1, 8, 1, 1, 1);
        var planes = label.to(ScalarType.Int64).div(full(1, 2L, ScalarType.Int64).pow(bits), RoundingMode.floor).remainder(2);
        return planes.to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    public void Dispose() => _file.Dispose();
}

/// <summary>Compares with a golden value, and keeps the largest error for the parity report.</summary>
internal static class Parity
{
    public const double Tolerance = 1e-4;
    private static readonly Lock Gate = new();

    /// <summary>Fails when any element is further off than the tolerance; appends the error to the file named by MAISI_PARITY_REPORT.</summary>
    public static void ShouldMatch(this Tensor actual, Tensor expected, string fixture, string what, double tolerance = Tolerance)
    {
        actual.shape.ShouldBe(expected.shape, $"{fixture} {what}");
        using var scope = NewDisposeScope();
        var error = actual.numel() == 0 ? 0 : (actual.detach().to(ScalarType.Float64) - expected.to(ScalarType.Float64)).abs().max().item<double>();
        if (Environment.GetEnvironmentVariable("MAISI_PARITY_REPORT") is { Length: > 0 } report)
        {
            lock (Gate)
                File.AppendAllText(report, $"{fixture}\t{what}\t{error:e2}\n");
        }
        error.ShouldBeLessThanOrEqualTo(tolerance, $"{fixture} {what}");
    }
}
