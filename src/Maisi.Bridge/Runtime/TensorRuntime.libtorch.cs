using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Runtime;

/// <summary>What TorchSharp's public API lacks, here by the in-repo binding.</summary>
public static class TensorRuntime
{
    /// <summary>Whether libtorch has its own attention kernel (2.0 and later).</summary>
    public static bool HasScaledDotProductAttention { get; } = Version.Parse(__version__.Split('+', 'a', 'r')[0]).Major >= 2;

    /// <summary>softmax(q·kᵀ·d^-½)·v by libtorch's own kernel. Shapes [B, heads, N, d].</summary>
    public static Tensor ScaledDotProductAttention(Tensor query, Tensor key, Tensor value) => nn.functional.scaled_dot_product_attention(query, key, value);

    /// <summary>The module's output, whose activations the backward pass computes again instead of keeping them.</summary>
    public static Tensor Checkpoint(nn.Module<Tensor, Tensor> module, Tensor input) => Checkpointing.Run(inputs => module.call(inputs[0]), input);
}
