using System.Diagnostics;
using System.Runtime.InteropServices;
using Maisi.Bridge.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Torch.Tests;

public sealed class ErrorTests : TensorTest
{
    [Fact]
    public void Libtorch_errors_are_typed_and_keep_their_words()
    {
        var shapes = Should.Throw<TorchException>(() => ones(2, 3).matmul(ones(2, 3)));
        shapes.Message.ShouldContain("2x3");
        shapes.ShouldBeAssignableTo<ExternalException>();
        Should.Throw<TorchException>(() => ones(2)[5]).Kind.ShouldBe(TorchErrorKind.Index);
        Should.Throw<TorchException>(() => new Op("no_such_operator").Handle).Kind.ShouldBe(TorchErrorKind.NoOperator);
        new Op("no_such_operator").Exists.ShouldBeFalse();
        Should.Throw<TorchException>(() => new Call(Ops.conv3d).T(ones(1)).Run()).Message.ShouldContain("'weight' is missing");
        Should.Throw<TorchException>(() => new Call(Ops.reshape).T(ones(1)).F(0.5).Run()).Message.ShouldContain("'shape' has the wrong kind of value");
    }

    [Fact]
    public void Too_large_a_tensor_is_an_out_of_memory_error() =>
        Should.Throw<TorchOutOfMemoryException>(() => empty([1L << 46])).Message.ShouldContain("not enough memory");

    [SkippableFact]
    public void Cuda_is_refused_in_a_cpu_build()
    {
        Skip.If(LibtorchLibrary.HasCuda, "this is a CUDA build");
        cuda.is_available().ShouldBeFalse();
        Should.Throw<TorchException>(() => cuda.synchronize()).Kind.ShouldBe(TorchErrorKind.NoCuda);
        Should.Throw<TorchException>(() => ones(1).cuda());
    }

    [Fact]
    public void Modules_refuse_impossible_shapes()
    {
        Should.Throw<ArgumentException>(() => nn.GroupNorm(3, 4)).Message.ShouldContain("4 channels are not divisible by 3 groups");
        Should.Throw<ArgumentException>(() => nn.Conv3d(3, 4, 1, groups: 2)).Message.ShouldContain("3 input");
        Should.Throw<ArgumentException>(() => nn.functional.interpolate(ones(1, 1, 2, 2))).Message.ShouldContain("size or a scale factor");
    }

    [SkippableTheory]
    [InlineData("missing", "ShimMissing", "Build the project again")]
    [InlineData("not a library", "Other", "did not load")]
    [InlineData("library of something else", "WrongInterface", "interface version 0")]
    [InlineData("needs another library", "LibraryMissing", "libmaisi_nowhere.so")]
    [InlineData("needs another symbol", "UnresolvedSymbol", "maisi_no_such_symbol")]
    public void Loading_failures_are_explained(string what, string failure, string message)
    {
        using var folder = TestPaths.Temporary();
        var shim = folder["libmaisi_torch.so"];
        switch (what)
        {
            case "not a library":
                File.WriteAllText(shim, "no ELF");
                break;
            case "library of something else":
                Compile(folder, "int unrelated(void) { return 0; }", shim);
                break;
            case "needs another library":
                Compile(folder, "int helper(void) { return 0; }", folder["libmaisi_nowhere.so"], "-Wl,-soname,libmaisi_nowhere.so");
                Compile(folder, "int helper(void); int mt_abi_version(void) { return helper(); }", shim, folder["libmaisi_nowhere.so"]);
                File.Delete(folder["libmaisi_nowhere.so"]);
                break;
            case "needs another symbol":
                Compile(folder, "extern int maisi_no_such_symbol; int mt_abi_version(void) { return maisi_no_such_symbol; }", shim);
                break;
        }
        // A library loads once per process, so each failure gets a process of its own: this assembly, run as a program.
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", ["exec", typeof(ErrorTests).Assembly.Location, "load"])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
            Environment = { [NativeLoader.PathVariable] = shim, ["LIBTORCH"] = "" },
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        output.ShouldStartWith(failure);
        output.ShouldContain(message);
    }

    private static void Compile(TemporaryFolder folder, string source, string target, params string[] more)
    {
        var file = folder["source.c"];
        File.WriteAllText(file, source);
        Skip.IfNot(File.Exists("/usr/bin/cc"), "there is no C compiler");
        using var process = Process.Start("/usr/bin/cc", ["-shared", "-fPIC", "-o", target, file, .. more]);
        process.WaitForExit();
        process.ExitCode.ShouldBe(0);
    }
}
