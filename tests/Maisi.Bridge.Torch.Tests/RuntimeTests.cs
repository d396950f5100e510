using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Torch.Tests;

public sealed class RuntimeTests : TensorTest
{
    [Fact]
    public void Autocast_lowers_what_it_may_and_ends_with_its_region()
    {
        var x = randn(4, 4);
        using (Autocast.Enter(DeviceType.CPU, bfloat16))
        {
            Autocast.IsEnabled(DeviceType.CPU).ShouldBeTrue();
            x.matmul(x).dtype.ShouldBe(ScalarType.BFloat16);
            (x + x).dtype.ShouldBe(ScalarType.Float32);
            using (Autocast.Enter(DeviceType.CPU, bfloat16, enabled: false))
                x.matmul(x).dtype.ShouldBe(ScalarType.Float32);
            x.matmul(x).dtype.ShouldBe(ScalarType.BFloat16);
        }
        Autocast.IsEnabled(DeviceType.CPU).ShouldBeFalse();
        x.matmul(x).dtype.ShouldBe(ScalarType.Float32);
    }

    [Fact]
    public void Checkpointing_recomputes_under_the_autocast_of_the_forward_pass()
    {
        var weight = randn([8, 8], requires_grad: true);
        var x = randn(8, 8);
        var seen = new List<ScalarType>();
        Tensor Forward(Tensor[] inputs)
        {
            var y = inputs[0].matmul(weight);
            seen.Add(y.dtype);
            return y.@float();
        }
        Tensor output;
        using (Autocast.Enter(DeviceType.CPU, bfloat16))
            output = Checkpointing.Run(Forward, x);
        output.sum().backward();
        seen.ShouldBe([ScalarType.BFloat16, ScalarType.BFloat16]);
    }

    [Fact]
    public void Memory_formats_change_the_order_and_nothing_else()
    {
        using var net = nn.Sequential(nn.Conv3d(4, 8, 3, 1, 1), nn.GroupNorm(2, 8));
        var x = randn([1, 4, 3, 3, 3]);
        var plain = net.call(x);
        MemoryFormats.Convert(net, MemoryFormat.ChannelsLast3d);
        var weight = net.get_parameter("0.weight")!;
        weight.stride().ShouldBe([108, 1, 36, 12, 4]);
        weight.requires_grad.ShouldBeTrue();
        var last = MemoryFormats.To(x, MemoryFormat.ChannelsLast3d);
        last.stride().ShouldBe([108, 1, 36, 12, 4]);
        Close(net.call(last), Values(plain), 1e-5);
        MemoryFormats.Convert(net, MemoryFormat.Contiguous);
        weight.is_contiguous().ShouldBeTrue();
    }

    [Fact]
    public void Tensors_are_shared_by_their_native_pointer()
    {
        var x = ones(3);
        TensorSharing.UseCount(x).ShouldBe(1);
        var other = TensorSharing.Borrow(x.Handle);
        TensorSharing.UseCount(x).ShouldBe(2);
        other.add_(1);
        Values(x).ShouldBe([2, 2, 2]);
        var handle = TensorSharing.RetainHandle(x);
        handle.ShouldBe(x.Handle);
        x.Dispose();
        using var adopted = TensorSharing.Adopt(handle);
        other.Dispose();
        TensorSharing.UseCount(adopted).ShouldBe(1);
        Values(adopted).ShouldBe([2, 2, 2]);
        Should.Throw<ArgumentNullException>(() => TensorSharing.Adopt(0));
        TensorSharing.Release(TensorSharing.RetainHandle(adopted));
        TensorSharing.UseCount(adopted).ShouldBe(1);
    }

    [Fact]
    public void The_loaded_library_is_known()
    {
        File.Exists(LibtorchLibrary.Path).ShouldBeTrue();
        Path.GetFileName(LibtorchLibrary.Path).ShouldStartWith("libtorch_cpu.so");
        File.Exists(LibtorchLibrary.ShimPath).ShouldBeTrue();
        Version.Parse(LibtorchLibrary.Version).ShouldBeGreaterThanOrEqualTo(new Version(1, 13));
        LibtorchLibrary.Configuration.ShouldContain("BLAS");
        LibtorchLibrary.HasOneDnn.ShouldBeTrue();
    }

    [Fact]
    public void Flags_and_threads_can_be_set_and_restored()
    {
        var before = TorchFlags.Set("cudnn_benchmark", 1);
        TorchFlags.Get("cudnn_benchmark").ShouldBe(1);
        TorchFlags.Set("cudnn_benchmark", before).ShouldBe(1);
        Should.Throw<TorchException>(() => TorchFlags.Get("no_such_flag")).Kind.ShouldBe(TorchErrorKind.Value);
        var threads = get_num_threads();
        set_num_threads(1);
        get_num_threads().ShouldBe(1);
        set_num_threads(threads);
        get_default_dtype().ShouldBe(ScalarType.Float32);
    }

    [Fact]
    public void Generators_keep_and_restore_their_state()
    {
        using var generator = new Generator(4);
        generator.initial_seed().ShouldBe(4);
        _ = randn([5], generator: generator);
        var state = generator.get_state();
        var expected = Values(randn([5], generator: generator));
        generator.set_state(state);
        Values(randn([5], generator: generator)).ShouldBe(expected);
        var global = get_rng_state();
        var next = Values(randn(3));
        set_rng_state(global);
        Values(randn(3)).ShouldBe(next);
    }

    [Fact]
    public void Numbers_of_every_kind_pass_as_scalars()
    {
        Scalar number = 2.5;
        number.ToSingle().ShouldBe(2.5f);
        ((Scalar)7).ToInt64().ShouldBe(7);
        ((Scalar)true).ToBoolean().ShouldBeTrue();
        ((Scalar)(Half)0.5).ToDouble().ShouldBe(0.5);
        var complex = full([1], new System.Numerics.Complex(1, -2), complex128);
        Values(complex.view_as_real()).ShouldBe([1, -2]);
        complex.item<System.Numerics.Complex>().ShouldBe(new System.Numerics.Complex(1, -2));
        (number == 2.5).ShouldBeTrue();
    }
}
