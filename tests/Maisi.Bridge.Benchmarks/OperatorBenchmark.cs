using static TorchSharp.torch;

namespace Maisi.Bridge.Benchmarks;

/// <summary>What one call costs when there is next to nothing to compute.</summary>
internal sealed class OperatorBenchmark : IBenchmark
{
    private const string Script = """
        torch.set_grad_enabled(False)
        a = torch.randn(4, 4); b = torch.randn(4, 4); w = torch.randn(4, 4); x = torch.randn(1, 2, 4, 4, 4); k = torch.randn(2, 2, 1, 1, 1)
        case("add", lambda: a + b)
        case("add number", lambda: a + 1.5)
        case("multiply in place", lambda: a.mul_(1.0))
        case("reshape", lambda: a.reshape(16))
        case("slice", lambda: a[1:3])
        case("shape", lambda: a.shape)
        case("dtype", lambda: a.dtype)
        case("linear", lambda: torch.nn.functional.linear(a, w))
        case("cat", lambda: torch.cat([a, b]))
        case("conv3d", lambda: torch.nn.functional.conv3d(x, k))
        """;

    public string Name => "operators";

    public string Description => "cost of one small operator call against Python; --rounds 11 --threads 1 --python /usr/bin/python3 --repeat 20000";

    public int Run(BenchmarkOptions options)
    {
        using var comparison = new Comparison(options, Script);
        var repeat = options.Number("repeat", 20000);
        using var scope = NewDisposeScope();
        using var grad = no_grad();
        Tensor a = randn(4, 4), b = randn(4, 4), w = randn(4, 4), x = randn([1, 2, 4, 4, 4]), k = randn([2, 2, 1, 1, 1]);
        comparison.Case("add", () => (a + b).Dispose(), repeat);
        comparison.Case("add number", () => (a + 1.5).Dispose(), repeat);
        comparison.Case("multiply in place", () => a.mul_(1.0), repeat);
        comparison.Case("reshape", () => a.reshape(16).Dispose(), repeat);
        comparison.Case("slice", () => a[TensorIndex.Slice(1, 3)].Dispose(), repeat);
        comparison.Case("shape", () => _ = a.shape, repeat);
        comparison.Case("dtype", () => _ = a.dtype, repeat);
        comparison.Case("linear", () => nn.functional.linear(a, w).Dispose(), repeat);
        comparison.Case("cat", () => cat([a, b]).Dispose(), repeat);
        comparison.Case("conv3d", () => nn.functional.conv3d(x, k).Dispose(), repeat / 10);
        return 0;
    }
}
