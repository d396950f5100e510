using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Torch.Tests;

public sealed class AutogradTests : TensorTest
{
    public static readonly TheoryData<string, Func<Tensor, Tensor>> Functions = new()
    {
        { "conv and norm", x => nn.functional.group_norm(nn.functional.conv3d(x, Fixed(4, 2, 3, 3, 3), padding: [1]), 2).silu() },
        { "attention", x => nn.functional.scaled_dot_product_attention(x[0], x[0], x[0]) },
        { "interpolation", x => nn.functional.interpolate(x, scale_factor: [1.5], mode: InterpolationMode.Trilinear) },
        { "grid sample", x => nn.functional.grid_sample(x, Fixed(1, 2, 2, 2, 3) * 0.4) },
        { "pooling", x => nn.functional.avg_pool3d(x, [2, 2, 2]) },
        { "elementwise", x => (x.exp() / (1 + x.pow(2))).tanh() },
        { "indexing", x => x[TensorIndex.Ellipsis, TensorIndex.Slice(1, 3)] * x[.., 0, 1].unsqueeze(-1) },
        { "linear algebra", x => linalg.inv(x[0, 0].matmul(x[0, 1].transpose(-2, -1)) + eye(3, dtype: float64) * 5) },
    };

    [Theory]
    [MemberData(nameof(Functions), DisableDiscoveryEnumeration = true)]
    public void Gradients_match_finite_differences(string name, Func<Tensor, Tensor> function)
    {
        var x = Fixed(1, 2, 3, 3, 3);
        x.requires_grad = true;
        var weights = Fixed(function(x).shape) + 0.3;
        (function(x) * weights).sum().backward();
        var analytic = Values(x.grad!);
        using var _ = no_grad();
        const double step = 1e-5;
        for (var i = 0; i < x.numel(); i += 5)
        {
            var shift = zeros(x.numel(), float64);
            shift.data<double>()[i] = step;
            shift = shift.reshape(x.shape);
            var numeric = ((function(x + shift) - function(x - shift)) * weights).sum().ToDouble() / (2 * step);
            analytic[i].ShouldBe(numeric, 1e-6 * Math.Max(1, Math.Abs(numeric)), name);
        }
    }

    [Fact]
    public void Grad_gives_gradients_without_accumulating()
    {
        var x = tensor(new[] { 1.0, 2.0 }, requires_grad: true);
        var unused = tensor(new[] { 1.0 }, requires_grad: true);
        var y = x.pow(3).sum();
        Values(autograd.grad([y], [x], retain_graph: true).Single()).ShouldBe([3, 12]);
        x.grad.ShouldBeNull();
        autograd.grad([y], [x, unused], retain_graph: true, allow_unused: true)[1].ShouldBeNull();
        var second = autograd.grad([autograd.grad([y], [x], create_graph: true).Single().sum()], [x]).Single();
        Values(second).ShouldBe([6, 12]);
        Should.Throw<TorchException>(() => autograd.grad([x.pow(2)], [x])).Message.ShouldContain("scalar");
        autograd.backward([x.pow(2)], [tensor(new[] { 1.0, 10.0 })], inputs: [x]);
        Values(x.grad!).ShouldBe([2, 40]);
    }

    [Fact]
    public void Grad_modes_nest_and_are_of_one_thread()
    {
        var x = ones([1], requires_grad: true);
        using (no_grad())
        {
            (x * 2).requires_grad.ShouldBeFalse();
            using (enable_grad())
                (x * 2).requires_grad.ShouldBeTrue();
            var elsewhere = false;
            var thread = new Thread(() => elsewhere = is_grad_enabled());
            thread.Start();
            thread.Join();
            elsewhere.ShouldBeTrue();
            is_grad_enabled().ShouldBeFalse();
        }
        using (inference_mode())
        {
            is_inference_mode_enabled().ShouldBeTrue();
            (x * 2).requires_grad.ShouldBeFalse();
        }
        is_inference_mode_enabled().ShouldBeFalse();
    }

    [Fact]
    public void Checkpointing_equals_the_plain_call()
    {
        manual_seed(3).Dispose();
        using var net = nn.Sequential(nn.Conv3d(2, 4, 3, 1, 1), nn.GroupNorm(2, 4), nn.SiLU(), nn.Dropout(0.5), nn.Conv3d(4, 2, 3, 1, 1));
        var x = randn([1, 2, 5, 5, 5], requires_grad: true);
        var other = randn(1, requires_grad: true);
        Tensor Run(Tensor[] inputs) => net.call(inputs[0] * inputs[1]);

        var plain = Gradients(() => Run([x, other]));
        var saved = Gradients(() => Checkpointing.Run(Run, x, other));
        for (var i = 0; i < plain.Count; i++)
            saved[i].ShouldBe(plain[i], 1e-6);

        List<double[]> Gradients(Func<Tensor> forward)
        {
            // Dropout must draw the same numbers in both runs, and in the recomputation.
            manual_seed(11).Dispose();
            net.zero_grad();
            x.grad = other.grad = null;
            var y = forward();
            manual_seed(99).Dispose();
            y.pow(2).mean().backward();
            return [Values(y), Values(x.grad!), Values(other.grad!), .. net.parameters().Select(p => Values(p.grad!))];
        }
    }

    [Fact]
    public void A_failure_inside_a_checkpoint_reaches_the_caller()
    {
        var calls = 0;
        var x = ones([2], requires_grad: true);
        var y = Checkpointing.Run(i => ++calls == 1 ? i[0] * 2 : throw new InvalidOperationException("second thoughts"), x);
        Should.Throw<TorchException>(() => y.sum().backward()).InnerException.ShouldBeOfType<InvalidOperationException>();
        // The next backward pass is not bothered by it.
        (x * 3).sum().backward();
        Values(x.grad!).ShouldBe([3, 3]);
    }

    [Fact]
    public void Checkpointing_keeps_less_memory()
    {
        using var net = nn.Sequential(Enumerable.Range(0, 8).Select(_ => (nn.Module<Tensor, Tensor>)nn.SiLU()));
        var x = randn([1, 8, 16, 16, 16], requires_grad: true);
        long Kept(Func<Tensor> forward)
        {
            var before = NativeMemoryBudget.Cpu().Current;
            using var y = forward();
            return NativeMemoryBudget.Cpu().Current - before;
        }
        var one = x.numel() * 4;
        Kept(() => net.call(x)).ShouldBeGreaterThanOrEqualTo(8 * one);
        Kept(() => Checkpointing.Run(i => net.call(i[0]), x)).ShouldBeLessThan(2 * one);
    }

    private static Tensor Fixed(params long[] shape) => arange(shape.Aggregate(1L, (a, b) => a * b), float64).sin().reshape(shape);
}
