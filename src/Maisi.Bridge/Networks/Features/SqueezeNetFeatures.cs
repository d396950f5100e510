// Port of squeezenet1_1's features in torchvision/models/squeezenet.py (torchvision 0.21); Iandola et al., arXiv:1602.07360.
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Squeeze to few channels, expand by 1×1 and 3×3 convolutions side by side.</summary>
internal sealed class Fire : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d squeeze;
    private readonly Conv2d expand1x1;
    private readonly Conv2d expand3x3;

    public Fire(long inChannels, long squeezed, long expanded)
        : base(nameof(Fire))
    {
        squeeze = nn.Conv2d(inChannels, squeezed, 1);
        expand1x1 = nn.Conv2d(squeezed, expanded, 1);
        expand3x3 = nn.Conv2d(squeezed, expanded, 3, 1, 1);
        RegisterComponents();
    }

    /// <summary>[B, in, X, Y] to [B, 2·expanded, X, Y].</summary>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = squeeze.call(x).relu();
        return cat([expand1x1.call(h).relu(), expand3x3.call(h).relu()], 1).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// SqueezeNet 1.1 without its classifier, under torchvision's keys (features.N). Weights are the user's: torchvision's
/// squeezenet1_1 file. Input [B, 3, X, Y].
/// </summary>
public sealed class SqueezeNetFeatures : nn.Module<Tensor, IReadOnlyList<Tensor>>
{
    /// <summary>The layers after which LPIPS takes features.</summary>
    private static readonly int[] Taps = [1, 4, 7, 9, 10, 11, 12];
    private readonly FeatureStack features;

    /// <summary>Random weights.</summary>
    public SqueezeNetFeatures()
        : base(nameof(SqueezeNetFeatures))
    {
        features = new FeatureStack();
        RegisterComponents();
    }

    /// <summary>Channels of the seven features.</summary>
    public static IReadOnlyList<int> Channels { get; } = [64, 128, 256, 384, 384, 512, 512];

    /// <summary>The layers, for a network that shares torchvision's keys.</summary>
    internal nn.Module Layers => features;

    /// <summary>The network's output alone, [B, 512, X/16, Y/16]; earlier features are given back as soon as they are used.</summary>
    internal Tensor Last(Tensor x) => features.Last(x);

    /// <summary>Seven feature maps, the last of which is the network's output [B, 512, X/16, Y/16].</summary>
    public override IReadOnlyList<Tensor> forward(Tensor x) => features.call(x);

    private sealed class FeatureStack : nn.Module<Tensor, IReadOnlyList<Tensor>>
    {
        private readonly Dictionary<int, nn.Module<Tensor, Tensor>> _layers = new()
        {
            [0] = nn.Conv2d(3, 64, 3, 2),
            [3] = new Fire(64, 16, 64),
            [4] = new Fire(128, 16, 64),
            [6] = new Fire(128, 32, 128),
            [7] = new Fire(256, 32, 128),
            [9] = new Fire(256, 48, 192),
            [10] = new Fire(384, 48, 192),
            [11] = new Fire(384, 64, 256),
            [12] = new Fire(512, 64, 256),
        };

        public FeatureStack()
            : base("features")
        {
            foreach (var (index, layer) in _layers)
                register_module($"{index}", layer);
        }

        public override IReadOnlyList<Tensor> forward(Tensor x)
        {
            var taps = new List<Tensor>();
            var h = x;
            for (var i = 0; i <= Taps[^1]; i++)
            {
                h = Layer(i, h);
                if (Taps.Contains(i))
                    taps.Add(h);
            }
            return taps;
        }

        public Tensor Last(Tensor x)
        {
            var h = Layer(0, x);
            for (var i = 1; i <= Taps[^1]; i++)
                h = Layer(i, h).Freeing(h);
            return h;
        }

        private Tensor Layer(int i, Tensor h) => i switch
        {
            1 => h.relu(),
            2 or 5 or 8 => nn.functional.max_pool2d(h, [3L, 3], [2L, 2], null, null, true),
            _ => _layers[i].call(h),
        };
    }
}
