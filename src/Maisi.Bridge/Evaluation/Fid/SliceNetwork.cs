// scripts/compute_fid_2-5d_ct.py of NVIDIA's NV-Generate-CTMR: get_features_2p5d, radimagenet_intensity_normalisation, subtract_mean.
using Maisi.Bridge.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Evaluation;

/// <summary>
/// A 2D network on slices: the slices of one plane of one image are scaled together to [0, 1], repeated to three channels in BGR order, and
/// the channel means subtracted; a feature map is averaged over the slice.
/// </summary>
public sealed class SliceNetwork : FeatureNetwork
{
    // Activations of a few slices stay in the processor's cache; the result does not depend on it.
    private const long PixelsPerBatch = 16 * 128 * 128;
    private const double RangeEps = 1e-10;
    private static readonly float[] ChannelMeans = [0.406f, 0.456f, 0.485f];
    private readonly nn.Module<Tensor, Tensor> _network;
    private readonly Device _device;

    /// <param name="name">What reports call it.</param>
    /// <param name="fingerprint">Changes with the weights.</param>
    /// <param name="network">[B, 3, H, W] to [B, C] or [B, C, h, w]; taken over, and put in eval mode.</param>
    /// <param name="device">Where it runs; null for the CPU.</param>
    public SliceNetwork(string name, string fingerprint, nn.Module<Tensor, Tensor> network, Device? device = null)
        : base(name, fingerprint)
    {
        _network = network;
        _device = device ?? CPU;
        network.eval();
        network.to(_device);
        // On a CPU convolutions of this layout take half the time.
        TensorRuntime.UseLayout(network, TensorLayout.ChannelsLast2d);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<SlicePlane, Tensor> Extract(Tensor image, SliceChoice slices) =>
        Enum.GetValues<SlicePlane>().ToDictionary(plane => plane, plane => Rows(image, plane, slices));

    /// <summary>The rows of one plane, [slices, C].</summary>
    internal Tensor Rows(Tensor image, SlicePlane plane, SliceChoice slices)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var stack = Normalised(Stack(image, plane, slices));
        var step = Math.Max(1, PixelsPerBatch / (stack.shape[1] * stack.shape[2]));
        var means = tensor(ChannelMeans).reshape(1, 3, 1, 1).to(_device);
        var rows = new List<Tensor>();
        for (var from = 0L; from < stack.shape[0]; from += step)
        {
            using var part = NewDisposeScope();
            var batch = stack.narrow(0, from, Math.Min(step, stack.shape[0] - from)).unsqueeze(1).to(_device) - means;
            var features = _network.call(TensorRuntime.WithLayout(batch, TensorLayout.ChannelsLast2d));
            var mean = features.dim() switch { 2 => features, 3 => features.mean([2L]), _ => features.mean([2L, 3]) };
            rows.Add(mean.to(ScalarType.Float32).cpu().contiguous().MoveToOuterDisposeScope());
        }
        return cat(rows.ToArray(), 0).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override void Dispose() => _network.Dispose();

    /// <summary>[X, Y, Z] to the slices of a plane, [N, H, W].</summary>
    private static Tensor Stack(Tensor image, SlicePlane plane, SliceChoice slices)
    {
        var axis = Axis(plane);
        var (from, to) = slices.Range((int)image.shape[axis]);
        if (to <= from)
            throw new MaisiException($"no slice of {image.shape[axis]} is left across axis {"xyz"[axis]}", hint: "take a larger share of the slices from the middle");
        var chosen = image.slice(axis, from, to, slices.Step);
        return plane switch
        {
            SlicePlane.Xy => chosen.permute(2, 0, 1),
            SlicePlane.Yz => chosen.permute(0, 1, 2),
            _ => chosen.permute(1, 0, 2),
        };
    }

    private static Tensor Normalised(Tensor stack)
    {
        Tensor low = stack.min(), high = stack.max();
        return ((stack - low) / (high - low + RangeEps)).contiguous();
    }
}
