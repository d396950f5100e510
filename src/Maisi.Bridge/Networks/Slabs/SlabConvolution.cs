using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>3×3×3, stride 1, zeros around: by the fast kernel where there is one, otherwise by libtorch's.</summary>
internal sealed class SlabConvolution(Tensor weight, Tensor? bias) : SlabOperation
{
    private Tensor? _prepared;

    public override double MultiplyAdds => 27.0 * InChannels * OutChannels;

    private bool IsFast => TensorRuntime.HasVolumeKernels(weight.dtype, weight.device_type);

    public override (long From, long To) InputPlanes(SlabRange range) => (range.From - 1, range.To + 1);

    public override void Begin() => _prepared = IsFast ? TensorRuntime.ConvolutionWeights(weight).DetachFromDisposeScope() : null;

    public override void End() => _prepared?.Dispose();

    public override Tensor Run(Tensor input, Tensor? residual, SlabRange range)
    {
        if (_prepared is null)
        {
            long[] one = [1, 1, 1];
            long[] padding = [0, 1, 1];
            var result = nn.functional.conv3d(input, weight, bias, one, padding);
            return residual is null ? result : residual.add_(result).Freeing(result);
        }
        var output = residual ?? empty([1, OutChannels, range.Count, input.shape[3], input.shape[4]], input.dtype);
        TensorRuntime.Convolve(input, _prepared, bias, residual, true, output);
        return output;
    }

    public override long Transient(long[] input, long[] output, ScalarType type) => IsFast
        ? (64 * 4 * InChannels * ((OutChannels + 3) / 4 * 4)) + TensorRuntime.ConvolutionScratch(input[0], output[0], output[1], output[2], output[3])
        : LibraryConvolution(input, output, 27 * InChannels * OutChannels, type) + (Elements(output) * ElementTypes.Size(type));
}

/// <summary>1×1×1: a product of matrices.</summary>
internal sealed class SlabPointwise(Tensor weight, Tensor? bias) : SlabOperation
{
    public override double MultiplyAdds => (double)InChannels * OutChannels;

    public override Tensor Run(Tensor input, Tensor? residual, SlabRange range)
    {
        using var scope = NewDisposeScope();
        var result = weight.reshape(OutChannels, InChannels).matmul(input.reshape(InChannels, -1)); // [out, voxels]
        if (bias is not null)
            result.add_(bias.reshape(-1, 1));
        result = result.reshape([1, OutChannels, .. input.shape[2..]]);
        return (residual is null ? result : residual.add_(result)).MoveToOuterDisposeScope();
    }

    public override long Transient(long[] input, long[] output, ScalarType type) =>
        ((Elements(input) + Elements(output)) * ElementTypes.Size(type)) + (1L << 20);
}

/// <summary>Half the resolution: a zero plane behind the end of each axis, then 3×3×3 with stride 2.</summary>
internal sealed class SlabDownsample(Tensor weight, Tensor? bias) : SlabOperation
{
    public override double MultiplyAdds => 27.0 * InChannels * OutChannels;

    public override long[] OutputExtents(long[] input) => [.. input.Select(n => n / 2)];

    public override (long From, long To) InputPlanes(SlabRange range) => (2 * range.From, (2 * range.To) + 1);

    public override Tensor Run(Tensor input, Tensor? residual, SlabRange range)
    {
        using var padded = nn.functional.pad(input, [0L, 1, 0, 1, 0, 0]);
        long[] two = [2, 2, 2];
        return nn.functional.conv3d(padded, weight, bias, two);
    }

    public override long Transient(long[] input, long[] output, ScalarType type)
    {
        long[] padded = [input[0], input[1], input[2] + 1, input[3] + 1];
        return LibraryConvolution(padded, output, 27 * InChannels * OutChannels, type) + (Elements(padded) * ElementTypes.Size(type));
    }
}
