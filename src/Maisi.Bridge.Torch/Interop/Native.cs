using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]

namespace TorchSharp;

/// <summary>One argument or result of a boxed operator call; the layout of <c>mt_value</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Value
{
    public ValueTag Tag;

    /// <summary>Element count of a list, byte count of a string, index of a device.</summary>
    public int Count;

    /// <summary>An integer, the bits of a double, a handle, or a pointer to a list.</summary>
    public nint Payload;
    public double Imaginary;
}

/// <summary>What a <see cref="Value"/> holds; the numbers of <c>mt_tag</c>.</summary>
internal enum ValueTag
{
    None = 0, Tensor = 1, Int = 2, Double = 3, Bool = 4, String = 5, Ints = 6, Doubles = 7, Bools = 8, Tensors = 9, Device = 10,
    Generator = 11, Complex = 12, Default = 13, Other = 14,
}

/// <summary>The C interface of the shim, declared in native/include/maisi_torch.h.</summary>
internal static unsafe partial class Native
{
    /// <summary>The interface version this assembly was written for.</summary>
    public const int AbiVersion = 2;

    private const string Library = NativeLoader.LibraryName;

    static Native() => NativeLoader.Install();

    [LibraryImport(Library)] public static partial byte* mt_version();
    [LibraryImport(Library)] public static partial int mt_has_cuda();
    [LibraryImport(Library)] public static partial byte* mt_last_error(int* kind);

    [LibraryImport(Library)] public static partial nint mt_op_find(byte* name, byte* overload);
    [LibraryImport(Library)] public static partial byte* mt_op_schema(nint op);
    [LibraryImport(Library)] public static partial int mt_op_call(nint op, Value* args, int nargs, Value* outs, int nouts);
    [LibraryImport(Library)] public static partial void mt_free(void* p);

    [LibraryImport(Library)] public static partial void mt_tensor_free(nint tensor);
    [LibraryImport(Library)] public static partial nint mt_tensor_retain(nint tensor);
    [LibraryImport(Library)] public static partial long mt_tensor_use_count(nint tensor);
    [LibraryImport(Library), SuppressGCTransition] public static partial int mt_tensor_meta(nint tensor, long* meta, long* sizes, long* strides, int capacity);
    [LibraryImport(Library)] public static partial void* mt_tensor_data(nint tensor);
    [LibraryImport(Library)]
    public static partial nint mt_from_blob(void* data, long* sizes, long* strides, int ndim, int dtype, int deviceType, int deviceIndex,
        delegate* unmanaged<void*, void> deleter, void* context);

    [LibraryImport(Library)] public static partial int mt_set_requires_grad(nint tensor, int on);
    [LibraryImport(Library)] public static partial int mt_grad_get(nint tensor, nint* grad);
    [LibraryImport(Library)] public static partial int mt_grad_set(nint tensor, nint grad);
    [LibraryImport(Library)]
    public static partial int mt_backward(nint* outputs, nint* grads, int n, int retainGraph, int createGraph, nint* inputs, int ninputs);
    [LibraryImport(Library)]
    public static partial int mt_autograd_grad(nint* outputs, nint* grads, int noutputs, nint* inputs, int ninputs, int retainGraph,
        int createGraph, int allowUnused, nint* result);
    [LibraryImport(Library), SuppressGCTransition] public static partial int mt_grad_mode(int on);
    [LibraryImport(Library), SuppressGCTransition] public static partial int mt_inference_mode_enabled();
    [LibraryImport(Library)] public static partial nint mt_inference_enter(int on);
    [LibraryImport(Library)] public static partial void mt_inference_exit(nint guard);
    [LibraryImport(Library)]
    public static partial int mt_custom_node(delegate* unmanaged<void*, nint*, int, nint*, int, int> callback, delegate* unmanaged<void*, void> release,
        void* context, nint* inputs, int ninputs, nint* outputs, int noutputs, nint* wrapped);

