namespace TorchSharp;

/// <summary>
/// Kernels for fp32 volumes [1, C, X, Y, Z] on the CPU that libtorch does not have: group norm in two parts (statistics, application with
/// SiLU) and a fast 3×3×3 convolution. A volume's channels must each be dense; a range of planes of a larger volume is. No gradients.
/// </summary>
public static unsafe class VolumeKernels
{
    /// <summary>Whether this processor can run them (x86-64 with AVX2 and FMA).</summary>
    public static bool IsSupported => Native.mt_volume_kernels() != 0;

    /// <summary>Adds every channel's sum and sum of squares to <paramref name="sums"/>, [2 C]; in double, in an order that the number of threads does not change.</summary>
    /// <exception cref="TorchException">The volume is not one that the kernels take.</exception>
    public static void AddChannelSums(torch.Tensor volume, Span<double> sums)
    {
        ArgumentNullException.ThrowIfNull(volume);
        ArgumentOutOfRangeException.ThrowIfLessThan(sums.Length, 2 * volume.shape[1], nameof(sums));
        fixed (double* p = sums)
            Native.Check(Native.mt_channel_sums(volume.Handle, p));
        GC.KeepAlive(volume);
    }

    /// <summary>volume · scale[c] + shift[c], then SiLU if asked for, into <paramref name="result"/>, which may be the volume.</summary>
    /// <exception cref="TorchException">The volumes are not ones that the kernels take.</exception>
    public static void ChannelAffine(torch.Tensor volume, ReadOnlySpan<float> scale, ReadOnlySpan<float> shift, bool silu, torch.Tensor result)
    {
        ArgumentNullException.ThrowIfNull(volume);
        ArgumentNullException.ThrowIfNull(result);
        ArgumentOutOfRangeException.ThrowIfLessThan(Math.Min(scale.Length, shift.Length), volume.shape[1], nameof(scale));
        fixed (float* a = scale, b = shift)
            Native.Check(Native.mt_channel_affine(volume.Handle, a, b, silu ? 1 : 0, result.Handle));
        GC.KeepAlive(volume);
        GC.KeepAlive(result);
    }

    /// <summary>A weight [out, in, 3, 3, 3] made ready for <see cref="Convolve"/>: about 2.4 times its size.</summary>
    /// <exception cref="TorchException">The weight is not float32 on the CPU, or its kernel is not 3×3×3.</exception>
    public static torch.Tensor ConvolutionWeights(torch.Tensor weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        var handle = Native.Check(Native.mt_convolution_weights(weight.Handle));
        GC.KeepAlive(weight);
        return new torch.Tensor(handle);
    }

    /// <summary>The most bytes that <see cref="Convolve"/> takes for itself, for a result [1, out, X, Y, Z] and the threads there are now.</summary>
    public static long ConvolutionScratch(long inChannels, long outChannels, long x, long y, long z) => Native.mt_convolution_scratch(inChannels, outChannels, x, y, z);

    /// <summary>
    /// A 3×3×3 convolution of stride 1 with zeros around, by Winograd's F(2×2×2, 3×3×3) (Lavin and Gray, arXiv:1509.09308): 3.4 times fewer
    /// products, and the rounding error of plain fp32 sums.
    /// </summary>
    /// <param name="volume">[1, in, X', Y, Z].</param>
    /// <param name="weights">From <see cref="ConvolutionWeights"/>.</param>
    /// <param name="bias">[out], or null.</param>
    /// <param name="residual">Added to the result, in its shape; may be the result itself; or null.</param>
    /// <param name="halo">False: the volume is whole. True: its first plane is the one in front of the result's first.</param>
    /// <param name="result">[1, out, X, Y, Z]; its X planes are computed.</param>
    /// <exception cref="TorchException">Shapes that do not fit.</exception>
    public static void Convolve(torch.Tensor volume, torch.Tensor weights, torch.Tensor? bias, torch.Tensor? residual, bool halo, torch.Tensor result)
    {
        ArgumentNullException.ThrowIfNull(volume);
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(result);
        Native.Check(Native.mt_convolution(volume.Handle, weights.Handle, bias?.Handle ?? 0, residual?.Handle ?? 0, halo ? 0 : 1, result.Handle));
        GC.KeepAlive(volume);
        GC.KeepAlive(weights);
        GC.KeepAlive(bias);
        GC.KeepAlive(residual);
        GC.KeepAlive(result);
    }

    /// <summary>The same convolution of a batch of whole volumes, under autograd: its gradients are computed in the same manner.</summary>
    /// <param name="volumes">[B, in, X, Y, Z].</param>
    /// <param name="weight">[out, in, 3, 3, 3], as it is.</param>
    /// <param name="bias">[out], or null.</param>
    /// <returns>[B, out, X, Y, Z].</returns>
    /// <exception cref="TorchException">Shapes that do not fit, or tensors that are not float32 on the CPU.</exception>
    public static torch.Tensor Convolution3x3x3(torch.Tensor volumes, torch.Tensor weight, torch.Tensor? bias)
    {
        ArgumentNullException.ThrowIfNull(volumes);
        ArgumentNullException.ThrowIfNull(weight);
        var handle = Native.Check(Native.mt_convolution_3x3x3(volumes.Handle, weight.Handle, bias?.Handle ?? 0));
        GC.KeepAlive(volumes);
        GC.KeepAlive(weight);
        GC.KeepAlive(bias);
        return new torch.Tensor(handle);
    }
}
