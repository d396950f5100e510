using Maisi.Bridge.Python;
using TorchSharp;

namespace Maisi.Bridge.Interop;

/// <summary>Tensors to a worker process and back, through shared memory with one copy each way.</summary>
public static class SharedTensors
{
    private static readonly (torch.ScalarType Type, string Name)[] Names =
    [
        (torch.ScalarType.Byte, "uint8"), (torch.ScalarType.Int8, "int8"), (torch.ScalarType.Int16, "int16"), (torch.ScalarType.Int32, "int32"),
        (torch.ScalarType.Int64, "int64"), (torch.ScalarType.Float16, "float16"), (torch.ScalarType.BFloat16, "bfloat16"),
        (torch.ScalarType.Float32, "float32"), (torch.ScalarType.Float64, "float64"), (torch.ScalarType.Bool, "bool"),
        (torch.ScalarType.ComplexFloat32, "complex64"), (torch.ScalarType.ComplexFloat64, "complex128"),
    ];

    /// <summary>A copy of a tensor for Python, where it arrives as a <c>torch.Tensor</c> on the CPU. At most 2 GiB.</summary>
    public static SharedArray ToShared(this torch.Tensor tensor, IPythonRuntime python)
    {
        using var scope = torch.NewDisposeScope();
        var packed = tensor.detach().cpu().contiguous();
        var name = Names.First(n => n.Type == packed.dtype).Name;
        return python.CreateArray(name, packed.shape, PythonArrayKind.Torch, packed.bytes);
    }

    /// <summary>A copy of an array from Python as a tensor on the CPU. At most 2 GiB.</summary>
    /// <exception cref="ArgumentException">libtorch has no such element type (unsigned integers of more than 8 bits).</exception>
    public static torch.Tensor ToTensor(this SharedArray array)
    {
        var known = Names.FirstOrDefault(n => n.Name == array.DType);
        if (known.Name is null)
            throw new ArgumentException($"an array of {array.DType} has no tensor type", nameof(array));
        var tensor = torch.empty([.. array.Shape], known.Type);
        array.Bytes.CopyTo(tensor.bytes);
        return tensor;
    }
}
