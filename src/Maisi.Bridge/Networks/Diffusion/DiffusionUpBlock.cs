// Port of UpBlock, AttnUpBlock and CrossAttnUpBlock in monai/networks/nets/diffusion_model_unet.py (MONAI 1.5).
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>One level of the decoder: skips concatenated before each residual block, attention after it, twice the resolution at the end.</summary>
internal sealed class DiffusionUpBlock : nn.Module
{
    private readonly ModuleList<DiffusionResnetBlock> resnets;
    private readonly ModuleList<nn.Module>? attentions;
    private readonly nn.Module<Tensor, Tensor, Tensor>? upsampler;

    /// <param name="shape">The network.</param>
    /// <param name="embeddingChannels">Width of the embedding.</param>
    /// <param name="level">Index of the level, 0 at full resolution.</param>
    public DiffusionUpBlock(DiffusionShape shape, long embeddingChannels, int level)
        : base(nameof(DiffusionUpBlock))
    {
        var last = shape.Channels.Count - 1;
        long below = shape.Channels[Math.Min(last, level + 1)], output = shape.Channels[level], above = shape.Channels[Math.Max(0, level - 1)];
        var count = shape.ResBlocks[level] + 1;
        resnets = nn.ModuleList(Enumerable.Range(0, count).Select(i =>
        {
            var skip = i == count - 1 ? above : output;
            return new DiffusionResnetBlock(shape, embeddingChannels, (i == 0 ? below : output) + skip, output);
        }).ToArray());
        if (shape.AttentionLevels[level])
            attentions = nn.ModuleList(Enumerable.Range(0, count).Select(_ => DiffusionAttention.Create(shape, output, shape.HeadChannels[level])).ToArray());
        if (level > 0)
            upsampler = shape.ResblockUpdown
                ? new DiffusionResnetBlock(shape, embeddingChannels, output, output, Resize.Double)
                : new DiffusionUpsample(shape.SpatialDims, output);
        RegisterComponents();
    }

    /// <summary>Runs the level; takes its skips off <paramref name="skips"/> and frees them and <paramref name="x"/>.</summary>
    public Tensor Forward(Tensor x, Tensor embedding, Tensor? context, Stack<Tensor> skips)
    {
        var h = x;
        for (var i = 0; i < resnets.Count; i++)
        {
            var skip = skips.Pop();
            h = cat([h, skip], 1).Freeing(h).Freeing(skip);
            h = resnets[i].call(h, embedding).Freeing(h);
            if (attentions is not null)
                h = DiffusionAttention.Apply(attentions[i], h, context).Freeing(h);
        }
        if (upsampler is not null)
            h = upsampler.call(h, embedding).Freeing(h);
        return h;
    }
}
