// Port of AttnMidBlock and CrossAttnMidBlock in monai/networks/nets/diffusion_model_unet.py (MONAI 1.5).
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Residual block, attention, residual block, at the lowest resolution. Attention is always present here.</summary>
internal sealed class DiffusionMidBlock : nn.Module
{
    private readonly DiffusionResnetBlock resnet_1;
    private readonly nn.Module attention;
    private readonly DiffusionResnetBlock resnet_2;

    public DiffusionMidBlock(DiffusionShape shape, long embeddingChannels)
        : base(nameof(DiffusionMidBlock))
    {
        long channels = shape.Channels[^1];
        resnet_1 = new DiffusionResnetBlock(shape, embeddingChannels, channels, channels);
        attention = DiffusionAttention.Create(shape, channels, shape.HeadChannels[^1]);
        resnet_2 = new DiffusionResnetBlock(shape, embeddingChannels, channels, channels);
        RegisterComponents();
    }

    /// <summary>[B, C, X, Y(, Z)] to the same shape.</summary>
    public Tensor Forward(Tensor x, Tensor embedding, Tensor? context)
    {
        var h = resnet_1.call(x, embedding);
        h = DiffusionAttention.Apply(attention, h, context).Freeing(h);
        return resnet_2.call(h, embedding).Freeing(h);
    }
}
