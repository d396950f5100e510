using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>
/// Frees an intermediate as soon as its successor exists. A dispose scope alone would keep every intermediate of a block alive until
/// the block ends, which is several times the memory of the same network in Python.
/// </summary>
internal static class TensorLifetime
{
    /// <summary>Disposes <paramref name="previous"/> and returns this tensor; gradients are safe, because autograd holds its own references.</summary>
    public static Tensor Freeing(this Tensor next, Tensor previous)
    {
        previous.Dispose();
        return next;
    }
}
