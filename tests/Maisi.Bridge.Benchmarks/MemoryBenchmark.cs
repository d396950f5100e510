using System.Diagnostics;
using System.Globalization;
using Maisi.Bridge.Runtime;
using static TorchSharp.torch;

namespace Maisi.Bridge.Benchmarks;

/// <summary>Peak memory of 200 forward passes with 4 MiB activations, with and without scopes; each way in a process of its own.</summary>
internal sealed class MemoryBenchmark : IBenchmark
{
    private const string Nothing = "nothing";
    private const string Budget = "budget only";
    private const string Scope = "scope only";
    private const string Both = "scope and budget";

    public string Name => "memory";

    public string Description => "peak RSS of 200 ResBlock forward passes (32 channels, 32x32x32) by the way of releasing; --passes 200 --way WAY";

    public int Run(BenchmarkOptions options)
    {
        var passes = options.Number("passes", 200);
        var way = options.Text("way", "");
        if (way.Length > 0)
        {
            Console.WriteLine(Measure(way, passes));
            return 0;
        }
        Console.WriteLine($"{passes} forward passes of a ResBlock, 32 channels, 32x32x32: activations of 4 MiB");
        foreach (var each in new[] { Nothing, Budget, Scope, Both })
        {
            var start = new ProcessStartInfo(Environment.ProcessPath!)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                ArgumentList = { Name, "--passes", passes.ToString(CultureInfo.InvariantCulture), "--way", each },
            };
            using var process = Process.Start(start)!;
            Console.WriteLine($"{each,-18}{process.StandardOutput.ReadToEnd().Trim()}");
            process.WaitForExit();
        }
        return 0;
    }

    private static string Measure(string way, int passes)
    {
        TensorRuntime.NativeBudget = way is Budget or Both ? 128L << 20 : 0;
        set_num_threads(2);
        using var block = new ResBlock(32);
        using var x = randn([1, 32, 32, 32, 32]);
        using var grad = no_grad();
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < passes; i++)
        {
            if (way is Scope or Both)
                block.call(x).Dispose();
            else
                _ = block.ForwardWithoutScope(x);
        }
        var peak = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        var native = TensorRuntime.Memory(CPU).Peak >> 20;
        return $"peak RSS {long.Parse(peak, CultureInfo.InvariantCulture) / 1024} MiB, peak of live tensors {native} MiB, {clock.Elapsed.TotalSeconds:F1} s";
    }
}
