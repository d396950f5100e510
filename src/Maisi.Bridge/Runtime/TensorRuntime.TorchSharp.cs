using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Runtime;

/// <summary>What TorchSharp's public API lacks, as plain fallbacks.</summary>
public static class TensorRuntime
{
    /// <summary>TorchSharp has had libtorch's kernel only in later versions, so the exact fallback is used.</summary>
    public static bool HasScaledDotProductAttention => false;

    /// <summary>softmax(q·kᵀ·d^-½)·v by libtorch's own kernel. Shapes [B, heads, N, d].</summary>
    /// <exception cref="NotSupportedException">Always, see <see cref="HasScaledDotProductAttention"/>.</exception>
    public static Tensor ScaledDotProductAttention(Tensor query, Tensor key, Tensor value) => throw new NotSupportedException("TorchSharp's versions differ in this function");

    /// <summary>The module's output; its activations are kept, which costs memory and changes no number.</summary>
    public static Tensor Checkpoint(nn.Module<Tensor, Tensor> module, Tensor input) => module.call(input);
}
