using Maisi.Bridge.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Self-attention over all voxels, and the input added: keys and values of the whole volume are kept, queries go slab by slab.</summary>
internal sealed class SlabAttention(SelfAttentionBlock attention)
{
    private const long Held = 2; // layouts: the sequence, and the heads that libtorch may make contiguous

    /// <summary>Keys and values [1, N, C] of the whole volume.</summary>
    public (Tensor Key, Tensor Value) Project(PlaneStore input, FittedNorm norm, long thickness, CancellationToken cancellation)
    {
        var (channels, perPlane) = (input.Size[0], input.Size[2] * input.Size[3]);
        Tensor? key = null, value = null;
        foreach (var range in SlabRange.Of(input.Size[1], thickness))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var parts = attention.Project(Sequence(input, norm, range));
            key ??= empty([1, input.Size[1] * perPlane, channels], parts[1].dtype, parts[1].device).DetachFromDisposeScope();
            value ??= empty([1, input.Size[1] * perPlane, channels], parts[2].dtype, parts[2].device).DetachFromDisposeScope();
            key.narrow(1, range.From * perPlane, range.Count * perPlane).copy_(parts[1]);
            value.narrow(1, range.From * perPlane, range.Count * perPlane).copy_(parts[2]);
        }
        return (key!, value!);
    }

    /// <summary>The planes of <paramref name="range"/>: attention plus the input, [1, C, x, Y, Z].</summary>
    public Tensor Run(PlaneStore input, FittedNorm norm, Tensor key, Tensor value, SlabRange range)
    {
        using var scope = NewDisposeScope();
        var query = attention.Project(Sequence(input, norm, range))[0];
        var attended = attention.Attend(query, key, value).Freeing(query); // [1, n, C]
        var result = attended.transpose(1, 2).reshape(1, input.Size[0], range.Count, input.Size[2], input.Size[3]);
        var own = input.Take(range.From, range.To, last: true);
        return own.add_(result).MoveToOuterDisposeScope();
    }

    /// <summary>The most bytes that an attention step takes beside its input and output.</summary>
    /// <param name="size">C, X, Y, Z of the volume.</param>
    /// <param name="thickness">Planes of a slab.</param>
    /// <param name="type">Element type.</param>
    public static long Transient(long[] size, long thickness, ScalarType type)
    {
        var whole = size[0] * size[1] * size[2] * size[3] * ElementTypes.Size(type);
        var slab = whole / size[1] * thickness;
        var rows = thickness * size[2] * size[3];
        // One row of scores is always computed at once, however long; the rest is cut to the budget.
        var scores = Math.Max(Math.Min(ScaledAttention.ScoreBudget, rows * size[1] * size[2] * size[3] * 4 * size[0]), size[1] * size[2] * size[3] * 4 * size[0]);
        return (2 * Held * whole) + (12 * slab) + (3 * scores) + (1L << 20);
    }

    private static Tensor Sequence(PlaneStore input, FittedNorm norm, SlabRange range)
    {
        using var scope = NewDisposeScope();
        var slab = input.Take(range.From, range.To, last: false);
        norm.Apply(slab, slab);
        return slab.reshape(1, input.Size[0], -1).transpose(1, 2).contiguous().MoveToOuterDisposeScope(); // [1, n, C]
    }
}
