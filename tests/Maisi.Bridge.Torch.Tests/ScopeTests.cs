using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Torch.Tests;

/// <summary>Live bytes are counted by the allocator itself. xUnit runs the tests of one class one after the other; the collection keeps others away.</summary>
[Collection(nameof(ExactMemory))]
public sealed class ScopeTests
{
    [Fact]
    public void A_scope_releases_what_was_made_in_it()
    {
        var before = Live();
        using (var scope = NewDisposeScope())
        {
            var x = ones(1024);
            _ = (x + 1) * 2;
            scope.DisposablesCount.ShouldBe(3);
            Live().ShouldBe(before + 3 * 4096);
        }
        Live().ShouldBe(before);
    }

    [Fact]
    public void Tensors_move_out_of_scopes()
    {
        var before = Live();
        Tensor kept, outer;
        using (var first = NewDisposeScope())
        {
            using (NewDisposeScope())
            {
                kept = ones(1024).DetachFromDisposeScope();
                outer = ones(1024).MoveToOuterDisposeScope();
                _ = ones(1024);
            }
            first.DisposablesCount.ShouldBe(1);
            Live().ShouldBe(before + 2 * 4096);
            outer.IsInvalid.ShouldBeFalse();
        }
        outer.IsInvalid.ShouldBeTrue();
        Should.Throw<ObjectDisposedException>(() => outer.shape).Message.ShouldContain("DisposeScope");
        kept.Dispose();
        kept.Dispose();
        Live().ShouldBe(before);
    }

    [Fact]
    public void Disposing_in_any_order_keeps_the_books()
    {
        var before = Live();
        using (var scope = NewDisposeScope())
        {
            var tensors = Enumerable.Range(0, 20).Select(_ => ones(256)).ToArray();
            foreach (var i in new[] { 3, 0, 19, 7, 7 })
                tensors[i].Dispose();
            scope.DisposablesCount.ShouldBe(16);
            scope.DisposeEverythingBut(tensors[5]);
            scope.DisposablesCount.ShouldBe(1);
            tensors[5].IsInvalid.ShouldBeFalse();
        }
        Live().ShouldBe(before);
        WrappedTensorDisposeScope(() => ones(10) + ones(10)).Dispose();
        Live().ShouldBe(before);
    }

    [Fact]
    public void Scopes_belong_to_their_thread()
    {
        using var scope = NewDisposeScope();
        Tensor? made = null;
        var thread = new Thread(() => made = ones(4));
        thread.Start();
        thread.Join();
        scope.DisposablesCount.ShouldBe(0);
        scope.Attach(made!);
        scope.DisposablesCount.ShouldBe(1);
    }

    [Fact]
    public void Parameters_and_buffers_outlive_the_scope_they_were_made_in()
    {
        nn.Module<Tensor, Tensor> net;
        using (NewDisposeScope())
            net = nn.Sequential(nn.Conv3d(2, 2, 1), nn.BatchNorm3d(2));
        using (var y = net.call(ones([1, 2, 2, 2, 2])))
            y.shape.ShouldBe([1, 2, 2, 2, 2]);
        net.Dispose();
    }

    [Fact]
    public void A_training_step_returns_to_the_baseline()
    {
        using var net = nn.Sequential(nn.Conv3d(4, 8, 3, 1, 1), nn.GroupNorm(4, 8), nn.SiLU(), nn.Conv3d(8, 4, 3, 1, 1));
        using var optimizer = optim.AdamW(net.parameters(), 1e-3, weight_decay: 0.01);
        using var x = randn([1, 4, 8, 8, 8]);
        Step();
        var after = Live();
        for (var i = 0; i < 5; i++)
            Step();
        Live().ShouldBe(after);

        void Step()
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            nn.functional.mse_loss(net.call(x), x).backward();
            nn.utils.clip_grad_norm_(net.parameters(), 1);
            optimizer.step();
        }
    }

    [Fact]
    public void Repeated_calls_of_everything_that_makes_temporaries_leave_nothing()
    {
        using var x = arange(24, float32).reshape(2, 3, 4);
        using var index = tensor(new long[] { 1, 0 });
        Run();
        var before = Live();
        for (var i = 0; i < 3; i++)
            Run();
        Live().ShouldBe(before);

        void Run()
        {
            x[0].Dispose();
            x[.., 1..2].Dispose();
            x[TensorIndex.Tensor(index), 1].Dispose();
            using (var one = tensor(1f))
                x[0, 0, 0] = one;
            nn.functional.normalize(x).Dispose();
            nn.functional.scaled_dot_product_attention(x, x, x).Dispose();
            (1 / (x + 1)).Dispose();
            x.to(float64, disposeAfter: false).Dispose();
            foreach (var part in x.chunk(3, 1))
                part.Dispose();
            using var sequential = nn.Sequential(nn.SiLU(), nn.ReLU());
            sequential.call(x).Dispose();
        }
    }

    [Fact]
    public void Forgotten_tensors_are_bounded_by_the_budget()
    {
        var old = NativeMemoryBudget.Bytes;
        var start = Live();
        try
        {
            NativeMemoryBudget.Bytes = 32 << 20;
            var collections = NativeMemoryBudget.Collections;
            _ = NativeMemoryBudget.Cpu(resetPeak: true);
            Forget();
            NativeMemoryBudget.Collections.ShouldBeGreaterThan(collections);
            (NativeMemoryBudget.Cpu().Peak - start).ShouldBeLessThan(80 << 20);
        }
        finally
        {
            NativeMemoryBudget.Bytes = old;
        }

        // 100 tensors of 4 MiB without a scope and without Dispose.
        static void Forget()
        {
            for (var i = 0; i < 100; i++)
                _ = ones([1 << 20]);
        }
    }

    private static long Live()
    {
        // Earlier tests may have left tensors to the finalizer; they must not be counted in the middle of one.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return NativeMemoryBudget.Cpu().Current;
    }
}

/// <summary>Tests that count every byte run alone.</summary>
[CollectionDefinition(nameof(ExactMemory), DisableParallelization = true)]
public sealed class ExactMemory;
