using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Maisi.Bridge.Evaluation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Training;

namespace Maisi.Bridge.Experiments;

/// <summary>How a training patch is varied.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SegmentationAugmentation>))]
public enum SegmentationAugmentation
{
    /// <summary>Not at all, apart from the mirror images that <see cref="SegResNetOptions.Mirror"/> asks for.</summary>
    [JsonStringEnumMemberName("none")]
    None,

    /// <summary>Intensities are scaled and shifted a little: what every arm gets unless its config says otherwise.</summary>
    [JsonStringEnumMemberName("light")]
    Light,

    /// <summary>Also rotations, zoom, noise, contrast and brightness: the classical alternative to synthetic cases.</summary>
    [JsonStringEnumMemberName("classical")]
    Classical,
}

/// <summary>The native trainer's network, grid and optimiser. Steps, batch and validations are the experiment's budget, the same in all arms.</summary>
public sealed record SegResNetOptions : EngineOptions
{
    private const string Norm = """["GROUP", {"num_groups": 8}]""";

    /// <summary>Millimetres along x, y, z of the grid that the network sees.</summary>
    public double[] Spacing { get; set; } = [1.5, 1.5, 1.5];

    /// <summary>Values that become 0 and 1; what lies outside is clipped.</summary>
    public double[] Intensity { get; set; } = [-500, 1000];

    /// <summary>Voxels of a patch along x, y, z, in training and in sliding windows.</summary>
    public int[] PatchSize { get; set; } = [96, 96, 96];

    /// <summary>Channels of the first level.</summary>
    public int InitFilters { get; set; } = 16;

    /// <summary>Residual blocks of each level of the encoder.</summary>
    public int[] BlocksDown { get; set; } = [1, 2, 2, 4];

    /// <summary>Scales of the decoder that have a loss of their own.</summary>
    public int DeepSupervision { get; set; } = 3;

    /// <summary>Peak learning rate of AdamW, with warm-up and cosine decay.</summary>
    public double Lr { get; set; } = 2e-3;

    /// <summary>Decoupled weight decay.</summary>
    public double WeightDecay { get; set; } = 1e-5;

    /// <summary>
    /// Sees cases in a mirror too, left and right exchanged, in training and at test time. Classes are told apart by name: "left parotid"
    /// and "right parotid" are partners.
    /// </summary>
    public bool Mirror { get; set; } = true;

    /// <summary>Share of a sliding window that the next one repeats, at test time.</summary>
    public double Overlap { get; set; } = 0.5;

    /// <summary>Share of a sliding window that the next one repeats, in validations during training.</summary>
    public double ValidationOverlap { get; set; } = 0.25;

    /// <summary>The network for a number of classes, background not counted.</summary>
    internal SegResNetDSConfig Network(int classes) => new()
    {
        InitFilters = InitFilters,
        OutChannels = classes + 1,
        BlocksDown = BlocksDown,
        Dsdepth = DeepSupervision,
        Norm = JsonSerializer.Deserialize<LayerSpec>(Norm)!,
    };

    /// <summary>The trained network for images of any grid; a class's first label stands for all of them.</summary>
    /// <param name="weights">File of the weights, relative to that of the description.</param>
    /// <param name="classes">The classes.</param>
    internal SegmentationNetworkSettings Described(string weights, IReadOnlyList<ExperimentClass> classes) => new()
    {
        NetworkDef = new JsonObject
        {
            ["_target_"] = "monai.networks.nets.segresnet_ds.SegResNetDS",
            ["spatial_dims"] = 3,
            ["init_filters"] = InitFilters,
            ["in_channels"] = 1,
            ["out_channels"] = classes.Count + 1,
            ["blocks_down"] = new JsonArray([.. BlocksDown.Select(b => (JsonNode)b)]),
            ["dsdepth"] = DeepSupervision,
            ["norm"] = JsonNode.Parse(Norm),
        },
        Weights = weights,
        Labels = [.. classes.Select(c => c.Labels[0])],
        Intensity = Intensity,
        Spacing = Spacing,
        PatchSize = PatchSize,
        Overlap = Overlap,
    };

    /// <summary>Refuses values that cannot work.</summary>
    /// <exception cref="MaisiException">One is out of its range.</exception>
    internal void Check()
    {
        Require(Spacing is [> 0, > 0, > 0], "spacing", "three positive numbers of millimetres");
        Require(Intensity is [var low, var high] && low < high, "intensity", "two numbers, the smaller first");
        Require(InitFilters >= 8 && InitFilters % 8 == 0, "init_filters", "a multiple of 8");
        Require(BlocksDown.Length >= 2 && BlocksDown.All(b => b >= 1), "blocks_down", "at least two positive numbers");
        Require(DeepSupervision >= 1 && DeepSupervision < BlocksDown.Length, "deep_supervision", "at least 1 and below the number of levels");
        var factor = 1 << (BlocksDown.Length - 1);
        Require(PatchSize.Length == 3 && PatchSize.All(p => p > 0 && p % factor == 0), "patch_size", $"three multiples of {factor}");
        Require(Lr > 0, "lr", "above 0");
        Require(Overlap is >= 0 and < 1 && ValidationOverlap is >= 0 and < 1, "overlap", "at least 0 and below 1");
    }

    private static void Require(bool holds, string key, string what)
    {
        if (!holds)
            throw new MaisiException($"The trainer's {key} must be {what}.", $"segresnet.{key}");
    }
}
