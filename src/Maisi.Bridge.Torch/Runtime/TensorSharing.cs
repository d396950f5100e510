namespace TorchSharp;

/// <summary>
/// Sharing tensors with other code in this process that uses the same libtorch, for example Python's torch: the currency is the TensorImpl pointer.
/// </summary>
public static class TensorSharing
{
    /// <summary>
    /// A TensorImpl pointer with one more reference, for another owner (Python's <c>THPVariable_Wrap</c> or <c>at::Tensor::unsafeTensorFromTH</c>-like
    /// adoption) who releases it. See <see cref="Release"/>.
    /// </summary>
    public static nint RetainHandle(torch.Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        var handle = Native.mt_tensor_retain(tensor.Handle);
        GC.KeepAlive(tensor);
        return handle;
    }

    /// <summary>Gives back a reference taken with <see cref="RetainHandle"/> that nobody adopted.</summary>
    public static void Release(nint tensorImpl) => Native.mt_tensor_free(tensorImpl);

    /// <summary>Wraps a TensorImpl pointer whose reference is handed over: disposing the result releases it.</summary>
    public static torch.Tensor Adopt(nint tensorImpl) => tensorImpl != 0 ? new torch.Tensor(tensorImpl) : throw new ArgumentNullException(nameof(tensorImpl));

    /// <summary>Wraps a TensorImpl pointer that somebody else owns, with a reference of its own.</summary>
    public static torch.Tensor Borrow(nint tensorImpl) => Adopt(Native.mt_tensor_retain(tensorImpl));

    /// <summary>A second wrapper of the same tensor.</summary>
    public static torch.Tensor Retain(torch.Tensor tensor) => Adopt(RetainHandle(tensor));

    /// <summary>How many owners the tensor has.</summary>
    public static long UseCount(torch.Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        var count = Native.mt_tensor_use_count(tensor.Handle);
        GC.KeepAlive(tensor);
        return count;
    }
}
