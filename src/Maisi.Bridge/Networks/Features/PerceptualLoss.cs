// Port of LPIPS 0.1 with SqueezeNet (github.com/richzhang/PerceptualSimilarity; Zhang et al., arXiv:1801.03924) and of its use on
// slices in monai/losses/perceptual.py (MONAI 1.5).
using Maisi.Bridge.Checkpoints;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>
/// LPIPS distance of images by SqueezeNet's features. Its weights are the user's: the trunk is torchvision's squeezenet1_1, the linear
/// layers are LPIPS's own.
/// </summary>
public sealed class LpipsSqueeze : nn.Module<Tensor, Tensor, Tensor>
{
    private const double NormEps = 1e-10;
    private static readonly float[] Shift = [-0.030f, -0.088f, -0.188f], Scale = [0.458f, 0.448f, 0.450f];
    private readonly SqueezeNetFeatures net;
    private readonly ModuleList<LinearLayer> lins;

    /// <summary>Random weights; the network is in eval mode and takes no gradients.</summary>
    public LpipsSqueeze()
        : base(nameof(LpipsSqueeze))
    {
        net = new SqueezeNetFeatures();
        lins = nn.ModuleList(SqueezeNetFeatures.Channels.Select(channels => new LinearLayer(channels)).ToArray());
        RegisterComponents();
        foreach (var parameter in parameters())
            parameter.requires_grad = false;
        eval();
    }

    /// <summary>Loads the weights.</summary>
    /// <param name="trunk">torchvision's squeezenet1_1 state dict (its classifier is ignored), or an LPIPS one with slices.</param>
    /// <param name="linear">LPIPS's own layers: lin0.model.1.weight to lin6.model.1.weight.</param>
    /// <exception cref="CheckpointException">Keys or shapes are not those.</exception>
    public void LoadWeights(IReadOnlyDictionary<string, StoredTensor> trunk, IReadOnlyDictionary<string, StoredTensor> linear)
    {
        var renamed = new Dictionary<string, StoredTensor>(StringComparer.Ordinal);
        foreach (var (key, tensor) in trunk)
        {
            var name = key.StartsWith("net.", StringComparison.Ordinal) ? key[4..] : key;
            if (name.StartsWith("slice", StringComparison.Ordinal))
                name = "features" + name[name.IndexOf('.')..];
            if (name.StartsWith("features.", StringComparison.Ordinal))
                renamed["net." + name] = tensor;
        }
        for (var i = 0; i < SqueezeNetFeatures.Channels.Count; i++)
            if (linear.TryGetValue($"lin{i}.model.1.weight", out var tensor))
                renamed[$"lins.{i}.model.1.weight"] = tensor;
        StateDictLoader.Load(this, renamed);
    }

    /// <summary>Distance per image: [B, 1 or 3, X, Y] twice to [B, 1, 1, 1].</summary>
    public override Tensor forward(Tensor input, Tensor target)
    {
        using var scope = NewDisposeScope();
        var total = zeros(1, ScalarType.Float32, input.device);
        foreach (var layer in PerLayer(input, target))
            total = total + layer;
        return total.MoveToOuterDisposeScope();
    }

    /// <summary>The seven layers' shares of the distance, each [B, 1, 1, 1].</summary>
    internal IReadOnlyList<Tensor> PerLayer(Tensor input, Tensor target)
    {
        var ours = net.call(Scaled(input));
        var theirs = net.call(Scaled(target));
        return [.. ours.Select((feature, i) => lins[i].call((Normalized(feature) - Normalized(theirs[i])).pow(2)).mean([2L, 3], true))];
    }

    /// <summary>SqueezeNet's features of an image [B, 1 or 3, X, Y].</summary>
    internal IReadOnlyList<Tensor> Features(Tensor image) => net.call(Scaled(image));

    private static Tensor Scaled(Tensor image) =>
        (image - tensor(Shift, device: image.device).reshape(1, 3, 1, 1)) / tensor(Scale, device: image.device).reshape(1, 3, 1, 1);

    private static Tensor Normalized(Tensor feature) => feature / (feature.pow(2).sum([1L], true).sqrt() + NormEps);

    /// <summary>A pointwise convolution to one channel, under the key model.1 (model.0 is a dropout).</summary>
    private sealed class LinearLayer : nn.Module<Tensor, Tensor>
    {
        private readonly Sequential model;

        public LinearLayer(int channels)
            : base(nameof(LinearLayer))
        {
            model = nn.Sequential(("1", nn.Conv2d(channels, 1, 1, 1, 0, 1, PaddingModes.Zeros, 1, false)));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x) => model.call(x);
    }
}

/// <summary>
/// LPIPS of volumes by slices: a random share of the slices across each axis, the mean per axis, and the sum of the three. As upstream,
/// inputs in [0, 1] are not rescaled to the [-1, 1] that LPIPS was made for.
/// </summary>
/// <param name="Network">LPIPS with its weights.</param>
/// <param name="SliceRatio">Share of the slices, in (0, 1].</param>
public sealed record SlicePerceptualLoss(LpipsSqueeze Network, double SliceRatio = 0.5)
{
    /// <summary>The loss of two volumes [B, 1 or 3, X, Y, Z]; a single number.</summary>
    /// <param name="input">The one.</param>
    /// <param name="target">The other, in the same shape.</param>
    /// <param name="permutation">Random order of n slices; null draws it from libtorch's default generator.</param>
    /// <exception cref="ArgumentException">Different shapes.</exception>
    public Tensor Compute(Tensor input, Tensor target, Func<long, Tensor>? permutation = null)
    {
        if (!input.shape.SequenceEqual(target.shape))
            throw new ArgumentException($"input has shape [{string.Join(", ", input.shape)}], target [{string.Join(", ", target.shape)}]", nameof(target));
        using var scope = NewDisposeScope();
        permutation ??= n => randperm(n);
        var axes = new[] { 2, 3, 4 }.Select(axis => AxisLoss(input, target, axis, permutation)).ToArray();
        return (axes[0] + axes[2] + axes[1]).MoveToOuterDisposeScope();
    }

    private Tensor AxisLoss(Tensor input, Tensor target, int axis, Func<long, Tensor> permutation)
    {
        Tensor ours = Slices(input, axis), theirs = Slices(target, axis);
        var chosen = permutation(ours.shape[0]).narrow(0, 0, (long)(ours.shape[0] * SliceRatio)).to(input.device);
        return Network.call(ours.index_select(0, chosen), theirs.index_select(0, chosen)).mean();
    }

    /// <summary>[B, C, X, Y, Z] to [B·extent, C, ...] across an axis.</summary>
    private static Tensor Slices(Tensor volume, int axis)
    {
        long[] order = [0, axis, 1, .. new long[] { 2, 3, 4 }.Where(a => a != axis)];
        var slices = volume.to(ScalarType.Float32).permute(order).contiguous();
        return slices.view([-1, .. slices.shape[2..]]);
    }
}
