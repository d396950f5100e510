using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Runtime;
using static TorchSharp.torch;

namespace Maisi.Bridge.Benchmarks;

/// <summary>
/// The decoder of maisi_ct_rflow with random weights against MONAI's as configured there, but with norm_float16 off: upstream's half norm
/// needs autocast on CUDA. Every turn is a process of its own, so that peak memory is of one decode; C# and Python alternate.
/// </summary>
internal sealed class DecodeBenchmark : IBenchmark
{
    private const string Script = """
        import json, sys, time, resource
        monai, definition, extent, threads = sys.argv[1:5]
        for folder in monai.split(":"): sys.path.insert(0, folder)
        import torch
        torch.set_num_threads(int(threads)); torch.set_grad_enabled(False)
        from monai.apps.generation.maisi.networks.autoencoderkl_maisi import AutoencoderKlMaisi
        arguments = json.load(open(definition)); del arguments["_target_"]; arguments.update(norm_float16=False, num_splits=4, dim_split=1)
        network = AutoencoderKlMaisi(**arguments).eval()
        latent = torch.randn(1, 4, *[int(extent)] * 3)
        wall, cpu = time.perf_counter(), time.process_time()
        network.decode(latent)
        print("result", time.perf_counter() - wall, time.process_time() - cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        """;

    public string Name => "decode";

    public string Description => "VAE decode against MONAI; --monai FOLDER[:FOLDER] (left out: C# alone) --extent 32 --rounds 3 --threads 1 --memory 16GB";

    public int Run(BenchmarkOptions options)
    {
        var definition = options.Text("definition", Path.Combine("tests", "fixtures", "approvals", "autoencoder.json"));
        var extent = options.Number("extent", 32);
        var threads = options.Number("threads", 1);
        var memory = options.Text("memory", "16GB");
        if (options.Text("child", "").Length > 0)
            return Child(definition, extent, threads, MemorySize.Parse(memory, "--memory"));
        var monai = options.Text("monai", "");
        var (own, other) = (new List<Turn>(), new List<Turn>());
        string[] numbers = [extent.ToString(CultureInfo.InvariantCulture), threads.ToString(CultureInfo.InvariantCulture)];
        for (var round = 0; round < options.Number("rounds", 3); round++)
        {
            own.Add(Measure(threads, Environment.ProcessPath!, Name, "--child", "yes", "--definition", definition, "--extent", numbers[0], "--threads", numbers[1], "--memory", memory));
            Console.WriteLine($"C#     {own[^1]}");
            if (monai.Length == 0)
                continue;
            other.Add(Measure(threads, options.Text("python", "/usr/bin/python3"), "-W", "ignore", "-c", Script, monai, definition, numbers[0], numbers[1]));
            Console.WriteLine($"Python {other[^1]}");
        }
        if (other.Count > 0)
        {
            double Ratio(Func<Turn, double> of) => Clock.Median(own.Select(of)) / Clock.Median(other.Select(of));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"medians of {own.Count}, C# / Python: wall {Ratio(t => t.Wall):F2}, processor time {Ratio(t => t.Cpu):F2}, peak RSS {Ratio(t => t.PeakMiB):F2}"));
        }
        return 0;
    }

    private static int Child(string definition, int extent, int threads, long memory)
    {
        set_num_threads(threads);
        using var scope = NewDisposeScope();
        using var network = NetworkFactory.Create<AutoencoderKlMaisi>(JsonNode.Parse(File.ReadAllText(definition))!.AsObject());
        network.eval();
        var latent = randn([1L, 4, extent, extent, extent]);
        var codec = new SlabCodec(network);
        var plan = codec.PlanDecode([extent, extent, extent], memory);
        Console.WriteLine($"plan: {plan}");
        TensorRuntime.Memory(CPU, resetPeak: true);
        var before = TensorRuntime.Memory(CPU).Allocated;
        var time = Clock.Of(() => codec.Decode(latent, plan).Dispose());
        Console.WriteLine($"measured peak of activations: {MemorySize.Text(TensorRuntime.Memory(CPU).Peak - before)}");
        var peak = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"result {time.Wall} {time.Cpu} {long.Parse(peak, CultureInfo.InvariantCulture) / 1024}"));
        return 0;
    }

    private static Turn Measure(int threads, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true };
        start.Environment["OMP_NUM_THREADS"] = threads.ToString(CultureInfo.InvariantCulture);
        using var process = Process.Start(start)!;
        var lines = process.StandardOutput.ReadToEnd().Trim().Split('\n');
        process.WaitForExit();
        foreach (var line in lines[..^1])
            Console.WriteLine($"       {line}");
        var result = lines[^1].Split(' ');
        double Number(int i) => double.Parse(result[i], CultureInfo.InvariantCulture);
        return new Turn(Number(1), Number(2), Number(3));
    }

    private sealed record Turn(double Wall, double Cpu, double PeakMiB)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"wall {Wall:F1} s, processor {Cpu:F1} s, peak RSS {PeakMiB:F0} MiB");
    }
}
