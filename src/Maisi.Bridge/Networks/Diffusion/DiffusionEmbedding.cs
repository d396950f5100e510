using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>The time and class embedding that UNet and ControlNet compute alike, in the type of their embedding layers (fp32).</summary>
internal static class DiffusionEmbedding
{
    /// <summary>[B, 4·ch0].</summary>
    public static Tensor TimeAndClass(DiffusionShape shape, nn.Module<Tensor, Tensor> timeEmbed, Embedding? classEmbedding, Tensor timesteps, Tensor? classLabels)
    {
        var sinusoidal = TimestepEmbedding.Sinusoidal(timesteps, shape.Channels[0]);
        var embedding = timeEmbed.call(sinusoidal);
        if (classEmbedding is null)
            return embedding;
        if (classLabels is null)
            throw new NetworkInputException("class_labels is missing, but the network has a class embedding", "class_labels", "pass the modality code of every sample");
        return embedding + classEmbedding.call(classLabels);
    }
}
