using System.Diagnostics;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Networks;
using Maisi.Bridge.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Checkpoints;

public class CheckpointWriterTests
{
    private const string Python = "/usr/bin/python3";

    [Theory]
    [InlineData(".pt")]
    [InlineData(".safetensors")]
    public void What_is_written_is_read_again(string extension)
    {
        using var scope = NewDisposeScope();
        using var folder = TestPaths.Temporary();
        var tensors = Samples();
        var path = folder["w" + extension];
        if (extension == ".pt")
            TorchFile.Save(path, tensors);
        else
            SafetensorsFile.Save(path, tensors, new Dictionary<string, string> { ["format"] = "pt" });
        using var file = CheckpointFile.Open(path);
        file.Metadata.GetValueOrDefault("format").ShouldBe(extension == ".pt" ? null : "pt");
        var read = file.StateDict();
        read.Keys.ShouldBe(tensors.Keys);
        foreach (var (key, tensor) in tensors)
        {
            read[key].Type.ShouldBe(tensor.dtype, key);
            read[key].Shape.ShouldBe(tensor.shape, key);
            read[key].ToTensor().bytes.ToArray().ShouldBe(tensor.contiguous().bytes.ToArray(), key);
        }
    }

    [Fact]
    public void Containers_and_numbers_survive()
    {
        using var scope = NewDisposeScope();
        using var folder = TestPaths.Temporary();
        using var golden = new Golden("vae_maisi");
        using var network = golden.Network<AutoencoderKlMaisi>();
        TorchFile.SaveNetwork(folder["u.pt"], network, "unet_state_dict", new Dictionary<string, object?>
        {
            ["epoch"] = 3,
            ["loss"] = 0.25,
            ["big"] = 1L << 40,
            ["scale_factor"] = tensor(0.5f),
            ["names"] = new List<object?> { "a", true, null, new PythonTuple([1L, -2L]) },
        });
        using var file = CheckpointFile.Open(folder["u.pt"]);
        file.Number("epoch").ShouldBe(3);
        file.Number("loss").ShouldBe(0.25);
        file.Number("big").ShouldBe(1L << 40);
        file.Number("scale_factor").ShouldBe(0.5);
        var names = ((PythonDict)file.Root!)["names"].ShouldBeOfType<List<object?>>();
        names[..3].ShouldBe(new object?[] { "a", true, null });
        names[3].ShouldBeOfType<PythonTuple>().Items.ShouldBe(new object?[] { 1L, -2L });
        file.StateDict().Count.ShouldBe(network.state_dict().Count);
        Should.Throw<CheckpointException>(() => TorchFile.Save(folder["x.pt"], new List<object?> { DateTime.UnixEpoch })).Message.ShouldContain("a DateTime cannot be stored");
        File.Exists(folder["x.pt"]).ShouldBeFalse();
    }

    /// <summary>C# to torch.load to torch.save to C#: PyTorch's own reader accepts what is written, and its writer gives the same numbers back.</summary>
    [SkippableFact]
    public void PyTorch_reads_it_and_writes_the_same_back()
    {
        using var scope = NewDisposeScope();
        using var folder = TestPaths.Temporary();
        Skip.IfNot(HasTorch(), $"{Python} with torch is not there");
        var tensors = Samples();
        TorchFile.Save(folder["a.pt"], new Dictionary<string, object?> { ["state_dict"] = tensors, ["epoch"] = 3 });
        const string script = """
            import inspect, sys, torch, zipfile
            assert zipfile.ZipFile(sys.argv[1]).testzip() is None
            safe = {"weights_only": True} if "weights_only" in inspect.signature(torch.load).parameters else {}
            loaded = torch.load(sys.argv[1], **safe)
            assert loaded["epoch"] == 3
            torch.save(loaded, sys.argv[2])
            """;
        RunPython(script, folder["a.pt"], folder["b.pt"]).ShouldBe("");
        using var file = CheckpointFile.Open(folder["b.pt"]);
        var read = file.StateDict("state_dict");
        foreach (var (key, tensor) in tensors)
            read[key].ToTensor().bytes.ToArray().ShouldBe(tensor.contiguous().bytes.ToArray(), key);
    }

    private static Dictionary<string, Tensor> Samples() => new(StringComparer.Ordinal)
    {
        ["f32"] = arange(24, ScalarType.Float32).reshape(2, 3, 4),
        ["transposed"] = arange(6, ScalarType.Float32).reshape(2, 3).t(),
        ["f16"] = arange(5, ScalarType.Float32).to(ScalarType.Float16),
        ["bf16"] = arange(5, ScalarType.Float32).to(ScalarType.BFloat16),
        ["f64"] = arange(3, ScalarType.Float64),
        ["i64"] = tensor(new[] { 1L << 40, -1L }),
        ["i32"] = tensor(new[] { -5 }),
        ["i16"] = tensor(new short[] { -300 }),
        ["i8"] = tensor(new sbyte[] { -3 }),
        ["u8"] = tensor(new byte[] { 0, 255 }),
        ["bool"] = tensor(new[] { true, false }),
        ["scalar"] = tensor(2.5f),
        ["empty"] = zeros([0L, 4]),
    };

    private static bool HasTorch() => File.Exists(Python) && RunPython("import torch").Length == 0;

    private static string RunPython(string script, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Python, ["-W", "ignore", "-c", script, .. arguments]) { UseShellExecute = false, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? "" : errors.Length > 0 ? errors : $"exit code {process.ExitCode}";
    }
}