    [LibraryImport(Library)] public static partial int mt_manual_seed(ulong seed);
    [LibraryImport(Library)] public static partial nint mt_generator_new(int deviceType, int deviceIndex, ulong seed);
    [LibraryImport(Library)] public static partial nint mt_generator_default(int deviceType, int deviceIndex);
    [LibraryImport(Library)] public static partial void mt_generator_free(nint generator);
    [LibraryImport(Library)] public static partial int mt_generator_set_seed(nint generator, ulong seed);
    [LibraryImport(Library)] public static partial ulong mt_generator_seed(nint generator);
    [LibraryImport(Library)] public static partial nint mt_generator_state(nint generator);
    [LibraryImport(Library)] public static partial int mt_generator_set_state(nint generator, nint state);

    [LibraryImport(Library)] public static partial nint mt_script_load(byte* path, int deviceType, int deviceIndex);
    [LibraryImport(Library)] public static partial void mt_script_free(nint script);
    [LibraryImport(Library)] public static partial int mt_script_train(nint script, int on);
    [LibraryImport(Library)] public static partial nint mt_script_forward(nint script, nint input);

    [LibraryImport(Library)] public static partial int mt_autocast(int deviceType, int on, int dtype);
    [LibraryImport(Library)] public static partial int mt_autocast_dtype(int deviceType);
    [LibraryImport(Library)] public static partial int mt_autocast_nesting(int delta);
    [LibraryImport(Library)] public static partial void mt_set_num_threads(int n);
    [LibraryImport(Library)] public static partial int mt_get_num_threads();
    [LibraryImport(Library)] public static partial int mt_set_num_interop_threads(int n);
    [LibraryImport(Library)] public static partial int mt_get_num_interop_threads();
    [LibraryImport(Library)] public static partial byte* mt_config(int which);
    [LibraryImport(Library)] public static partial int mt_flag(byte* name, int value);
    [LibraryImport(Library)] public static partial int mt_has_mkldnn();
    [LibraryImport(Library)] public static partial int mt_default_dtype(int dtype);

    [LibraryImport(Library)] public static partial int mt_cpu_memory_install();
    [LibraryImport(Library), SuppressGCTransition] public static partial void mt_cpu_memory(long* current, long* peak, long* allocations, int resetPeak);
    [LibraryImport(Library)] public static partial void mt_cpu_memory_trim();

    [LibraryImport(Library), SuppressGCTransition] public static partial int mt_volume_kernels();
    [LibraryImport(Library)] public static partial int mt_channel_sums(nint volume, double* sums);
    [LibraryImport(Library)] public static partial int mt_channel_affine(nint volume, float* scale, float* shift, int silu, nint result);
    [LibraryImport(Library)] public static partial nint mt_convolution_weights(nint weight);
    [LibraryImport(Library)] public static partial long mt_convolution_scratch(long inChannels, long outChannels, long planes, long rows, long columns);
    [LibraryImport(Library)] public static partial int mt_convolution(nint volume, nint weights, nint bias, nint residual, int lead, nint result);
    [LibraryImport(Library)] public static partial nint mt_convolution_3x3x3(nint volumes, nint weight, nint bias);

    [LibraryImport(Library)] public static partial int mt_cuda_device_count();
    [LibraryImport(Library)] public static partial int mt_cuda_cudnn_version();
    [LibraryImport(Library)] public static partial int mt_cuda_synchronize(int device);
    [LibraryImport(Library)] public static partial int mt_cuda_empty_cache();
    [LibraryImport(Library)] public static partial int mt_cuda_memory(int device, long* out6, int resetPeak);
    [LibraryImport(Library)] public static partial nint mt_cuda_graph_new();
    [LibraryImport(Library)] public static partial void mt_cuda_graph_free(nint graph);
    [LibraryImport(Library)] public static partial int mt_cuda_graph_begin(nint graph);
    [LibraryImport(Library)] public static partial int mt_cuda_graph_end(nint graph);
    [LibraryImport(Library)] public static partial int mt_cuda_graph_replay(nint graph);

    /// <summary>A text the shim owns.</summary>
    public static string Text(byte* text) => text is null ? throw TorchException.Last() : Marshal.PtrToStringUTF8((nint)text)!;

    /// <summary>Throws what the shim reported when <paramref name="status"/> says failure.</summary>
    public static void Check(int status)
    {
        if (status != 0)
            throw TorchException.Last();
    }

    /// <summary>The handle, or the shim's error when it is null.</summary>
    public static nint Check(nint handle) => handle != 0 ? handle : throw TorchException.Last();
}
