// Port of monai/networks/blocks/convolutions.py (MONAI 1.5), for the argument combinations that the MAISI family uses.
using Maisi.Bridge.Runtime;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>A 2D or 3D convolution under the key <c>conv</c>, optionally followed by SiLU.</summary>
internal sealed class Convolution : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor> conv;
    // Below these, transforming the weights and filling vectors of 16 columns costs more than the fewer products save.
    private const long FastChannels = 16, FastColumns = 12;

    private readonly bool _silu;
    private readonly bool _isFastShape;

    /// <param name="spatialDims">2 or 3.</param>
    /// <param name="inChannels">Input channels.</param>
    /// <param name="outChannels">Output channels.</param>
    /// <param name="kernel">Kernel extent on every axis.</param>
    /// <param name="stride">Stride on every axis.</param>
    /// <param name="padding">Zeros on both sides of every axis.</param>
    /// <param name="transposed">Transposed convolution, with output padding <c>stride - 1</c>.</param>
    /// <param name="silu">Whether SiLU follows.</param>
    /// <param name="bias">Whether a plain convolution has a bias.</param>
    public Convolution(int spatialDims, long inChannels, long outChannels, long kernel = 3, long stride = 1, long padding = 1, bool transposed = false, bool silu = false, bool bias = true)
        : base(nameof(Convolution))
    {
        _silu = silu;
        _isFastShape = (spatialDims, kernel, stride, padding, transposed) == (3, 3, 1, 1, false) && Math.Min(inChannels, outChannels) >= FastChannels;
        conv = (spatialDims, transposed) switch
        {
            (2, false) => nn.Conv2d(inChannels, outChannels, kernel, stride, padding, 1, PaddingModes.Zeros, 1, bias),
            (3, false) => nn.Conv3d(inChannels, outChannels, kernel, stride, padding, 1, PaddingModes.Zeros, 1, bias),
            (2, true) => nn.ConvTranspose2d(inChannels, outChannels, kernel, stride, padding, stride - 1),
            _ => nn.ConvTranspose3d(inChannels, outChannels, kernel, stride, padding, stride - 1),
        };
        RegisterComponents();
    }

    /// <summary>The layer under the key <c>conv</c>.</summary>
    public nn.Module<Tensor, Tensor> Inner => conv;

    /// <summary>1×1(×1), stride 1, no padding.</summary>
    public static Convolution Pointwise(int spatialDims, long inChannels, long outChannels) => new(spatialDims, inChannels, outChannels, kernel: 1, padding: 0);

    /// <summary>Without bias, padded so that stride 1 keeps the extents.</summary>
    public static Convolution WithoutBias(int spatialDims, long inChannels, long outChannels, long kernel = 3, long stride = 1) =>
        new(spatialDims, inChannels, outChannels, kernel, stride, (kernel - 1) / 2, bias: false);

    /// <summary>Sets weight and bias to zero, as upstream does for layers that must not disturb a trained network at first.</summary>
    public Convolution Zeroed()
    {
        Initialization.Zero(this);
        return this;
    }

    /// <summary>[B, in, X, Y(, Z)] to [B, out, ...].</summary>
    public override Tensor forward(Tensor x)
    {
        var h = IsFast(x) ? Fast(x, (Conv3d)conv) : conv.call(x);
        if (_silu)
            h.silu_();
        return h;
    }

    private bool IsFast(Tensor x) => _isFastShape && x.shape[^1] >= FastColumns && TensorRuntime.HasVolumeKernels(x.dtype, x.device_type) && !TensorRuntime.IsAutocastOnCpu;

    /// <summary>By the kernel that needs fewer products; the weights are made ready anew, which takes a few percent of the time and no memory afterwards.</summary>
    private static Tensor Fast(Tensor x, Conv3d layer) => TensorRuntime.Convolution3x3x3(x, layer.weight, layer.bias);
}
