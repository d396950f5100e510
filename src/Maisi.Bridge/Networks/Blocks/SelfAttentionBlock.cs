// Port of monai/networks/blocks/selfattention.py (SABlock, MONAI 1.5); Dosovitskiy et al., arXiv:2010.11929.
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Multi-head self-attention over a sequence.</summary>
internal sealed class SelfAttentionBlock : nn.Module<Tensor, Tensor>
{
    private readonly Linear? out_proj;
    private readonly Linear? qkv;
    private readonly Linear? to_q;
    private readonly Linear? to_k;
    private readonly Linear? to_v;
    private readonly long _heads;
    private readonly bool _upcast;

    /// <param name="channels">Width of the sequence.</param>
    /// <param name="heads">Attention heads; divides <paramref name="channels"/>.</param>
    /// <param name="qkvBias">Whether query, key and value have a bias.</param>
    /// <param name="includeFc">Whether an output projection follows.</param>
    /// <param name="combinedLinear">Whether one linear layer makes query, key and value.</param>
    /// <param name="upcast">Whether scores are computed in fp32.</param>
    public SelfAttentionBlock(long channels, long heads, bool qkvBias, bool includeFc, bool combinedLinear, bool upcast)
        : base(nameof(SelfAttentionBlock))
    {
        _heads = heads;
        _upcast = upcast;
        if (includeFc)
            out_proj = nn.Linear(channels, channels);
        if (combinedLinear)
        {
            qkv = nn.Linear(channels, 3 * channels, qkvBias);
        }
        else
        {
            to_q = nn.Linear(channels, channels, qkvBias);
            to_k = nn.Linear(channels, channels, qkvBias);
            to_v = nn.Linear(channels, channels, qkvBias);
        }
        RegisterComponents();
    }

    /// <summary>[B, N, C] to the same shape.</summary>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var parts = Project(x);
        return Attend(parts[0], parts[1], parts[2]).MoveToOuterDisposeScope();
    }

    /// <summary>Query, key and value, each [B, N, C], of a part of the sequence or of all of it.</summary>
    public Tensor[] Project(Tensor x) => qkv is null ? [to_q!.call(x), to_k!.call(x), to_v!.call(x)] : qkv.call(x).chunk(3, -1);

    /// <summary>What the queries [B, n, C] make of the keys and values [B, N, C] of the whole sequence.</summary>
    public Tensor Attend(Tensor query, Tensor key, Tensor value)
    {
        using var scope = NewDisposeScope();
        var attended = ScaledAttention.Attend(Heads.Split(query, _heads), Heads.Split(key, _heads), Heads.Split(value, _heads), _upcast);
        var result = Heads.Merge(attended);
        if (out_proj is not null)
            result = out_proj.call(result);
        return result.MoveToOuterDisposeScope();
    }
}
