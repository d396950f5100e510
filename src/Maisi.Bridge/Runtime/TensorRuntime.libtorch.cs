using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Runtime;

/// <summary>
/// What TorchSharp lacks and this project needs: mixed precision, memory figures, backend switches, memory formats, checkpointing,
/// building without initialisation. This is the version for the binding of this repository; TensorRuntime.TorchSharp.cs has the same
/// members with the best that TorchSharp can do.
/// </summary>
public static class TensorRuntime
{
    /// <summary>Whether <see cref="Autocast"/> changes anything.</summary>
    public static bool HasAutocast => true;

    /// <summary>Whether libtorch has its own attention kernel (2.0 and later).</summary>
    public static bool HasScaledDotProductAttention { get; } = Version.Parse(__version__.Split('+', 'a', 'r')[0]).Major >= 2;

    /// <summary>How many bytes of forgotten CPU tensors may pile up before the garbage collector is called; 0 turns the net off.</summary>
    public static long NativeBudget
    {
        get => NativeMemoryBudget.Bytes;
        set => NativeMemoryBudget.Bytes = value;
    }

    /// <summary>Which tensor library runs.</summary>
    /// <exception cref="LibtorchLoadException">It cannot be loaded.</exception>
    public static LibtorchInfo Info() => new(
        "libtorch", LibtorchLibrary.Version, LibtorchLibrary.Path, LibtorchLibrary.BlasPath, LibtorchLibrary.HasOneDnn, LibtorchLibrary.HasCuda,
        cuda.device_count(), LibtorchLibrary.CudnnVersion, get_num_threads(), get_num_interop_threads());

    /// <summary>Runs suitable operators in lower precision until the result is disposed. Where it is not supported nothing changes.</summary>
    /// <param name="device">CPU or CUDA.</param>
    /// <param name="dtype">bfloat16 or, on CUDA, float16.</param>
    /// <param name="enabled">False makes it a region of full precision.</param>
    public static IDisposable Autocast(Device device, ScalarType dtype, bool enabled = true) => TorchSharp.Autocast.Enter(device.type, dtype, enabled);

    /// <summary>Memory of a device.</summary>
    public static MemoryStatistics Memory(Device device, bool resetPeak = false)
    {
        if (device.type == DeviceType.CUDA)
        {
            var figures = CudaMemory.Of(Math.Max(0, device.index), resetPeak);
            return new(figures.Allocated, figures.AllocatedPeak, figures.Reserved, figures.Free, figures.Total);
        }
        var (current, peak, _) = NativeMemoryBudget.Cpu(resetPeak);
        var (free, total) = MemoryStatistics.OfMachine();
        return new(current, peak, current, free, total);
    }

    /// <summary>Gives memory that the allocator keeps for later back to the device or the operating system.</summary>
    public static void EmptyCache(Device device)
    {
        if (device.type == DeviceType.CUDA)
            CudaMemory.EmptyCache();
        else
            NativeMemoryBudget.Trim();
    }

    /// <summary>Waits until the device has done all its work.</summary>
    public static void Synchronize(Device device)
    {
        if (device.type == DeviceType.CUDA)
            cuda.synchronize(device);
    }

    /// <summary>Sets a backend switch (see <see cref="TorchFlags"/>) and gives the value it had; null where it does not exist.</summary>
    public static int? SetFlag(string name, int value)
    {
        try
        {
            return TorchFlags.Set(name, value);
        }
        catch (TorchException e) when (e.Kind == TorchErrorKind.Value)
        {
            return null;
        }
    }

    /// <summary>Until the result is disposed, networks built on this thread have uninitialised weights, to be loaded afterwards.</summary>
    public static IDisposable SkipInitialization() => ModuleInitialization.Skip();

    /// <summary>Until the result is disposed, networks built on this thread have their weights on <paramref name="device"/>; META gives shapes only.</summary>
    public static IDisposable BuildOn(Device device) => DefaultDevice.Use(device);

