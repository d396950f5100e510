using TorchSharp;

namespace Maisi.Bridge.Torch.Tests;

public class CpuMemoryTests
{
    private const long MiB = 1 << 20;

    [Fact]
    public void Blocks_are_counted_by_what_was_asked_for_and_given_back()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = NativeMemoryBudget.Cpu(resetPeak: true).Current;
        using (torch.zeros(3 * MiB, dtype: torch.ScalarType.Byte))
            (NativeMemoryBudget.Cpu().Current - before).ShouldBe(3 * MiB);
        NativeMemoryBudget.Cpu().Current.ShouldBe(before);
        (NativeMemoryBudget.Cpu().Peak - before).ShouldBe(3 * MiB);
    }

    [Fact]
    public void Freed_large_blocks_are_reused_and_trimmed()
    {
        NativeMemoryBudget.Trim();
        var size = 64 * MiB;
        torch.ones(size, dtype: torch.ScalarType.Byte).Dispose();
        var kept = ResidentBytes();
        NativeMemoryBudget.Trim();
        (kept - ResidentBytes()).ShouldBeGreaterThan(60 * MiB);

        torch.ones(size, dtype: torch.ScalarType.Byte).Dispose();
        using var again = torch.zeros(size, dtype: torch.ScalarType.Byte);
        again.max().ToDouble().ShouldBe(0);
        ResidentBytes().ShouldBeLessThan(kept + (8 * MiB));
    }

    [Fact]
    public void Many_sizes_and_threads_keep_their_own_values()
    {
        Parallel.For(0, 4, thread =>
        {
            var random = new Random(thread);
            var held = new Queue<(torch.Tensor Tensor, float Value, long Length)>();
            for (var i = 0; i < 200; i++)
            {
                var length = random.NextInt64(1, 3 * MiB);
                var value = random.Next(1, 100);
                held.Enqueue((torch.full(length, value), value, length));
                if (held.Count < 6)
                    continue;
                var (tensor, expected, count) = held.Dequeue();
                tensor.min().ToSingle().ShouldBe(expected);
                tensor.max().ToSingle().ShouldBe(expected);
                tensor.numel().ShouldBe(count);
                tensor.Dispose();
            }
            foreach (var (tensor, _, _) in held)
                tensor.Dispose();
        });
    }

    private static long ResidentBytes()
    {
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;
    }
}
