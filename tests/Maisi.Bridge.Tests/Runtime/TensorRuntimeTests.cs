using Maisi.Bridge.Runtime;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Runtime;

public sealed class TensorRuntimeTests
{
    [Fact]
    public void The_self_test_passes_on_the_cpu()
    {
        var results = ConvolutionSelfTest.Run(CPU);
        results.Select(r => (r.Channels, r.Size)).ShouldBe([(32, 32), (64, 24), (128, 12)]);
        results.ShouldAllBe(r => r.Passed && r.Error < 1e-5 && r.GigaflopPerSecond > 0);
    }

    [Fact]
    public void The_library_describes_itself()
    {
        var info = TensorRuntime.Info();
        info.Threads.ShouldBeGreaterThan(0);
        Version.Parse(info.Version.Split('+')[0]).Major.ShouldBeGreaterThan(0);
        info.CudaDevices.ShouldBe(info.CudaBuild ? cuda.device_count() : 0);
    }

    [Fact]
    public void Networks_are_built_without_weights_where_asked()
    {
        using (TensorRuntime.BuildOn(META))
        using (TensorRuntime.SkipInitialization())
        using (var convolution = nn.Conv3d(2, 3, 3))
            convolution.weight!.device.type.ShouldBe(TorchSharp.DeviceType.META);
        using var after = nn.Conv3d(2, 3, 3);
        after.weight!.device.type.ShouldBe(TorchSharp.DeviceType.CPU);
    }

    [Fact]
    public void Layouts_and_checkpoints_change_no_value()
    {
        using var scope = NewDisposeScope();
        using var network = nn.Conv3d(2, 2, 3, 1, 1);
        var x = randn([1, 2, 4, 4, 4]);
        var plain = network.call(x);
        TensorRuntime.UseLayout(network, TensorLayout.ChannelsLast3d);
        var other = TensorRuntime.Checkpoint(i => network.call(i[0]), TensorRuntime.WithLayout(x, TensorLayout.ChannelsLast3d));
        (other - plain).abs().max().item<float>().ShouldBeLessThan(1e-5f);
    }

    [Fact]
    public void Memory_is_counted()
    {
        var before = TensorRuntime.Memory(CPU, resetPeak: true);
        before.Total.ShouldBeGreaterThan(before.Free);
        using var large = zeros([1 << 22]);
        TensorRuntime.Memory(CPU).Peak.ShouldBeGreaterThanOrEqualTo(1 << 24);
    }
}
