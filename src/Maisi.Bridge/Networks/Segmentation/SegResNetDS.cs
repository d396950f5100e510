// Port of monai/networks/nets/segresnet_ds.py (MONAI 1.5); Myronenko, arXiv:1810.11654.
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Arguments of MONAI 1.5's <c>SegResNetDS</c>. Upsampling is deconv, deconvgroup, nontrainable (linear) or pixelshuffle.</summary>
public sealed record SegResNetDSConfig
{
    public int SpatialDims { get; init; } = 3;
    public int InitFilters { get; init; } = 32;
    public int InChannels { get; init; } = 1;
    public int OutChannels { get; init; } = 2;
    public LayerSpec Act { get; init; } = "relu";
    public LayerSpec Norm { get; init; } = "batch";
    public IReadOnlyList<int> BlocksDown { get; init; } = [1, 2, 2, 4];
    public IReadOnlyList<int>? BlocksUp { get; init; }

    /// <summary>Scales that get a head of their own for deep supervision.</summary>
    public int Dsdepth { get; init; } = 1;
    public string UpsampleMode { get; init; } = "deconv";

    /// <summary>Voxel size in mm per axis: coarse axes are not reduced until the others have caught up. Null for isotropic.</summary>
    public IReadOnlyList<double>? Resolution { get; init; }
}

/// <summary>
/// SegResNet with deep supervision and kernels that follow the voxel size. Input [B, in, X, Y(, Z)], extents divisible by
/// <see cref="ShapeFactor"/>; output: logits [B, out, X, Y(, Z)], in training followed by those of the coarser scales.
/// </summary>
public sealed class SegResNetDS : nn.Module<Tensor, IReadOnlyList<Tensor>>
{
    private readonly SegResEncoder encoder;
    private readonly ModuleList<SegResUpLayer> up_layers;
    private readonly int _depth;

    /// <param name="config">The arguments of the definition.</param>
    /// <exception cref="DefinitionException">Arguments that contradict each other.</exception>
    public SegResNetDS(SegResNetDSConfig config)
        : base(nameof(SegResNetDS))
    {
        Validate.SpatialDims(config.SpatialDims);
        var ups = config.BlocksDown.Count - 1;
        var blocksUp = config.BlocksUp ?? [.. Enumerable.Repeat(1, ups)];
        if (ups < 1 || blocksUp.Count != ups)
            throw new DefinitionException($"blocks_up has {blocksUp.Count} entries, but blocks_down has {config.BlocksDown.Count}", "blocks_up", "give at least two entries in blocks_down, and one less in blocks_up");
        if (config.Resolution is { } resolution && (resolution.Count != config.SpatialDims || resolution.Any(r => r <= 0)))
            throw new DefinitionException($"resolution is [{string.Join(", ", resolution)}], but must be {config.SpatialDims} positive numbers", "resolution");
        _depth = Math.Max(1, config.Dsdepth);
        var scales = Scales(config);
        encoder = new SegResEncoder(config, scales);
        up_layers = nn.ModuleList(Enumerable.Range(0, ups)
            .Select(i => new SegResUpLayer(config, scales[ups - i - 1], config.InitFilters << (ups - i - 1), blocksUp[i], withHead: ups - i <= _depth)).ToArray());
        ShapeFactor = [.. Enumerable.Range(0, config.SpatialDims).Select(axis => scales.Take(ups).Aggregate(1L, (product, scale) => product * scale[axis]))];
        RegisterComponents();
    }

    /// <summary>What every extent of the input must be divisible by.</summary>
    public IReadOnlyList<long> ShapeFactor { get; }

    /// <summary>Logits at full resolution; in training those of every supervised scale, finest first.</summary>
    /// <exception cref="NetworkInputException">An extent is not divisible by <see cref="ShapeFactor"/>.</exception>
    public override IReadOnlyList<Tensor> forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        if (x.shape[2..].Zip(ShapeFactor).Any(p => p.First % p.Second != 0))
            throw new NetworkInputException($"the input has extents [{string.Join(", ", x.shape[2..])}], which must be divisible by [{string.Join(", ", ShapeFactor)}]", "input", "pad the input");
        var skips = encoder.Forward(x);
        var h = skips.Pop();
        var outputs = new List<Tensor>();
        foreach (var layer in up_layers)
        {
            h = layer.Raise(h, skips.Pop());
            if (layer.HasHead && (training || ReferenceEquals(layer, up_layers[^1])))
                outputs.Insert(0, layer.Head(h));
        }
        return [.. outputs.Select(o => o.MoveToOuterDisposeScope())];
    }

    /// <summary>The encoder's coarsest features, [B, C, X/2ⁿ, ...].</summary>
    internal Tensor Encode(Tensor x)
    {
        using var scope = NewDisposeScope();
        return encoder.Forward(x).Pop().MoveToOuterDisposeScope();
    }

    /// <summary>The stride of every level: an axis whose voxels are coarser than the finest by 2^n or more waits n levels.</summary>
    private static long[][] Scales(SegResNetDSConfig config)
    {
        var levels = config.BlocksDown.Count;
        if (config.Resolution is not { } resolution)
            return [.. Enumerable.Repeat(Enumerable.Repeat(2L, config.SpatialDims).ToArray(), levels)];
        var wait = resolution.Select(r => (int)Math.Floor(Math.Log2(resolution.Max() / r))).ToArray();
        var longest = wait.Max();
        return [.. Enumerable.Range(0, levels).Select(i => i < longest ? wait.Select(n => i >= n ? 1L : 2L).ToArray() : [.. wait.Select(_ => 2L)])];
    }
}

