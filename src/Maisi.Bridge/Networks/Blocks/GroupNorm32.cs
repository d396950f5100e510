using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Group norm that computes in fp32 whatever the activations' type, and returns that type.</summary>
internal sealed class GroupNorm32 : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly Parameter bias;
    private readonly long _groups;
    private readonly double _eps;

    public GroupNorm32(long groups, long channels, double eps)
        : base(nameof(GroupNorm32))
    {
        _groups = groups;
        _eps = eps;
        var standard = nn.GroupNorm(groups, channels); // brings its parameters, on the device that networks are being built on
        (weight, bias) = (standard.weight!, standard.bias!);
        RegisterComponents();
    }

    /// <summary>The same norm for slabs.</summary>
    public SlabNorm ForSlabs(bool silu) => new(weight, bias, _groups, _eps, RoundsToHalf: false, silu);

    /// <summary>[B, C, ...] to the same shape and type.</summary>
    public override Tensor forward(Tensor x)
    {
        if (x.dtype is ScalarType.Float32 or ScalarType.Float64)
            return nn.functional.group_norm(x, _groups, weight, bias, _eps);
        using var wide = x.to(ScalarType.Float32);
        using var normalized = nn.functional.group_norm(wide, _groups, weight, bias, _eps);
        return normalized.to(x.dtype);
    }
}
