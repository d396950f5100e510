// Port of monai/networks/blocks/mlp.py (MLPBlock with GEGLU, MONAI 1.5); Shazeer, arXiv:2002.05202.
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Linear to twice the hidden width, a·gelu(b) of the two halves, linear back.</summary>
internal sealed class GegluMlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear linear1;
    private readonly Linear linear2;

    public GegluMlp(long channels, long hidden)
        : base(nameof(GegluMlp))
    {
        linear1 = nn.Linear(channels, 2 * hidden);
        linear2 = nn.Linear(hidden, channels);
        RegisterComponents();
    }

    /// <summary>[B, N, C] to the same shape.</summary>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var halves = linear1.call(x).chunk(2, -1);
        return linear2.call(halves[0] * nn.functional.gelu(halves[1])).MoveToOuterDisposeScope();
    }
}
