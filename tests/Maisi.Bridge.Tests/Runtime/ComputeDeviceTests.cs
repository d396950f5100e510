using Maisi.Bridge.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Runtime;

public sealed class ComputeDeviceTests
{
    [Fact]
    public void The_processor_is_always_there() => ComputeDevice.Parse("cpu").type.ShouldBe(DeviceType.CPU);

    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("cuda:1x")]
    [InlineData("CPU")]
    public void Other_names_are_refused(string name)
    {
        var error = Should.Throw<MaisiException>(() => ComputeDevice.Parse(name));
        error.Message.ShouldContain($"'{name}'");
        error.Where.ShouldBe("--device");
    }

    [SkippableFact]
    public void A_GPU_that_is_not_there_is_refused()
    {
        Skip.If(cuda.is_available(), "a GPU is here");
        Should.Throw<MaisiException>(() => ComputeDevice.Parse("cuda:0", "Devices")).Where.ShouldBe("Devices");
    }

    [SkippableFact]
    public void A_GPU_is_found_by_its_number()
    {
        Skip.IfNot(cuda.is_available(), "no GPU is here");
        ComputeDevice.Parse("cuda").index.ShouldBe(0);
        Should.Throw<MaisiException>(() => ComputeDevice.Parse($"cuda:{cuda.device_count()}")).Message.ShouldContain("CUDA devices here");
    }
}
