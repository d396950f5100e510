using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Splits channels into attention heads and back.</summary>
internal static class Heads
{
    /// <summary>[B, N, heads·d] to [B, heads, N, d].</summary>
    public static Tensor Split(Tensor x, long heads) => x.reshape(x.shape[0], x.shape[1], heads, x.shape[2] / heads).transpose(1, 2);

    /// <summary>[B, heads, N, d] to [B, N, heads·d].</summary>
    public static Tensor Merge(Tensor x)
    {
        using var sequence = x.transpose(1, 2); // [B, N, heads, d]
        return sequence.reshape(x.shape[0], x.shape[2], x.shape[1] * x.shape[3]);
    }
}