    /// <summary>Computes <paramref name="function"/> without keeping its activations; the backward pass computes them again.</summary>
    public static Tensor Checkpoint(Func<Tensor[], Tensor> function, params Tensor[] inputs) => Checkpointing.Run(function, inputs);

    /// <summary>The module's output, whose activations the backward pass computes again instead of keeping them.</summary>
    public static Tensor Checkpoint(nn.Module<Tensor, Tensor> module, Tensor input) => Checkpointing.Run(inputs => module.call(inputs[0]), input);

    /// <summary>softmax(q·kᵀ·d^-½)·v by libtorch's own kernel. Shapes [B, heads, N, d].</summary>
    public static Tensor ScaledDotProductAttention(Tensor query, Tensor key, Tensor value) => nn.functional.scaled_dot_product_attention(query, key, value);

    /// <summary>The tensor in another memory layout, with the same shape and values.</summary>
    public static Tensor WithLayout(Tensor volume, TensorLayout layout) => MemoryFormats.To(volume, Format(layout));

    /// <summary>Converts the weights of a network to another memory layout.</summary>
    public static void UseLayout(nn.Module module, TensorLayout layout) => MemoryFormats.Convert(module, Format(layout));

    /// <summary>Whether operators on the CPU run in another precision than their inputs' just now.</summary>
    public static bool IsAutocastOnCpu => TorchSharp.Autocast.IsEnabled(DeviceType.CPU);

    /// <summary>Whether the volume kernels below can be used for such tensors here: fp32 on a CPU that has what they need.</summary>
    public static bool HasVolumeKernels(ScalarType type, DeviceType device) => type == ScalarType.Float32 && device == DeviceType.CPU && VolumeKernels.IsSupported;

    /// <summary>Adds every channel's sum and sum of squares to <paramref name="sums"/>. See <see cref="VolumeKernels"/>, as for the members below.</summary>
    public static void AddChannelSums(Tensor volume, Span<double> sums) => VolumeKernels.AddChannelSums(volume, sums);

    /// <summary>volume · scale[c] + shift[c], then SiLU if asked for, into <paramref name="result"/>, which may be the volume.</summary>
    public static void ChannelAffine(Tensor volume, ReadOnlySpan<float> scale, ReadOnlySpan<float> shift, bool silu, Tensor result) =>
        VolumeKernels.ChannelAffine(volume, scale, shift, silu, result);

    /// <summary>A weight [out, in, 3, 3, 3] made ready for <see cref="Convolve"/>.</summary>
    public static Tensor ConvolutionWeights(Tensor weight) => VolumeKernels.ConvolutionWeights(weight);

    /// <summary>The most bytes that <see cref="Convolve"/> takes for itself.</summary>
    public static long ConvolutionScratch(long inChannels, long outChannels, long x, long y, long z) => VolumeKernels.ConvolutionScratch(inChannels, outChannels, x, y, z);

    /// <summary>A 3×3×3 convolution of stride 1 with zeros around, plus bias and residual.</summary>
    public static void Convolve(Tensor volume, Tensor weights, Tensor? bias, Tensor? residual, bool halo, Tensor result) =>
        VolumeKernels.Convolve(volume, weights, bias, residual, halo, result);

    /// <summary>The same convolution of a batch of whole volumes, with gradients where they are asked for.</summary>
    public static Tensor Convolution3x3x3(Tensor volumes, Tensor weight, Tensor? bias) => VolumeKernels.Convolution3x3x3(volumes, weight, bias);

    private static MemoryFormat Format(TensorLayout layout) => layout switch
    {
        TensorLayout.ChannelsLast3d => MemoryFormat.ChannelsLast3d,
        TensorLayout.ChannelsLast2d => MemoryFormat.ChannelsLast,
        _ => MemoryFormat.Contiguous,
    };
}
