using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Runtime;
using static TorchSharp.torch;

namespace Maisi.Bridge.Benchmarks;

/// <summary>
/// NVIDIA's rflow UNet and ControlNet with random weights against MONAI in Python: a step at latent 4×32³, the same with ControlNet,
/// loading from .pt, building, and the peak memory of each in a process of its own.
/// </summary>
internal sealed class NetworkBenchmark : IBenchmark
{
    private const string Setup = """
        import json, os, resource
        for folder in MONAI.split(":"): sys.path.insert(0, folder)
        from monai.apps.generation.maisi.networks.diffusion_model_unet_maisi import DiffusionModelUNetMaisi
        from monai.apps.generation.maisi.networks.controlnet_maisi import ControlNetMaisi
        def build(cls, name):
            config = json.load(open(f"{DEFINITIONS}/{name}.json")); del config["_target_"]; config["use_flash_attention"] = False
            return cls(**config).eval()
        unet = build(DiffusionModelUNetMaisi, "diffusion_unet_rflow")
        kw = dict(class_labels=torch.tensor([1]), spacing_tensor=torch.tensor([[150.0, 150.0, 200.0]]))
        x, t = torch.randn(1, 4, 32, 32, 32), torch.tensor([500.0])
        def step():
            with torch.no_grad(): unet(x, t, **kw)
        def make_control():
            control = build(ControlNetMaisi, "controlnet_rflow"); cond = torch.rand(1, 8, 128, 128, 128).round()
            def controlled():
                with torch.no_grad():
                    down, mid = control(x, t, cond, class_labels=kw["class_labels"])
                    unet(x, t, down_block_additional_residuals=down, mid_block_additional_residual=mid, **kw)
            return controlled
        def load():
            unet.load_state_dict(torch.load(WEIGHTS)["unet_state_dict"])
        if not os.path.exists(WEIGHTS): torch.save({"unet_state_dict": unet.state_dict()}, WEIGHTS)
        def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        """;

    private const string Cases = """

        case("step", step)
        case("step with ControlNet", make_control())
        case("load .pt", load)
        """;

    public string Name => "network";

    public string Description => "rflow UNet step, with ControlNet, load and build against MONAI; --monai FOLDER[:FOLDER] --weights FILE --rounds 3 --threads 2";

    public int Run(BenchmarkOptions options)
    {
        var definitions = options.Text("definitions", Path.Combine("tests", "fixtures", "approvals"));
        var weights = options.Text("weights", Path.Combine(Path.GetTempPath(), "maisi-benchmark-unet.pt"));
        set_num_threads(options.Number("threads", 2));
        if (options.Text("child", "") is { Length: > 0 } child)
            return Child(child, definitions, weights);
        var script = $"MONAI, DEFINITIONS, WEIGHTS = {PythonPeer.Quote(options.Text("monai", ""))}, {PythonPeer.Quote(definitions)}, {PythonPeer.Quote(weights)}\n{Setup}";
        using (var comparison = new Comparison(options, script + Cases))
        {
            using var networks = new Networks(definitions);
            networks.LoadUNet(weights);
            comparison.Case("step", networks.Step, 1);
            comparison.Case("step with ControlNet", networks.ControlledStep, 1);
            comparison.Case("load .pt", () => networks.LoadUNet(weights), 1);
            var build = Clock.Of(() => Networks.Build("diffusion_unet_rflow", definitions).Dispose());
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"build without initialising: {build.Wall:F2} s wall, {build.Cpu:F2} s CPU"));
        }
        foreach (var (name, call) in new[] { ("step", "step()"), ("control", "make_control()()"), ("load", "load()") })
            Console.WriteLine($"peak RSS, {name,-8} C# {OwnPeak(name, options, definitions, weights)}; Python {PythonPeak(options, $"{script}\nbefore = peak()\n{call}\nprint(f'{{peak()}} MiB, {{peak() - before}} MiB more than before')")}");
        Console.WriteLine($"the file has {new FileInfo(weights).Length >> 20} MiB");
        return 0;
    }

    /// <summary>One task in this process, for its peak memory.</summary>
    private static int Child(string task, string definitions, string weights)
    {
        using var networks = new Networks(definitions);
        if (task != "load")
            networks.LoadUNet(weights);
        var before = Status("VmRSS");
        switch (task)
        {
            case "step": networks.Step(); break;
            case "control": networks.ControlledStep(); break;
            default: networks.LoadUNet(weights); break;
        }
        Console.WriteLine($"{Status("VmHWM")} MiB, {Status("VmHWM") - before} MiB more than before");
        return 0;
    }

    private static string OwnPeak(string task, BenchmarkOptions options, string definitions, string weights) => Output(
        Environment.ProcessPath!, "network", "--child", task, "--definitions", definitions, "--weights", weights, "--threads", options.Text("threads", "2"));

    private static string PythonPeak(BenchmarkOptions options, string script) =>
        Output(options.Text("python", "/usr/bin/python3"), "-W", "ignore", "-c", $"import sys, torch\ntorch.set_num_threads({options.Text("threads", "2")})\n{script}");

    private static string Output(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return output;
    }

    private static long Status(string field) => long.Parse(
        File.ReadLines("/proc/self/status").First(l => l.StartsWith(field, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;

    /// <summary>The networks and their inputs.</summary>
    private sealed class Networks : IDisposable
    {
        private readonly string _definitions;
        private readonly DiffusionModelUNetMaisi _unet;
        private readonly Tensor _x = randn([1L, 4, 32, 32, 32]);
        private readonly Tensor _t = tensor(new[] { 500f });
        private readonly UNetConditions _conditions = new() { ClassLabels = tensor(new[] { 1L }), Spacing = tensor(new[] { 150f, 150f, 200f }).reshape(1, 3) };
        private ControlNetMaisi? _control;
        private Tensor? _condition;

        public Networks(string definitions)
        {
            _definitions = definitions;
            _unet = (DiffusionModelUNetMaisi)Build("diffusion_unet_rflow", definitions);
            _unet.eval();
        }

        public static nn.Module Build(string name, string definitions)
        {
            using var skip = TensorRuntime.SkipInitialization();
            return NetworkFactory.Create(JsonNode.Parse(File.ReadAllText(Path.Combine(definitions, name + ".json")))!.AsObject());
        }

        public void LoadUNet(string weights) => StateDictLoader.Load(_unet, weights);

        public void Step()
        {
            using var noGrad = no_grad();
            _unet.call(_x, _t, _conditions).Dispose();
        }

        public void ControlledStep()
        {
            using var noGrad = no_grad();
            using var scope = NewDisposeScope();
            if (_control is null)
            {
                _control = (ControlNetMaisi)NetworkFactory.Create(JsonNode.Parse(File.ReadAllText(Path.Combine(_definitions, "controlnet_rflow.json")))!.AsObject());
                _control.eval();
                _condition = rand([1L, 8, 128, 128, 128]).round().DetachFromDisposeScope();
            }
            var residuals = _control.call(_x, _t, _condition!, new ControlNetConditions { ClassLabels = _conditions.ClassLabels });
            _unet.call(_x, _t, _conditions with { DownBlockAdditionalResiduals = residuals.Down, MidBlockAdditionalResidual = residuals.Mid });
        }

        public void Dispose()
        {
            _unet.Dispose();
            _control?.Dispose();
        }
    }
}
