// Port of monai/networks/blocks/crossattention.py (MONAI 1.5); Dosovitskiy et al., arXiv:2010.11929.
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Multi-head attention of a sequence to a context; without a context, to itself.</summary>
internal sealed class CrossAttentionBlock : nn.Module<Tensor, Tensor?, Tensor>
{
    private readonly Linear out_proj;
    private readonly Linear to_q;
    private readonly Linear to_k;
    private readonly Linear to_v;
    private readonly long _heads;
    private readonly bool _upcast;

    public CrossAttentionBlock(long channels, long contextChannels, long heads, bool upcast)
        : base(nameof(CrossAttentionBlock))
    {
        _heads = heads;
        _upcast = upcast;
        out_proj = nn.Linear(channels, channels);
        to_q = nn.Linear(channels, channels, false);
        to_k = nn.Linear(contextChannels, channels, false);
        to_v = nn.Linear(contextChannels, channels, false);
        RegisterComponents();
    }

    /// <summary>[B, N, C] and context [B, M, contextChannels] to [B, N, C].</summary>
    public override Tensor forward(Tensor x, Tensor? context)
    {
        using var scope = NewDisposeScope();
        var source = context ?? x;
        var attended = ScaledAttention.Attend(
            Heads.Split(to_q.call(x), _heads), Heads.Split(to_k.call(source), _heads), Heads.Split(to_v.call(source), _heads), _upcast);
        return out_proj.call(Heads.Merge(attended)).MoveToOuterDisposeScope();
    }
}
