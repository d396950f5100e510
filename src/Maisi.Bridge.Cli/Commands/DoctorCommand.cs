using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Maisi.Bridge.Runtime;
using static TorchSharp.torch;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi doctor</c>: which libtorch is used, from where, with what, and whether its convolutions are right.</summary>
internal static class DoctorCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Create()
    {
        var json = CommonOptions.Json();
        var command = new Command("doctor", "Shows libtorch and its backends, and tests three convolutions against float64.") { json };
        command.SetAction(parse => Run(parse.GetValue(json)));
        return command;
    }

    private static int Run(bool json)
    {
        var info = TensorRuntime.Info();
        var measurements = ConvolutionSelfTest.Run(CPU).Select(m => (Device: "cpu", Result: m)).ToList();
        for (var i = 0; i < info.CudaDevices; i++)
            measurements.AddRange(ConvolutionSelfTest.Run(device($"cuda:{i}")).Select(m => (Device: $"cuda:{i}", Result: m)));
        var passed = measurements.All(m => m.Result.Passed);
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(
                new { program = ProgramInfo.NameAndVersion, versions = ProgramInfo.Versions(), libtorch = info, convolutions = measurements.Select(m => new { device = m.Device, result = m.Result }) }, Indented));
            return passed ? CommandRunner.Ok : CommandRunner.Defect;
        }
        Line("program", ProgramInfo.NameAndVersion);
        foreach (var (name, value) in ProgramInfo.Versions().Where(v => v.Key is not ("libtorch" or "threads")))
            Line(name, value);
        Line("binding", info.Binding);
        Line("libtorch", $"{info.Version}  {info.Path}");
        Line("BLAS", info.Blas);
        Line("oneDNN", info.OneDnn switch { true => "yes", false => "no", null => "unknown" });
        Line("CUDA", info.CudaBuild ? $"{info.CudaDevices} device(s), cuDNN {info.CudnnVersion}" : "not in this build");
        Line("threads", $"{info.Threads} in an operation, {info.InteropThreads} between operations");
        foreach (var (where, m) in measurements)
        {
            Line("Conv3d", string.Create(CultureInfo.InvariantCulture,
                $"{where}, {m.Channels} channels, {m.Size}³: {m.Seconds * 1000:F1} ms, {m.GigaflopPerSecond:F0} GFLOP/s, error {m.Error:E1} {(m.Passed ? "ok" : "TOO LARGE")}"));
        }
        return passed ? CommandRunner.Ok : CommandRunner.Defect;
    }

    private static void Line(string name, string value) => Console.Out.WriteLine($"{name,-12} {value}");
}
