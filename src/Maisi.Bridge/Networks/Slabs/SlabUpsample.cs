using Maisi.Bridge.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Twice the resolution by interpolation, then a 3×3×3 convolution. The planes of a slab are even in number, but for the last.</summary>
internal sealed class SlabUpsample(Func<Tensor, Tensor> widen, SlabConvolution convolution) : SlabOperation
{
    public override bool RepeatsBorder => true;

    public override double MultiplyAdds => convolution.MultiplyAdds;

    public override long[] OutputExtents(long[] input) => [.. input.Select(n => 2 * n)];

    public override (long From, long To) InputPlanes(SlabRange range) => ((range.From / 2) - 1, (range.To / 2) + 1);

    public override void Begin() => convolution.Begin();

    public override void End() => convolution.End();

    public override Tensor Run(Tensor input, Tensor? residual, SlabRange range)
    {
        using var all = widen(input); // planes 2·From/2 - 2 .. 2·To/2 + 2; the outermost lack a neighbour and are left out
        using var wide = all.narrow(2, 1, range.Count + 2);
        // The convolution's zeros lie around the wide volume, not around the one that was widened.
        if (range.From == 0)
            wide.narrow(2, 0, 1).zero_().Dispose();
        if (range.To == range.Total)
            wide.narrow(2, range.Count + 1, 1).zero_().Dispose();
        return convolution.Run(wide, residual, range);
    }

    public override long Transient(long[] input, long[] output, ScalarType type)
    {
        long[] all = [input[0], 2 * input[1], 2 * input[2], 2 * input[3]];
        long[] wide = [input[0], output[1] + 2, output[2], output[3]];
        // Half-precision volumes are widened in fp32 on the CPU.
        var widening = Elements(all) * (ElementTypes.Size(type) == 2 ? 10 : ElementTypes.Size(type));
        return widening + convolution.Transient(wide, output, type);
    }
}

/// <summary>Twice the resolution by a transposed convolution of stride 2, 3 wide (with output padding) or 2 wide.</summary>
internal sealed class SlabTransposed(nn.Module<Tensor, Tensor> layer, bool needsNext) : SlabOperation
{
    public override double MultiplyAdds => (needsNext ? 27.0 : 8.0) / 8 * InChannels * OutChannels;

    public override long[] OutputExtents(long[] input) => [.. input.Select(n => 2 * n)];

    public override (long From, long To) InputPlanes(SlabRange range) => (range.From / 2, (range.To / 2) + (needsNext ? 1 : 0));

    public override Tensor Run(Tensor input, Tensor? residual, SlabRange range)
    {
        var result = layer.call(input);
        if (!needsNext)
            return result;
        using var mine = result.narrow(2, 0, range.Count);
        return mine.contiguous().Freeing(result);
    }

    public override long Transient(long[] input, long[] output, ScalarType type)
    {
        long[] result = [output[0], output[1] + 2, output[2], output[3]];
        return LibraryConvolution(input, result, 27 * InChannels * OutChannels, type) + (Elements(result) * ElementTypes.Size(type));
    }
}
