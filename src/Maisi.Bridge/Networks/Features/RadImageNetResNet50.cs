// Port of radimagenet_models/models/resnet.py (github.com/Warvito/radimagenet-models); He et al., arXiv:1512.03385;
// Mei et al., RadImageNet, doi:10.1148/ryai.210315. It follows Keras: biases, and the stride in the first convolution of a block.
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>1×1, 3×3, 1×1 convolutions with batch norms, and the input added.</summary>
internal sealed class KerasBottleneck : nn.Module<Tensor, Tensor>
{
    internal const double BatchNormEps = 1.001e-5;
    internal const int Expansion = 4;
    private readonly Conv2d conv1;
    private readonly BatchNorm2d bn1;
    private readonly Conv2d conv2;
    private readonly BatchNorm2d bn2;
    private readonly Conv2d conv3;
    private readonly BatchNorm2d bn3;
    private readonly Sequential? downsample;

    public KerasBottleneck(long inChannels, long width, long stride)
        : base(nameof(KerasBottleneck))
    {
        var outChannels = width * Expansion;
        conv1 = nn.Conv2d(inChannels, width, 1, stride);
        bn1 = nn.BatchNorm2d(width, BatchNormEps);
        conv2 = nn.Conv2d(width, width, 3, 1, 1);
        bn2 = nn.BatchNorm2d(width, BatchNormEps);
        conv3 = nn.Conv2d(width, outChannels, 1);
        bn3 = nn.BatchNorm2d(outChannels, BatchNormEps);
        if (stride != 1 || inChannels != outChannels)
            downsample = nn.Sequential(nn.Conv2d(inChannels, outChannels, 1, stride), nn.BatchNorm2d(outChannels, BatchNormEps));
        RegisterComponents();
    }

    /// <summary>[B, in, X, Y] to [B, 4·width, X/stride, Y/stride].</summary>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = bn1.call(conv1.call(x)).relu_();
        h = bn2.call(conv2.call(h)).relu_();
        h = bn3.call(conv3.call(h));
        h.add_(downsample is null ? x : downsample.call(x));
        return h.relu_().MoveToOuterDisposeScope();
    }
}

/// <summary>
/// ResNet50 without its classifier, for the features of FID. Its weights are the user's: RadImageNet-ResNet50_notop.pth.
/// Input [B, 3, X, Y], BGR with the mean removed; output [B, 2048, X/32, Y/32].
/// </summary>
public sealed class RadImageNetResNet50 : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv1;
    private readonly BatchNorm2d bn1;
    private readonly Sequential layer1;
    private readonly Sequential layer2;
    private readonly Sequential layer3;
    private readonly Sequential layer4;

    /// <summary>Random weights, in eval mode.</summary>
    public RadImageNetResNet50()
        : base(nameof(RadImageNetResNet50))
    {
        conv1 = nn.Conv2d(3, 64, 7, 2, 3);
        bn1 = nn.BatchNorm2d(64, KerasBottleneck.BatchNormEps);
        layer1 = Layer(64, 64, blocks: 3, stride: 1);
        layer2 = Layer(256, 128, blocks: 4, stride: 2);
        layer3 = Layer(512, 256, blocks: 6, stride: 2);
        layer4 = Layer(1024, 512, blocks: 3, stride: 2);
        RegisterComponents();
        eval();
    }

    /// <summary>[B, 3, X, Y] to [B, 2048, X/32, Y/32].</summary>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = bn1.call(conv1.call(x)).relu_();
        h = nn.functional.max_pool2d(h, [3L, 3], [2L, 2], [1L, 1]);
        foreach (var layer in new[] { layer1, layer2, layer3, layer4 })
            h = layer.call(h).Freeing(h);
        return h.MoveToOuterDisposeScope();
    }

    private static Sequential Layer(long inChannels, long width, int blocks, long stride) =>
        nn.Sequential(Enumerable.Range(0, blocks).Select(i =>
            (nn.Module<Tensor, Tensor>)new KerasBottleneck(i == 0 ? inChannels : width * KerasBottleneck.Expansion, width, i == 0 ? stride : 1)).ToArray());
}
