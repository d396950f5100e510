using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>One pass over an activation, which makes another one. Activations are known by numbers; the first is 0.</summary>
/// <param name="Name">What it computes, for messages.</param>
/// <param name="Input">The activation that is read.</param>
/// <param name="Output">The activation that is made.</param>
internal sealed record SlabStep(string Name, int Input, int Output)
{
    /// <summary>What is done; null for attention.</summary>
    public SlabOperation? Operation { get; init; }

    /// <summary>Attention over the whole volume, which adds its own input.</summary>
    public SlabAttention? Attention { get; init; }

    /// <summary>Applied to the input first.</summary>
    public SlabNorm? Norm { get; init; }

    /// <summary>Whether nobody reads the input afterwards.</summary>
    public bool ConsumesInput { get; init; } = true;

    /// <summary>Added to the result, and not read afterwards.</summary>
    public int? Residual { get; init; }

    /// <summary>What is done to the residual before.</summary>
    public SlabPointwise? Shortcut { get; init; }

    /// <summary>A second activation that is made of the same input, without the norm.</summary>
    public (SlabPointwise Operation, int Output)? Side { get; init; }
}

/// <summary>A cascade of blocks as passes over whole activations, one after the other: that is what makes computing in slabs exact.</summary>
internal sealed class SlabProgram
{
    private readonly List<SlabStep> _steps = [];
    private SlabNorm? _pendingNorm;

    /// <param name="blocks">Blocks of an autoencoder's encoder or decoder, 3D.</param>
    /// <param name="channels">Channels of the input.</param>
    public SlabProgram(IEnumerable<nn.Module<Tensor, Tensor>> blocks, long channels)
    {
        Channels.Add(channels);
        foreach (var block in blocks)
            Add(block);
    }

    /// <summary>The passes in order; the last one makes the result.</summary>
    public IReadOnlyList<SlabStep> Steps => _steps;

    /// <summary>Channels of every activation.</summary>
    public List<long> Channels { get; } = [];

    /// <summary>Whether a norm will ask for the statistics of an activation.</summary>
    public bool NeedsMoments(int activation) => _steps.Exists(s => s.Norm is not null && s.Input == activation);

    private int Last => Channels.Count - 1;

    private void Add(nn.Module<Tensor, Tensor> block)
    {
        switch (block)
        {
            case AutoencoderResBlock residual:
                AddResidual(residual);
                break;
            case MaisiGroupNorm or GroupNorm32:
                _pendingNorm = Norm(block, silu: false);
                break;
            case SpatialAttentionBlock attention:
                var (norm, layer) = attention.Layers;
                var input = Last;
                Append(new SlabStep("attention", input, Activation(Channels[input])) { Attention = new SlabAttention(layer), Norm = norm.ForSlabs(silu: false) });
                break;
            case AutoencoderDownsample down:
                var conv = Layer(down.Inner) as Conv3d ?? throw Unknown(block);
                Append("downsample", new SlabDownsample(conv.weight!, conv.bias) { InChannels = Channels3(conv).In, OutChannels = Channels3(conv).Out });
                break;
            case MaisiUpsample { Inner.Transposed: true } up:
                Append("upsample", Transposed(Layer(up.Inner.Convolution), needsNext: true));
                break;
            case MaisiUpsample up:
                Append("upsample", Upsample(Resampling.LinearTimesTwo, up.Inner.Convolution));
                break;
            case NearestUpsample up:
                Append("upsample", Upsample(Resampling.NearestTimesTwo, up.Inner));
                break;
            case DeconvUpsample up:
                Append("upsample", Transposed(up.Inner, needsNext: false));
                break;
            default:
                Append("convolution", Convolution3(block));
                break;
        }
    }

    private void AddResidual(AutoencoderResBlock block)
    {
        var (norm1, conv1, norm2, conv2, shortcut) = block.Layers;
        var x = Last;
        var (first, second) = (Convolution3(conv1), Convolution3(conv2));
        var pointwise = shortcut is null ? null : Pointwise(shortcut);
        // A shortcut to fewer channels is computed at once, so that the wide input can go.
        var early = pointwise is not null && pointwise.OutChannels < pointwise.InChannels;
        var h = Activation(first.OutChannels);
        int? side = early ? Activation(first.OutChannels) : null;
        _steps.Add(new SlabStep("residual block, first half", x, h)
        {
            Operation = first,
            Norm = Norm(norm1, silu: true),
            ConsumesInput = early,
            Side = early ? (pointwise!, side!.Value) : null,
        });
        _steps.Add(new SlabStep("residual block, second half", h, Activation(second.OutChannels))
        {
            Operation = second,
            Norm = Norm(norm2, silu: true),
            Residual = side ?? x,
            Shortcut = early ? null : pointwise,
        });
    }

    private void Append(string name, SlabOperation operation)
    {
        var input = Last;
        Append(new SlabStep(name, input, Activation(operation.OutChannels)) { Operation = operation, Norm = _pendingNorm });
        _pendingNorm = null;
    }

    private void Append(SlabStep step) => _steps.Add(step);

    private int Activation(long channels)
    {
        Channels.Add(channels);
        return Last;
    }

    private static SlabNorm Norm(nn.Module<Tensor, Tensor> norm, bool silu) => norm is MaisiGroupNorm maisi ? maisi.ForSlabs(silu) : ((GroupNorm32)norm).ForSlabs(silu);

    /// <summary>The libtorch layer under MAISI's and MONAI's wrappers.</summary>
    private static nn.Module<Tensor, Tensor> Layer(nn.Module<Tensor, Tensor> module) => module switch
    {
        MaisiConvolution outer => outer.Inner.Inner,
        Convolution inner => inner.Inner,
        _ => module,
    };

    private static (long In, long Out) Channels3(Conv3d conv) => (conv.weight!.shape[1], conv.weight!.shape[0]);

    private static SlabConvolution Convolution3(nn.Module<Tensor, Tensor> module)
    {
        if (Layer(module) is not Conv3d conv || !conv.weight!.shape.AsSpan(2).SequenceEqual([3L, 3, 3]))
            throw Unknown(module);
        return new SlabConvolution(conv.weight!, conv.bias) { InChannels = conv.weight!.shape[1], OutChannels = conv.weight!.shape[0] };
    }

    private static SlabPointwise Pointwise(nn.Module<Tensor, Tensor> module)
    {
        var conv = (Conv3d)Layer(module);
        return new SlabPointwise(conv.weight!, conv.bias) { InChannels = conv.weight!.shape[1], OutChannels = conv.weight!.shape[0] };
    }

    private static SlabUpsample Upsample(Func<Tensor, Tensor> widen, nn.Module<Tensor, Tensor> module)
    {
        var convolution = Convolution3(module);
        return new SlabUpsample(widen, convolution) { InChannels = convolution.InChannels, OutChannels = convolution.OutChannels };
    }

    private static SlabTransposed Transposed(nn.Module<Tensor, Tensor> module, bool needsNext)
    {
        var weight = ((ConvTranspose3d)module).weight!; // [in, out, ...]
        return new SlabTransposed(module, needsNext) { InChannels = weight.shape[0], OutChannels = weight.shape[1] };
    }

    private static NotSupportedException Unknown(nn.Module module) => new($"a block {module.GetName()} cannot be computed in slabs");
}
