using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>The attention of a level: over the voxels alone, or a spatial transformer that also attends to the context.</summary>
internal static class DiffusionAttention
{
    public static nn.Module Create(DiffusionShape shape, long channels, long headChannels) =>
        shape.WithConditioning
            ? new SpatialTransformer(shape, channels, headChannels)
            : new SpatialAttentionBlock(channels, headChannels, shape.NormGroups, shape.NormEps, shape.IncludeFc, shape.CombinedLinear);

    /// <summary>[B, C, X, Y(, Z)] to the same shape.</summary>
    public static Tensor Apply(nn.Module attention, Tensor x, Tensor? context) =>
        attention is SpatialTransformer transformer ? transformer.call(x, context) : ((SpatialAttentionBlock)attention).call(x);
}
