// Port of DownBlock, AttnDownBlock and CrossAttnDownBlock in monai/networks/nets/diffusion_model_unet.py (MONAI 1.5).
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>One level of the encoder: residual blocks, attention after each if the level has it, and half the resolution at the end.</summary>
internal sealed class DiffusionDownBlock : nn.Module
{
    private readonly ModuleList<nn.Module>? attentions;
    private readonly ModuleList<DiffusionResnetBlock> resnets;
    private readonly nn.Module<Tensor, Tensor, Tensor>? downsampler;

    /// <param name="shape">The network.</param>
    /// <param name="embeddingChannels">Width of the embedding.</param>
    /// <param name="level">Index of the level, 0 at full resolution.</param>
    public DiffusionDownBlock(DiffusionShape shape, long embeddingChannels, int level)
        : base(nameof(DiffusionDownBlock))
    {
        long input = shape.Channels[Math.Max(0, level - 1)], output = shape.Channels[level];
        var count = shape.ResBlocks[level];
        if (shape.AttentionLevels[level])
            attentions = nn.ModuleList(Enumerable.Range(0, count).Select(_ => DiffusionAttention.Create(shape, output, shape.HeadChannels[level])).ToArray());
        resnets = nn.ModuleList(
            Enumerable.Range(0, count).Select(i => new DiffusionResnetBlock(shape, embeddingChannels, i == 0 ? input : output, output)).ToArray());
        if (level < shape.Channels.Count - 1)
            downsampler = shape.ResblockUpdown
                ? new DiffusionResnetBlock(shape, embeddingChannels, output, output, Resize.Half)
                : new DiffusionDownsample(shape.SpatialDims, output);
        RegisterComponents();
    }

    /// <summary>Runs the level; every block's output is appended to <paramref name="skips"/>, the last of them is also the result.</summary>
    public Tensor Forward(Tensor x, Tensor embedding, Tensor? context, List<Tensor> skips)
    {
        var h = x;
        for (var i = 0; i < resnets.Count; i++)
        {
            h = resnets[i].call(h, embedding);
            if (attentions is not null)
                h = DiffusionAttention.Apply(attentions[i], h, context).Freeing(h);
            skips.Add(h);
        }
        if (downsampler is not null)
        {
            h = downsampler.call(h, embedding);
            skips.Add(h);
        }
        return h;
    }
}
