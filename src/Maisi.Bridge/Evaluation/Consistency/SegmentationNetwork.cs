using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Evaluation;

/// <summary>How a segmentation network is built and what it expects, as a JSON file beside its weights.</summary>
public sealed record SegmentationNetworkSettings
{
    /// <summary>MONAI definition with <c>_target_</c>: SegResNet or SegResNetDS.</summary>
    public required JsonObject NetworkDef { get; init; }

    /// <summary>Checkpoint, relative to the file of these settings.</summary>
    public required string Weights { get; init; }

    /// <summary>The label of each output channel after the background.</summary>
    public required int[] Labels { get; init; }

    /// <summary>Values that become 0 and 1; what lies outside is clipped.</summary>
    public double[] Intensity { get; set; } = [-1000, 1000];

    /// <summary>Millimetres along x, y, z that the network was trained on; null takes images as they are.</summary>
    public double[]? Spacing { get; set; }

    /// <summary>Voxels of a sliding window.</summary>
    public int[] PatchSize { get; set; } = [96, 96, 96];

    /// <summary>Share of a window that the next one repeats.</summary>
    public double Overlap { get; set; } = 0.5;

    /// <summary>Writes the file.</summary>
    public void Save(string path) => AtomicFile.Write(path, stream => stream.Write(JsonSerializer.SerializeToUtf8Bytes(this, SegmentationNetworkJson.Default.SegmentationNetworkSettings)));
}

/// <summary>A segmentation network that is applied to images: RAS, its spacing and intensities, sliding windows with Gaussian weights.</summary>
public sealed class SegmentationNetwork : IDisposable
{
    private readonly nn.Module _network;
    private readonly Device _device;

    private SegmentationNetwork(nn.Module network, SegmentationNetworkSettings settings, string fingerprint, Device device) =>
        (_network, Settings, Fingerprint, _device) = (network, settings, fingerprint, device);

    /// <summary>Its settings.</summary>
    public SegmentationNetworkSettings Settings { get; }

    /// <summary>SHA-256 of its weights.</summary>
    public string Fingerprint { get; }

    /// <summary>What reports call it.</summary>
    public string Name => $"{_network.GetType().Name} of {Path.GetFileName(Settings.Weights)}";

    /// <summary>Reads the settings and the weights that they name.</summary>
    /// <exception cref="MaisiException">The file is none of these settings, or network, weights and labels do not fit.</exception>
    public static SegmentationNetwork Load(string path, Device? device = null)
    {
        SegmentationNetworkSettings settings;
        try
        {
            settings = JsonSerializer.Deserialize(File.ReadAllText(path), SegmentationNetworkJson.Default.SegmentationNetworkSettings) ?? throw new JsonException("the file holds null");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new MaisiException($"these are no settings of a segmentation network: {e.Message}", path, "the file has network_def, weights and labels, and where they differ intensity, spacing, patch_size and overlap", e);
        }
        Check(settings, path);
        var network = NetworkFactory.Create(settings.NetworkDef);
        var weights = Path.GetFullPath(settings.Weights, Path.GetDirectoryName(Path.GetFullPath(path))!);
        if (network is not (SegResNet or SegResNetDS))
            throw new MaisiException($"a {network.GetType().Name} is no segmentation network", path, "use SegResNet or SegResNetDS");
        var factor = network is SegResNetDS supervised ? (int)supervised.ShapeFactor.Max() : ((SegResNet)network).Divisor;
        if (settings.PatchSize.Any(n => n % factor != 0))
            throw new MaisiException($"'patch_size' [{string.Join(", ", settings.PatchSize)}] must be divisible by {factor}, for the network's levels", path);
        if ((settings.NetworkDef["in_channels"]?.GetValue<int>() ?? 1) != 1)
            throw new MaisiException("the network takes several channels", path, "give a network of one channel");
        var channels = settings.NetworkDef["out_channels"]?.GetValue<int>() ?? 2;
        if (channels != settings.Labels.Length + 1)
            throw new MaisiException($"the network has {channels} outputs, but {settings.Labels.Length} labels are named", path, "name one label per output after the background");
        StateDictLoader.Load(network, weights);
        network.eval();
        network.to(device ?? CPU);
        return new SegmentationNetwork(network, settings, FeatureNetworks.Hash(weights), device ?? CPU);
    }

    /// <summary>The labels that the network finds, on the image's own grid.</summary>
    public Volume Segment(Volume image, CancellationToken cancellation = default)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var ras = image.Reorient(AxisCodes.RAS);
        var spaced = Settings.Spacing is { } s ? ras.ResampleToSpacing(s[0], s[1], s[2], Interpolation.Trilinear) : ras;
        var (low, high) = (Settings.Intensity[0], Settings.Intensity[1]);
        var input = ((spaced.ToTensor(device: _device).Data - low) / (high - low)).clamp(0, 1).unsqueeze(0);
        var windows = new SlidingWindowOptions([.. Settings.PatchSize.Select(p => (long)p)], [Settings.Overlap, Settings.Overlap, Settings.Overlap]);
        var classes = SlidingWindow.Run(input, Logits, windows, null, cancellation)[0].argmax(0, true).to(ScalarType.Int32).cpu();
        var found = new VolumeTensor(classes, spaced.Affine).ToVolume();
        var labels = found.Voxels<int>();
        foreach (ref var v in labels)
            v = v == 0 ? 0 : Settings.Labels[v - 1];
        return found.Resample(image.Grid, Interpolation.Nearest, 0);
    }

    /// <inheritdoc/>
    public void Dispose() => _network.Dispose();

    private Tensor Logits(Tensor window) => _network is SegResNetDS supervised ? supervised.call(window)[0] : ((SegResNet)_network).call(window);

    private static void Check(SegmentationNetworkSettings settings, string path)
    {
        void Require(bool holds, string key, string what)
        {
            if (!holds)
                throw new MaisiException($"'{key}' must be {what}", path);
        }
        Require(settings.Labels.Length > 0 && settings.Labels.All(l => l != 0) && settings.Labels.Distinct().Count() == settings.Labels.Length, "labels", "different whole numbers other than 0");
        Require(settings.Intensity is [var low, var high] && low < high, "intensity", "two numbers, the smaller first");
        Require(settings.Spacing is null or [> 0, > 0, > 0], "spacing", "three positive numbers of mm");
        Require(settings.PatchSize is [> 0, > 0, > 0], "patch_size", "three positive numbers of voxels");
        Require(settings.Overlap is >= 0 and < 1, "overlap", "at least 0 and below 1");
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, WriteIndented = true)]
[JsonSerializable(typeof(SegmentationNetworkSettings))]
internal sealed partial class SegmentationNetworkJson : JsonSerializerContext;
