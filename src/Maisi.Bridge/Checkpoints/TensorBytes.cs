using static TorchSharp.torch;

namespace Maisi.Bridge.Checkpoints;

/// <summary>The elements of a tensor as bytes, a piece at a time.</summary>
internal static class TensorBytes
{
    private const long ChunkBytes = 64L << 20;

    public delegate void Sink(ReadOnlySpan<byte> bytes);

    /// <summary>Feeds the elements in row-major order to <paramref name="sink"/>.</summary>
    public static void Write(Tensor tensor, Sink sink)
    {
        if (tensor.numel() == 0)
            return;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var flat = tensor.detach().contiguous().view(-1);
        var step = ChunkBytes / ElementTypes.Size(tensor.dtype);
        for (long start = 0; start < flat.shape[0]; start += step)
        {
            using var piece = flat.narrow(0, start, Math.Min(step, flat.shape[0] - start));
            using var local = piece.cpu();
            sink(local.bytes);
        }
    }
}
