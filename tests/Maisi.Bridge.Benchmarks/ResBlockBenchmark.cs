using static TorchSharp.torch;

namespace Maisi.Bridge.Benchmarks;

/// <summary>A residual block of 64 channels on 32³ voxels, forward and with its backward pass.</summary>
internal sealed class ResBlockBenchmark : IBenchmark
{
    private const string Cases = """
        m = ResBlock(64); x = torch.randn(1, 64, 32, 32, 32)
        def forward():
            with torch.no_grad(): m(x)
        def train():
            m(x).pow(2).mean().backward()
            for p in m.parameters(): p.grad = None
        case("forward", forward)
        case("forward and backward", train)
        """;

    public string Name => "resblock";

    public string Description => "ResBlock 64 channels, 32x32x32, against Python; --rounds 11 --threads 1 --python /usr/bin/python3";

    public int Run(BenchmarkOptions options)
    {
        using var comparison = new Comparison(options, ResBlock.Python + "\n" + Cases);
        using var block = new ResBlock(64);
        using var x = randn([1, 64, 32, 32, 32]);
        comparison.Case("forward", () =>
        {
            using var grad = no_grad();
            block.call(x).Dispose();
        }, 1);
        comparison.Case("forward and backward", () =>
        {
            using (NewDisposeScope())
                block.call(x).pow(2).mean().backward();
            block.zero_grad();
        }, 1);
        return 0;
    }
}
