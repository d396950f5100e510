namespace TorchSharp;

/// <summary>Automatic mixed precision of one device type on this thread.</summary>
public static class Autocast
{
    /// <summary>Runs suitable operators in <paramref name="dtype"/> until the result is disposed.</summary>
    /// <param name="deviceType">CPU or CUDA.</param>
    /// <param name="dtype">bfloat16 (CPU and CUDA) or float16 (CUDA).</param>
    /// <param name="enabled">False switches a surrounding region off.</param>
    public static IDisposable Enter(DeviceType deviceType, torch.ScalarType dtype, bool enabled = true) => new Region(deviceType, dtype, enabled);

    /// <summary>Whether it is on.</summary>
    public static bool IsEnabled(DeviceType deviceType) => Native.mt_autocast((int)deviceType, -1, -1) > 0;

    /// <summary>The lower precision in use.</summary>
    public static torch.ScalarType Dtype(DeviceType deviceType) => (torch.ScalarType)Native.mt_autocast_dtype((int)deviceType);

    private sealed class Region : IDisposable
    {
        private readonly DeviceType _device;
        private readonly int _wasOn;
        private readonly int _wasType;
        private bool _disposed;

        public Region(DeviceType device, torch.ScalarType dtype, bool enabled)
        {
            _device = device;
            _wasType = Native.mt_autocast_dtype((int)device);
            _wasOn = Native.mt_autocast((int)device, enabled ? 1 : 0, (int)dtype);
            if (_wasOn < 0)
                throw TorchException.Last();
            _ = Native.mt_autocast_nesting(1);
        }

        public void Dispose()
        {
            if (_disposed)
                return;
            _disposed = true;
            _ = Native.mt_autocast_nesting(-1);
            _ = Native.mt_autocast((int)_device, _wasOn, _wasType);
        }
    }
}

/// <summary>The autocast settings of a thread, to be entered again later or on another one.</summary>
internal readonly record struct AutocastState(bool Cpu, torch.ScalarType CpuType, bool Cuda, torch.ScalarType CudaType)
{
    public static AutocastState Current => new(
        Autocast.IsEnabled(DeviceType.CPU), Autocast.Dtype(DeviceType.CPU), Autocast.IsEnabled(DeviceType.CUDA), Autocast.Dtype(DeviceType.CUDA));

    public IDisposable Enter() => new Both(Autocast.Enter(DeviceType.CPU, CpuType, Cpu), Autocast.Enter(DeviceType.CUDA, CudaType, Cuda));

    private sealed class Both(IDisposable first, IDisposable second) : IDisposable
    {
        public void Dispose()
        {
            second.Dispose();
            first.Dispose();
        }
    }
}
