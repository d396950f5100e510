using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Layer norm over the last axis that computes in fp32 whatever the activations' type, and returns that type.</summary>
internal sealed class LayerNorm32 : nn.Module<Tensor, Tensor>
{
    private const double Eps = 1e-5;
    private readonly Parameter weight;
    private readonly Parameter bias;

    public LayerNorm32(long channels)
        : base(nameof(LayerNorm32))
    {
        var standard = nn.LayerNorm(channels); // brings its parameters, on the device that networks are being built on
        (weight, bias) = (standard.weight!, standard.bias!);
        RegisterComponents();
    }

    /// <summary>[..., C] to the same shape and type.</summary>
    public override Tensor forward(Tensor x)
    {
        var shape = new[] { x.shape[^1] };
        if (x.dtype is ScalarType.Float32 or ScalarType.Float64)
            return nn.functional.layer_norm(x, shape, weight, bias, Eps);
        using var wide = x.to(ScalarType.Float32);
        using var normalized = nn.functional.layer_norm(wide, shape, weight, bias, Eps);
        return normalized.to(x.dtype);
    }
}
