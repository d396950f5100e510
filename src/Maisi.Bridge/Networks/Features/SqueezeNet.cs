// Port of squeezenet1_1 in torchvision/models/squeezenet.py (torchvision 0.21); Iandola et al., arXiv:1602.07360.
using Maisi.Bridge.Checkpoints;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>
/// SqueezeNet 1.1 as one row per image, under torchvision's keys: with its classifier [B, 3, X, Y] to [B, 1000], without it to [B, 512].
/// </summary>
public sealed class SqueezeNet : nn.Module<Tensor, Tensor>
{
    // Not the module itself: fields that hold modules become keys, and torchvision has "features" at the top.
    private readonly Func<Tensor, Tensor> _features;
    private readonly Sequential? classifier;

    /// <summary>Random weights, in eval mode.</summary>
    /// <param name="withClassifier">Whether the 1000 outputs are wanted.</param>
    public SqueezeNet(bool withClassifier)
        : base(nameof(SqueezeNet))
    {
        var trunk = new SqueezeNetFeatures();
        _features = trunk.Last;
        // Key classifier.1, as in torchvision, where 0 is a dropout.
        classifier = withClassifier ? nn.Sequential(("1", nn.Conv2d(512, 1000, 1))) : null;
        RegisterComponents();
        register_module("features", trunk.Layers);
        eval();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = _features(x);
        if (classifier is not null)
            h = classifier.call(h).relu_().Freeing(h);
        return h.mean([2L, 3]).MoveToOuterDisposeScope();
    }
}
