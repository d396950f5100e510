namespace Maisi.Bridge.Runtime;

/// <summary>The order of a volume's elements in memory.</summary>
public enum TensorLayout
{
    /// <summary>N, C, D, H, W.</summary>
    Contiguous,

    /// <summary>N, D, H, W, C: what tensor cores like.</summary>
    ChannelsLast3d,

    /// <summary>N, H, W, C for images, which CPUs convolve in half the time.</summary>
    ChannelsLast2d,
}
