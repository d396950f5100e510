using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Maisi.Bridge.Benchmarks;

/// <summary>The block that MAISI's networks are made of: twice norm, SiLU, 3x3x3 convolution, and the input on top. [N, C, D, H, W] to the same.</summary>
internal sealed class ResBlock : Module<Tensor, Tensor>
{
    /// <summary>The same block in Python.</summary>
    public const string Python = """
        class ResBlock(torch.nn.Module):
            def __init__(self, channels, groups=32):
                super().__init__()
                self.norm1 = torch.nn.GroupNorm(groups, channels); self.conv1 = torch.nn.Conv3d(channels, channels, 3, padding=1)
                self.norm2 = torch.nn.GroupNorm(groups, channels); self.conv2 = torch.nn.Conv3d(channels, channels, 3, padding=1)
            def forward(self, x):
                h = self.conv1(torch.nn.functional.silu(self.norm1(x)))
                return x + self.conv2(torch.nn.functional.silu(self.norm2(h)))
        """;

    private readonly TorchSharp.Modules.GroupNorm norm1;
    private readonly TorchSharp.Modules.Conv3d conv1;
    private readonly TorchSharp.Modules.GroupNorm norm2;
    private readonly TorchSharp.Modules.Conv3d conv2;

    public ResBlock(long channels, long groups = 32)
        : base(nameof(ResBlock))
    {
        norm1 = GroupNorm(groups, channels);
        conv1 = Conv3d(channels, channels, 3, 1, 1);
        norm2 = GroupNorm(groups, channels);
        conv2 = Conv3d(channels, channels, 3, 1, 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return ForwardWithoutScope(x).MoveToOuterDisposeScope();
    }

    /// <summary>The same with every intermediate left to the garbage collector.</summary>
    public Tensor ForwardWithoutScope(Tensor x)
    {
        var h = conv1.call(norm1.call(x).silu());
        return x + conv2.call(norm2.call(h).silu());
    }
}
