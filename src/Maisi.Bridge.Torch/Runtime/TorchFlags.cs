using System.Text;

namespace TorchSharp;

/// <summary>
/// Switches of libtorch's backends: cudnn_benchmark, cudnn_deterministic, cudnn_enabled, cudnn_tf32, cublas_tf32, mkldnn_enabled,
/// deterministic (2: only warn), and from libtorch 2.0 on sdp_flash, sdp_mem_efficient, sdp_math.
/// </summary>
public static unsafe class TorchFlags
{
    /// <summary>The value of a flag.</summary>
    /// <exception cref="TorchException">This libtorch has no such flag.</exception>
    public static int Get(string name) => Change(name, -1);

    /// <summary>Sets a flag and gives the value it had.</summary>
    /// <exception cref="TorchException">This libtorch has no such flag.</exception>
    public static int Set(string name, int value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        return Change(name, value);
    }

    private static int Change(string name, int value)
    {
        fixed (byte* text = Encoding.UTF8.GetBytes(name + '\0'))
        {
            var previous = Native.mt_flag(text, value);
            return previous >= 0 ? previous : throw TorchException.Last();
        }
    }
}
