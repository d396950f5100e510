using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Runtime;

/// <summary>
/// What TorchSharp lacks and this project needs, as far as TorchSharp can do it: values are the same everywhere, speed and memory are not.
/// TensorRuntime.libtorch.cs has the same members with their full meaning.
/// </summary>
public static class TensorRuntime
{
    /// <summary>Whether <see cref="Autocast"/> changes anything.</summary>
    public static bool HasAutocast => false;

    /// <summary>TorchSharp has had libtorch's kernel only in later versions, so the exact fallback is used.</summary>
    public static bool HasScaledDotProductAttention => false;

    /// <summary>TorchSharp has no such net; the value is kept and not used.</summary>
    public static long NativeBudget { get; set; }

    /// <summary>Which tensor library runs.</summary>
    public static LibtorchInfo Info() => new(
        "TorchSharp", __version__, "", "part of TorchSharp's libtorch", null, cuda.is_available(), cuda.is_available() ? cuda.device_count() : 0, 0,
        get_num_threads(), get_num_interop_threads());

    /// <summary>TorchSharp has no autocast: everything runs in the precision of the weights.</summary>
    public static IDisposable Autocast(Device device, ScalarType dtype, bool enabled = true) => new Nothing();

    /// <summary>Memory of a device; TorchSharp does not say how much is in tensors.</summary>
    public static MemoryStatistics Memory(Device device, bool resetPeak = false)
    {
        if (device.type == DeviceType.CUDA)
            return new(-1, -1, -1, -1, -1);
        var (free, total) = MemoryStatistics.OfMachine();
        return new(-1, -1, -1, free, total);
    }

    /// <summary>TorchSharp cannot empty the cache.</summary>
    public static void EmptyCache(Device device)
    {
    }

    /// <summary>Waits until the device has done all its work.</summary>
    public static void Synchronize(Device device)
    {
        if (device.type == DeviceType.CUDA)
            cuda.synchronize(device);
    }

    /// <summary>TorchSharp has no such switches: always null.</summary>
    public static int? SetFlag(string name, int value) => null;

    /// <summary>TorchSharp always initialises.</summary>
    public static IDisposable SkipInitialization() => new Nothing();

    /// <summary>Until the result is disposed, networks built have their weights on <paramref name="device"/>; META gives shapes only.</summary>
    public static IDisposable BuildOn(Device device) => new DefaultDevice(device);

    /// <summary>TorchSharp cannot compute activations again: this is the plain call.</summary>
    public static Tensor Checkpoint(Func<Tensor[], Tensor> function, params Tensor[] inputs) => function(inputs);

    /// <summary>The module's output; its activations are kept, which costs memory and changes no number.</summary>
    public static Tensor Checkpoint(nn.Module<Tensor, Tensor> module, Tensor input) => module.call(input);

    /// <summary>softmax(q·kᵀ·d^-½)·v by libtorch's own kernel. Shapes [B, heads, N, d].</summary>
    /// <exception cref="NotSupportedException">Always, see <see cref="HasScaledDotProductAttention"/>.</exception>
    public static Tensor ScaledDotProductAttention(Tensor query, Tensor key, Tensor value) => throw new NotSupportedException("TorchSharp's versions differ in this function");

    /// <summary>TorchSharp knows one memory layout.</summary>
    public static Tensor WithLayout(Tensor volume, TensorLayout layout) => volume.alias();

    /// <summary>TorchSharp knows one memory layout.</summary>
    public static void UseLayout(nn.Module module, TensorLayout layout)
    {
    }

    /// <summary>Never: TorchSharp has no autocast.</summary>
    public static bool IsAutocastOnCpu => false;

    /// <summary>TorchSharp has no such kernels: callers take libtorch's own operators.</summary>
    public static bool HasVolumeKernels(ScalarType type, DeviceType device) => false;

    /// <summary>See <see cref="HasVolumeKernels"/>.</summary>
    /// <exception cref="NotSupportedException">Always, as for the members below.</exception>
    public static void AddChannelSums(Tensor volume, Span<double> sums) => throw NoKernels();

    /// <summary>See <see cref="HasVolumeKernels"/>.</summary>
    public static void ChannelAffine(Tensor volume, ReadOnlySpan<float> scale, ReadOnlySpan<float> shift, bool silu, Tensor result) => throw NoKernels();

    /// <summary>See <see cref="HasVolumeKernels"/>.</summary>
    public static Tensor ConvolutionWeights(Tensor weight) => throw NoKernels();

    /// <summary>See <see cref="HasVolumeKernels"/>.</summary>
    public static long ConvolutionScratch(long inChannels, long outChannels, long x, long y, long z) => throw NoKernels();

    /// <summary>See <see cref="HasVolumeKernels"/>.</summary>
    public static void Convolve(Tensor volume, Tensor weights, Tensor? bias, Tensor? residual, bool halo, Tensor result) => throw NoKernels();

    /// <summary>See <see cref="HasVolumeKernels"/>.</summary>
    public static Tensor Convolution3x3x3(Tensor volumes, Tensor weight, Tensor? bias) => throw NoKernels();

    private static NotSupportedException NoKernels() => new("TorchSharp has no volume kernels");

    private sealed class DefaultDevice : IDisposable
    {
        private readonly Device _previous = get_default_device();

        public DefaultDevice(Device device) => set_default_device(device);

        public void Dispose() => set_default_device(_previous);
    }

    private sealed class Nothing : IDisposable
    {
        public void Dispose()
        {
        }
    }
}
