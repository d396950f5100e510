using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Maisi.Bridge.Runtime;
using static TorchSharp.torch;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi doctor</c>: which libtorch is used, from where, with what, whether its convolutions are right, and which Python workers run.</summary>
internal static class DoctorCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Create()
    {
        var json = CommonOptions.Json();
        var command = new Command("doctor", "Shows libtorch, its backends and Python, and tests three convolutions against float64.") { json };
        command.SetAction((parse, token) => RunAsync(parse.GetValue(json), token));
        return command;
    }

    private static async Task<int> RunAsync(bool json, CancellationToken token)
    {
        var info = TensorRuntime.Info();
        var measurements = ConvolutionSelfTest.Run(CPU, token).Select(m => (Device: "cpu", Result: m)).ToList();
        for (var i = 0; i < info.CudaDevices; i++)
            measurements.AddRange(ConvolutionSelfTest.Run(device($"cuda:{i}"), token).Select(m => (Device: $"cuda:{i}", Result: m)));
        var passed = measurements.All(m => m.Result.Passed);
        var (python, fields) = await PythonCommand.RecordAsync(token);
        if (json)
        {
            await Console.Out.WriteLineAsync(JsonSerializer.Serialize(new
            {
                program = ProgramInfo.NameAndVersion,
                versions = ProgramInfo.Versions(),
                libtorch = info,
                convolutions = measurements.Select(m => new { device = m.Device, result = m.Result }),
                python = fields,
            }, Indented));
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
        await Console.Out.WriteLineAsync($"\nPython of workers\n{python}");
        return passed ? CommandRunner.Ok : CommandRunner.Defect;
    }

    private static void Line(string name, string value) => Console.Out.WriteLine($"{name,-12} {value}");
}