/// <summary>The layers that a level of SegResNetDS is made of; an axis of stride 1 gets a kernel of extent 1.</summary>
internal static class SegResLayers
{
    public static nn.Module<Tensor, Tensor> Conv(int spatialDims, int inChannels, int outChannels, long[] scale, long[] stride)
    {
        var kernel = scale.Select(s => s > 1 ? 3L : 1L).ToArray();
        var padding = kernel.Select(k => k / 2).ToArray();
        return spatialDims == 3
            ? nn.Conv3d(inChannels, outChannels, Triple(kernel), Triple(stride), Triple(padding), (1, 1, 1), PaddingModes.Zeros, 1, false)
            : nn.Conv2d(inChannels, outChannels, Pair(kernel), Pair(stride), Pair(padding), (1, 1), PaddingModes.Zeros, 1, false);
    }

    public static Sequential Blocks(SegResNetDSConfig config, int count, int channels, long[] scale)
    {
        var once = scale.Select(_ => 1L).ToArray();
        return nn.Sequential(Enumerable.Range(0, count).Select(_ => (nn.Module<Tensor, Tensor>)new SegResNetBlock(
            config.Norm.Norm(config.SpatialDims, channels, affine: true), config.Norm.Norm(config.SpatialDims, channels, affine: true),
            Conv(config.SpatialDims, channels, channels, scale, once), Conv(config.SpatialDims, channels, channels, scale, once), config.Act.Activation())).ToArray());
    }

    public static (long, long, long) Triple(long[] v) => (v[0], v[1], v[2]);

    public static (long, long) Pair(long[] v) => (v[0], v[1]);
}

/// <summary>The encoder of SegResNetDS.</summary>
internal sealed class SegResEncoder : nn.Module
{
    private readonly nn.Module<Tensor, Tensor> conv_init;
    private readonly ModuleList<SegResDownLayer> layers;

    public SegResEncoder(SegResNetDSConfig config, long[][] scales)
        : base(nameof(SegResEncoder))
    {
        conv_init = SegResLayers.Conv(config.SpatialDims, config.InChannels, config.InitFilters, scales[0], [.. scales[0].Select(_ => 1L)]);
        layers = nn.ModuleList(config.BlocksDown.Select((count, i) => new SegResDownLayer(config, scales[i], config.InitFilters << i, count, isLast: i == config.BlocksDown.Count - 1)).ToArray());
        RegisterComponents();
    }

    /// <summary>The features of every level, coarsest on top.</summary>
    public Stack<Tensor> Forward(Tensor x)
    {
        var outputs = new Stack<Tensor>();
        var h = conv_init.call(x);
        foreach (var layer in layers)
        {
            outputs.Push(layer.Features(h));
            h = layer.Reduce(outputs.Peek());
        }
        return outputs;
    }
}

/// <summary>A level of the encoder.</summary>
internal sealed class SegResDownLayer : nn.Module
{
    private readonly Sequential blocks;
    private readonly nn.Module<Tensor, Tensor> downsample;

    public SegResDownLayer(SegResNetDSConfig config, long[] scale, int channels, int count, bool isLast)
        : base(nameof(SegResDownLayer))
    {
        blocks = SegResLayers.Blocks(config, count, channels, scale);
        downsample = isLast ? nn.Identity() : SegResLayers.Conv(config.SpatialDims, channels, 2 * channels, scale, scale);
        RegisterComponents();
    }

    public Tensor Features(Tensor x) => blocks.call(x);

    public Tensor Reduce(Tensor x) => downsample.call(x);
}

/// <summary>A level of the decoder, with a head of its own if it is supervised.</summary>
internal sealed class SegResUpLayer : nn.Module
{
    private readonly SegResUpsample upsample;
    private readonly Sequential blocks;
    private readonly nn.Module<Tensor, Tensor>? head;

    public SegResUpLayer(SegResNetDSConfig config, long[] scale, int channels, int count, bool withHead)
        : base(nameof(SegResUpLayer))
    {
        upsample = new SegResUpsample(config.UpsampleMode, 2 * channels, channels, scale, [.. scale.Select(s => s > 1 ? 3L : 1L)], bias: false);
        blocks = SegResLayers.Blocks(config, count, channels, scale);
        if (withHead)
            head = config.SpatialDims == 3 ? nn.Conv3d(channels, config.OutChannels, 1) : nn.Conv2d(channels, config.OutChannels, 1);
        RegisterComponents();
    }

    /// <summary>Whether the level is supervised.</summary>
    public bool HasHead => head is not null;

    /// <summary>Upsamples, adds the skip and runs the blocks.</summary>
    public Tensor Raise(Tensor x, Tensor skip)
    {
        var h = upsample.call(x).add_(skip);
        return blocks.call(h).Freeing(h);
    }

    /// <summary>Logits of the level.</summary>
    public Tensor Head(Tensor x) => head!.call(x);
}
