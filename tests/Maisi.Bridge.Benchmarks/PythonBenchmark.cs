using System.Diagnostics;
using System.Globalization;
using Maisi.Bridge.Interop;
using Maisi.Bridge.Python;
using Microsoft.Extensions.Logging.Abstractions;
using Python.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Benchmarks;

/// <summary>What it costs to reach Python: a worker from nothing to its first result, and 256 MB of tensor there and back.</summary>
internal sealed class PythonBenchmark : IBenchmark
{
    private const double Giga = 1e9;

    public string Name => "python";

    public string Description => "cold worker start, 256 MB through a worker and in process; --rounds 11 --megabytes 256 --python FILE";

    public int Run(BenchmarkOptions options) => RunAsync(options).GetAwaiter().GetResult();

    private static async Task<int> RunAsync(BenchmarkOptions options)
    {
        var rounds = options.Number("rounds", 11);
        var elements = options.Number("megabytes", 256) * 1_000_000L / sizeof(float);
        var settings = new PythonOptions { Executable = options.Text("python", "/usr/bin/python3") };
        await using var runtime = new PythonRuntime(settings, NullLoggerFactory.Instance, TimeProvider.System);
        var interpreter = await runtime.InterpreterAsync();
        Console.WriteLine($"{interpreter.Executable}, Python {interpreter.Version}, {rounds} rounds, medians");

        var cold = new List<double>();
        for (var i = 0; i < rounds; i++)
            cold.Add(await Seconds(async () => _ = await runtime.CallAsync("operator:add", PythonArguments.Of(1, 2))));
        Print("cold worker, start to first result", cold);
        var bare = Enumerable.Range(0, rounds).Select(_ => Clock.Of(() => Process.Start(settings.Executable, ["-c", "1+2"]).WaitForExit()).Wall).ToList();
        Print("the interpreter alone (python -c)", bare);

        using var payload = full([elements], 1.5f);
        await using (var session = await runtime.OpenSessionAsync())
        {
            // The first call imports torch.
            using (var warm = payload.ToShared(runtime))
                ((IDisposable?)await session.CallAsync("operator:neg", PythonArguments.Of(warm)))!.Dispose();
            var there = new List<double>();
            for (var i = 0; i < rounds; i++)
            {
                there.Add(await Seconds(async () =>
                {
                    using var sent = payload.ToShared(runtime);
                    using var received = (SharedArray)(await session.CallAsync("operator:neg", PythonArguments.Of(sent)))!;
                    using var result = received.ToTensor();
                    if (result[elements - 1].ToSingle() != -1.5f)
                        throw new InvalidOperationException("the worker's result is wrong");
                }));
            }
            Print("through a worker, negated, and back", there, 2 * elements * sizeof(float));
        }

        if (InProcessTensors.TryStart(interpreter, NullLogger.Instance) is not { } shared)
        {
            Console.WriteLine($"in process: {InProcessTensors.Refusal(interpreter, InProcessTensors.LoadedLibtorch())}");
            return 0;
        }
        using (shared)
        {
            var exchange = Enumerable.Range(0, rounds).Select(_ => Clock.Of(() => shared.Run(() =>
            {
                using var theirs = shared.ToPython(payload);
                using var ours = shared.ToManaged(theirs);
                return ours.shape[0] == elements;
            })).Wall).ToList();
            Print("in process, to Python and back", exchange);
        }
        return 0;
    }

    private static async Task<double> Seconds(Func<Task> work)
    {
        var start = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Print(string name, List<double> seconds, long bytes = 0)
    {
        var median = Clock.Median(seconds);
        var rate = bytes > 0 ? string.Create(CultureInfo.InvariantCulture, $", {bytes / Giga / median:F2} GB/s both ways together") : "";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-40}{median * 1e3,12:F3} ms (best {seconds.Min() * 1e3:F3}){rate}"));
    }
}
