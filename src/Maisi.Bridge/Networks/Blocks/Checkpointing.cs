using Maisi.Bridge.Runtime;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Activation checkpointing: the backward pass recomputes a module instead of keeping its activations. The numbers are the same.</summary>
internal static class Checkpointing
{
    /// <summary>Calls <paramref name="module"/>, checkpointed if wanted and if there is a gradient to compute.</summary>
    public static Tensor Run(bool wanted, nn.Module<Tensor, Tensor> module, Tensor x) =>
        wanted && is_grad_enabled() ? TensorRuntime.Checkpoint(module, x) : module.call(x);
}
