using Maisi.Bridge.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Evaluation;

/// <summary>
/// A 3D network as a substitute for a slice network: its feature map is averaged within each layer across an axis, which gives one row per
/// layer of features (a layer spans several slices). HU from -1000 to 1000 become 0 to 1. The volume is cut into blocks that do not overlap.
/// </summary>
public sealed class VolumeNetwork : FeatureNetwork
{
    private readonly Func<Tensor, Tensor> _features;
    private readonly IDisposable _owner;
    private readonly int _divisor, _block;
    private readonly Device _device;

    /// <param name="name">What reports call it.</param>
    /// <param name="fingerprint">Changes with the weights.</param>
    /// <param name="features">[1, 1, X, Y, Z] to a feature map [1, C, x, y, z].</param>
    /// <param name="divisor">What the extents must be divisible by.</param>
    /// <param name="owner">The network, disposed with this object.</param>
    /// <param name="device">Where the network is; null for the CPU.</param>
    /// <param name="block">Largest edge that is computed at once.</param>
    public VolumeNetwork(string name, string fingerprint, Func<Tensor, Tensor> features, int divisor, IDisposable owner, Device? device = null, int block = 128)
        : base(name, fingerprint) => (_features, _divisor, _owner, _device, _block) = (features, divisor, owner, device ?? CPU, Math.Max(block / divisor, 1) * divisor);

    /// <inheritdoc/>
    public override IReadOnlyDictionary<SlicePlane, Tensor> Extract(Tensor image, SliceChoice slices)
    {
        using var scope = NewDisposeScope();
        var map = Map(image);
        return Enum.GetValues<SlicePlane>().ToDictionary(plane => plane, plane =>
        {
            var axis = Axis(plane);
            var (from, to) = slices.Range((int)map.shape[axis + 1]);
            var layers = map.slice(axis + 1, from, Math.Max(to, from + 1), slices.Step);
            long[] others = [.. new long[] { 1, 2, 3 }.Where(d => d != axis + 1)];
            return layers.mean(others).transpose(0, 1).contiguous().MoveToOuterDisposeScope();
        });
    }

    /// <summary>The feature map [C, x, y, z] of a volume [X, Y, Z] in HU; layers of padding are left off.</summary>
    internal Tensor Map(Tensor image)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        long[] size = image.shape, padded = [.. size.Select(n => (n + _divisor - 1) / _divisor * _divisor)];
        var input = (image.to(ScalarType.Float32) + 1000) / 2000;
        input = nn.functional.pad(input.unsqueeze(0).unsqueeze(0), [0, padded[2] - size[2], 0, padded[1] - size[1], 0, padded[0] - size[0]], PaddingModes.Constant, 0);
        long[] roi = [.. padded.Select(n => Math.Min(n, _block))];
        var options = new SlidingWindowOptions(roi, [0, 0, 0], WindowBlending.Constant);
        var map = roi.SequenceEqual(padded) ? _features(input.to(_device)).cpu() : SlidingWindow.Run(input, window => _features(window.to(_device)).cpu(), options);
        for (var axis = 0; axis < 3; axis++)
            map = map.narrow(axis + 2, 0, Math.Max(1, map.shape[axis + 2] * size[axis] / padded[axis]));
        return map[0].to(ScalarType.Float32).contiguous().MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override void Dispose() => _owner.Dispose();
}
