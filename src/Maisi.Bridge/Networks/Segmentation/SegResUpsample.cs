// monai/networks/blocks/upsample.py (MONAI 1.5); pixel shuffle: Shi et al., arXiv:1609.05158, Aitken et al., arXiv:1707.02937.
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>
/// MONAI's <c>UpSample</c>: deconv, deconvgroup, nontrainable (linear, behind a pointwise convolution where the channels change) or pixelshuffle
/// (followed by a mean over 2×2(×2) voxels). [B, in, X, Y(, Z)] to [B, out, X·s, Y·s(, Z·s)].
/// </summary>
internal sealed class SegResUpsample : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor>? deconv;
    private readonly nn.Module<Tensor, Tensor>? deconvgroup;
    private readonly nn.Module<Tensor, Tensor>? preconv;
    private readonly nn.Module<Tensor, Tensor>? pixelshuffle;
    private readonly long[] _scale;

    /// <param name="mode">One of MONAI's names.</param>
    /// <param name="inChannels">Input channels.</param>
    /// <param name="outChannels">Output channels.</param>
    /// <param name="scale">Factor of every axis.</param>
    /// <param name="kernel">Extents of the transposed convolution's kernel.</param>
    /// <param name="bias">Whether its convolution has a bias.</param>
    /// <exception cref="DefinitionException">An unknown mode, or pixel shuffle by different factors.</exception>
    public SegResUpsample(string mode, int inChannels, int outChannels, long[] scale, long[] kernel, bool bias)
        : base(nameof(SegResUpsample))
    {
        _scale = scale;
        switch (mode.ToLowerInvariant())
        {
            case "deconv":
                deconv = Transposed(inChannels, outChannels, scale, kernel, 1, bias);
                break;
            case "deconvgroup":
                deconvgroup = Transposed(inChannels, outChannels, scale, kernel, inChannels % outChannels == 0 ? outChannels : 1, bias);
                break;
            case "nontrainable":
                if (inChannels != outChannels)
                    preconv = scale.Length == 3 ? nn.Conv3d(inChannels, outChannels, 1, bias: bias) : nn.Conv2d(inChannels, outChannels, 1, bias: bias);
                break;
            case "pixelshuffle":
                if (scale.Distinct().Count() > 1)
                    throw new DefinitionException($"pixelshuffle raises every axis alike, but the factors are [{string.Join(", ", scale)}]", "upsample_mode", "use deconv, or leave resolution out");
                pixelshuffle = new PixelShuffle(inChannels, outChannels, scale[0], scale.Length, bias);
                break;
            default:
                throw new DefinitionException($"upsample_mode '{mode}' is unknown", "upsample_mode", "use deconv, deconvgroup, nontrainable or pixelshuffle");
        }
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        if ((deconv ?? deconvgroup ?? pixelshuffle) is { } trained)
            return trained.call(x);
        if (preconv is null)
            return Raised(x);
        using var h = preconv.call(x);
        return Raised(h);
    }

    private Tensor Raised(Tensor x) => Resampling.Linear(x, [.. _scale.Select(s => (double)s)]);

    private static nn.Module<Tensor, Tensor> Transposed(int inChannels, int outChannels, long[] scale, long[] kernel, int groups, bool bias)
    {
        // A kernel of the factor's extents needs no padding; upstream takes one where none is named.
        var padding = kernel.Zip(scale, (k, s) => k == s ? 0 : (k - 1) / 2).ToArray();
        var output = kernel.Zip(scale, (k, s) => k == s ? 0 : s - 1 - ((k - 1) % 2)).ToArray();
        return scale.Length == 3
            ? nn.ConvTranspose3d(inChannels, outChannels, SegResLayers.Triple(kernel), SegResLayers.Triple(scale), SegResLayers.Triple(padding),
                SegResLayers.Triple(output), (1, 1, 1), PaddingModes.Zeros, groups, bias)
            : nn.ConvTranspose2d(inChannels, outChannels, SegResLayers.Pair(kernel), SegResLayers.Pair(scale), SegResLayers.Pair(padding),
                SegResLayers.Pair(output), (1, 1), PaddingModes.Zeros, groups, bias);
    }

    private sealed class PixelShuffle : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> conv_block;
        private readonly long _factor;

        public PixelShuffle(int inChannels, int outChannels, long factor, int dims, bool bias)
            : base(nameof(PixelShuffle))
        {
            _factor = factor;
            var parts = (long)Math.Pow(factor, dims);
            conv_block = dims == 3 ? nn.Conv3d(inChannels, outChannels * parts, 3, padding: 1, bias: bias) : nn.Conv2d(inChannels, outChannels * parts, 3, padding: 1, bias: bias);
            RegisterComponents();
            // The parts of a voxel start alike, so that an untrained network shows no checkerboard.
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            var weight = get_parameter("conv_block.weight")!;
            weight.copy_(weight.narrow(0, 0, outChannels).repeat_interleave(parts, 0));
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            var h = conv_block.call(x);
            var dims = (int)h.dim() - 2;
            var parts = (long)Math.Pow(_factor, dims);
            // [B, C, f, f(, f), X, Y(, Z)] to [B, C, X, f, Y, f(, Z, f)].
            var order = Enumerable.Range(0, dims).SelectMany(axis => new[] { 2L + dims + axis, 2 + axis });
            h = h.reshape([h.shape[0], h.shape[1] / parts, .. Enumerable.Repeat(_factor, dims), .. h.shape[2..]])
                .permute([0, 1, .. order])
                .reshape([h.shape[0], h.shape[1] / parts, .. h.shape[2..].Select(n => n * _factor)]);
            h = nn.functional.pad(h, [.. Enumerable.Range(0, 2 * dims).Select(i => i % 2 == 0 ? _factor - 1 : 0)]);
            var (window, once) = (Enumerable.Repeat(_factor, dims).ToArray(), Enumerable.Repeat(1L, dims).ToArray());
            return (dims == 3 ? nn.functional.avg_pool3d(h, window, once) : nn.functional.avg_pool2d(h, window, once)).MoveToOuterDisposeScope();
        }
    }
}
