using Maisi.Bridge.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>What one step does with a slab: a layer that needs only some planes around those that it computes.</summary>
internal abstract class SlabOperation
{
    /// <summary>Channels of the input.</summary>
    public required long InChannels { get; init; }

    /// <summary>Channels of the output.</summary>
    public required long OutChannels { get; init; }

    /// <summary>Whether planes outside of the volume repeat its border; otherwise they are zero.</summary>
    public virtual bool RepeatsBorder => false;

    /// <summary>Multiplications and additions per output voxel.</summary>
    public abstract double MultiplyAdds { get; }

    /// <summary>Extents X, Y, Z of the output.</summary>
    public virtual long[] OutputExtents(long[] input) => input;

    /// <summary>The input planes that output planes need; they may lie outside of the volume.</summary>
    public virtual (long From, long To) InputPlanes(SlabRange range) => (range.From, range.To);

    /// <summary>Computes the planes of <paramref name="range"/>.</summary>
    /// <param name="input">[1, in, x, Y, Z]: the planes that <see cref="InputPlanes"/> names.</param>
    /// <param name="residual">Added to the result, and overwritten by it; or null.</param>
    /// <param name="range">The output planes.</param>
    /// <returns>[1, out, planes, Y', Z'].</returns>
    public abstract Tensor Run(Tensor input, Tensor? residual, SlabRange range);

    /// <summary>The most bytes that <see cref="Run"/> takes beside input, residual and result, prepared weights included.</summary>
    /// <param name="input">C, x, Y, Z of the input.</param>
    /// <param name="output">C, x, Y, Z of the output.</param>
    /// <param name="type">Element type.</param>
    public abstract long Transient(long[] input, long[] output, ScalarType type);

    /// <summary>Prepares weights for the slabs to come.</summary>
    public virtual void Begin()
    {
    }

    /// <summary>Gives up what <see cref="Begin"/> made.</summary>
    public virtual void End()
    {
    }

    /// <summary>Elements of a tensor.</summary>
    protected static long Elements(long[] size) => size.Aggregate(1L, (a, b) => a * b);

    /// <summary>
    /// Bytes that libtorch's own convolutions take: input and output again in a blocked layout whose channels come in eights (or sixteens),
    /// a dense copy of an input that is not, and the weights in another order; or, for other numbers of channels, the input once per weight.
    /// </summary>
    protected static long LibraryConvolution(long[] input, long[] output, long weights, ScalarType type)
    {
        static long Blocked(long channels) => (channels + 15) / 16 * 16;
        var reordered = (Elements(input[1..]) * Blocked(input[0])) + (Elements(output[1..]) * Blocked(output[0]));
        var unrolled = input[0] % 8 == 0 && output[0] % 8 == 0 ? 0 : 27 * Elements(input);
        return (ElementTypes.Size(type) * (unrolled + reordered + Elements(input) + Elements(output) + (4 * Blocked(1) * weights))) + (4L << 20);
    }
}
