namespace TorchSharp;

/// <summary>Memory of a CUDA device as libtorch's caching allocator sees it, in bytes.</summary>
/// <param name="Allocated">In tensors.</param>
/// <param name="AllocatedPeak">The most that was in tensors since the last reset.</param>
/// <param name="Reserved">Held by the allocator, tensors included.</param>
/// <param name="ReservedPeak">The most held since the last reset.</param>
/// <param name="Free">Free on the device.</param>
/// <param name="Total">All of the device.</param>
public readonly record struct CudaMemory(long Allocated, long AllocatedPeak, long Reserved, long ReservedPeak, long Free, long Total)
{
    /// <summary>The figures now.</summary>
    /// <exception cref="TorchException">There is no such device, or this is a CPU build.</exception>
    public static unsafe CudaMemory Of(int device, bool resetPeak = false)
    {
        var numbers = stackalloc long[6];
        Native.Check(Native.mt_cuda_memory(device, numbers, resetPeak ? 1 : 0));
        return new(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]);
    }

    /// <summary>Gives what is held but unused back to the device.</summary>
    public static void EmptyCache() => Native.Check(Native.mt_cuda_empty_cache());
}
