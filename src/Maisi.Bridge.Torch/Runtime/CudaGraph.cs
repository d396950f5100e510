namespace TorchSharp;

/// <summary>
/// A recorded sequence of CUDA kernels that is replayed as one launch. Inputs and outputs are the tensors of the recording:
/// copy new inputs into them before each replay. Nothing inside may wait for the device or allocate outside libtorch.
/// </summary>
public sealed class CudaGraph : IDisposable
{
    private nint _handle = Native.Check(Native.mt_cuda_graph_new());

    ~CudaGraph() => Free();

    /// <summary>Records what <paramref name="work"/> launches; it must have run once before, so that every cache is filled.</summary>
    public void Capture(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        Native.Check(Native.mt_cuda_graph_begin(_handle));
        try
        {
            work();
        }
        finally
        {
            Native.Check(Native.mt_cuda_graph_end(_handle));
        }
    }

    /// <summary>Launches the recording on the current stream.</summary>
    public void Replay()
    {
        Native.Check(Native.mt_cuda_graph_replay(_handle));
        GC.KeepAlive(this);
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        var handle = Interlocked.Exchange(ref _handle, 0);
        if (handle != 0)
            Native.mt_cuda_graph_free(handle);
    }
}
