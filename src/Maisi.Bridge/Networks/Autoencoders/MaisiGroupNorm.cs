// Port of MaisiGroupNorm3D in monai/apps/generation/maisi/networks/autoencoderkl_maisi.py (MONAI 1.5).
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Group norm in fp32; of half activations the normalised value is, on request, rounded to half before weight and bias.</summary>
internal sealed class MaisiGroupNorm : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly Parameter bias;
    private readonly AutoencoderShape _shape;

    public MaisiGroupNorm(AutoencoderShape shape, int channels)
        : base(nameof(MaisiGroupNorm))
    {
        _shape = shape;
        var standard = nn.GroupNorm(shape.NormGroups, channels); // brings its parameters, on the device that networks are being built on
        (weight, bias) = (standard.weight!, standard.bias!);
        RegisterComponents();
    }

    /// <summary>The same norm for slabs.</summary>
    public SlabNorm ForSlabs(bool silu) => new(weight, bias, _shape.NormGroups, _shape.NormEps, _shape.NormFloat16, silu);

    /// <summary>[B, C, X, Y, Z] to the same shape and element type.</summary>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var wide = x.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? x.to(ScalarType.Float32) : x;
        // Upstream asks for half to save memory under autocast, where activations are half already. In fp32 nothing is rounded: a
        // convolution in fp32 would refuse the result.
        if (!_shape.NormFloat16 || x.dtype == ScalarType.Float32)
        {
            var normalized = nn.functional.group_norm(wide, _shape.NormGroups, weight, bias, _shape.NormEps);
            return (normalized.dtype == x.dtype ? normalized : normalized.to(x.dtype)).MoveToOuterDisposeScope();
        }
        var half = nn.functional.group_norm(wide, _shape.NormGroups, null, null, _shape.NormEps).to(ScalarType.Float16);
        long[] perChannel = [1, x.shape[1], .. Enumerable.Repeat(1L, (int)x.dim() - 2)];
        half.mul_(weight.reshape(perChannel));
        half.add_(bias.reshape(perChannel));
        // A network in bfloat16 goes on in its own type.
        return (x.dtype == ScalarType.BFloat16 ? half.to(ScalarType.BFloat16) : half).MoveToOuterDisposeScope();
    }
}
