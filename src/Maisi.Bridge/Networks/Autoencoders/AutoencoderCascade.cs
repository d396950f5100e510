// Port of Encoder and Decoder in monai/networks/nets/autoencoderkl.py and MaisiEncoder and MaisiDecoder in
// monai/apps/generation/maisi/networks/autoencoderkl_maisi.py (MONAI 1.5); Rombach et al., arXiv:2112.10752.
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Encoder or decoder: one flat list of blocks, run in order. There is no activation between the last norm and the last convolution.</summary>
internal sealed class AutoencoderCascade : nn.Module<Tensor, Tensor>
{
    private readonly ModuleList<nn.Module<Tensor, Tensor>> blocks;

    private AutoencoderCascade(string name, IEnumerable<nn.Module<Tensor, Tensor>> layers)
        : base(name)
    {
        blocks = nn.ModuleList(layers.ToArray());
        RegisterComponents();
    }

    /// <summary>The blocks in order, for decoders that run them slab by slab.</summary>
    public IReadOnlyList<nn.Module<Tensor, Tensor>> Blocks => [.. blocks];

    public static AutoencoderCascade Encoder(AutoencoderShape shape, AutoencoderParts parts) => new("encoder", EncoderBlocks(shape, parts));

    public static AutoencoderCascade Decoder(AutoencoderShape shape, AutoencoderParts parts) => new("decoder", DecoderBlocks(shape, parts));

    /// <summary>Image to features at latent resolution (encoder), or back (decoder).</summary>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = blocks[0].call(x);
        for (var i = 1; i < blocks.Count; i++)
            h = blocks[i].call(h).Freeing(h);
        return h.MoveToOuterDisposeScope();
    }

    private static IEnumerable<nn.Module<Tensor, Tensor>> EncoderBlocks(AutoencoderShape shape, AutoencoderParts parts)
    {
        yield return parts.Conv(shape.InChannels, shape.Channels[0]);
        var current = shape.Channels[0];
        for (var level = 0; level < shape.Channels.Count; level++)
        {
            foreach (var block in LevelBlocks(shape, parts, level, current))
                yield return block;
            current = shape.Channels[level];
            if (level < shape.Channels.Count - 1)
                yield return parts.Downsample(current);
        }
        if (shape.EncoderNonlocal)
        {
            foreach (var block in NonlocalBlocks(shape))
                yield return block;
        }
        yield return parts.Norm(current);
        yield return parts.Conv(current, shape.LatentChannels);
    }

    private static IEnumerable<nn.Module<Tensor, Tensor>> DecoderBlocks(AutoencoderShape shape, AutoencoderParts parts)
    {
        var current = shape.Channels[^1];
        yield return parts.Conv(shape.LatentChannels, current);
        if (shape.DecoderNonlocal)
        {
            foreach (var block in NonlocalBlocks(shape))
                yield return block;
        }
        for (var level = shape.Channels.Count - 1; level >= 0; level--)
        {
            foreach (var block in LevelBlocks(shape, parts, level, current))
                yield return block;
            current = shape.Channels[level];
            if (level > 0)
                yield return parts.Upsample(current);
        }
        yield return parts.Norm(current);
        yield return parts.Conv(current, shape.OutChannels);
    }

    private static IEnumerable<nn.Module<Tensor, Tensor>> LevelBlocks(AutoencoderShape shape, AutoencoderParts parts, int level, int inChannels)
    {
        for (var i = 0; i < shape.ResBlocks[level]; i++)
        {
            yield return parts.ResBlock(i == 0 ? inChannels : shape.Channels[level], shape.Channels[level]);
            if (shape.AttentionLevels[level])
                yield return Attention(shape, shape.Channels[level]);
        }
    }

    /// <summary>Residual, attention, residual at the lowest resolution; plain layers even in MAISI's network.</summary>
    private static IEnumerable<nn.Module<Tensor, Tensor>> NonlocalBlocks(AutoencoderShape shape)
    {
        var channels = shape.Channels[^1];
        yield return AutoencoderResBlock.Plain(shape, channels, channels);
        yield return Attention(shape, channels);
        yield return AutoencoderResBlock.Plain(shape, channels, channels);
    }

    private static SpatialAttentionBlock Attention(AutoencoderShape shape, int channels) =>
        new(channels, headChannels: null, shape.NormGroups, shape.NormEps, shape.IncludeFc, shape.CombinedLinear);
}
