using Maisi.Bridge.Runtime;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>softmax(q·kᵀ·d^-½)·v, by libtorch's own kernel where it has one, otherwise in bounded memory.</summary>
internal static class ScaledAttention
{
    /// <summary>Scores held at once by the fallback, in bytes; the result does not depend on it.</summary>
    internal const long ScoreBudget = 256L << 20;

    /// <summary>Attention over all heads.</summary>
    /// <param name="query">[B, heads, N, d].</param>
    /// <param name="key">[B, heads, M, d].</param>
    /// <param name="value">[B, heads, M, d].</param>
    /// <param name="upcast">Whether scores are computed in fp32.</param>
    /// <returns>[B, heads, N, d] in the type of <paramref name="value"/>.</returns>
    public static Tensor Attend(Tensor query, Tensor key, Tensor value, bool upcast)
    {
        using var scope = NewDisposeScope();
        var type = value.dtype;
        if (upcast && type != ScalarType.Float32)
            (query, key, value) = (query.to(ScalarType.Float32), key.to(ScalarType.Float32), value.to(ScalarType.Float32));
        var result = TensorRuntime.HasScaledDotProductAttention
            ? TensorRuntime.ScaledDotProductAttention(query, key, value)
            : Chunked(query, key, value, ScoreBudget);
        if (result.dtype != type)
            result = result.to(type);
        return result.MoveToOuterDisposeScope();
    }

    /// <summary>The same numbers, over as many query rows at a time as <paramref name="scoreBudget"/> bytes of scores allow.</summary>
    internal static Tensor Chunked(Tensor query, Tensor key, Tensor value, long scoreBudget)
    {
        var scale = 1 / Math.Sqrt(query.shape[3]);
        var rowBytes = query.shape[0] * query.shape[1] * key.shape[2] * query.ElementSize;
        var rows = Math.Clamp(scoreBudget / Math.Max(1, rowBytes), 1, query.shape[2]);
        using var keyT = key.transpose(2, 3);
        var parts = new List<Tensor>();
        for (long start = 0; start < query.shape[2]; start += rows)
        {
            using var chunk = query.narrow(2, start, Math.Min(rows, query.shape[2] - start));
            using var scaled = chunk.mul(scale);
            using var scores = scaled.matmul(keyT); // [B, heads, rows, M]
            using var weights = scores.softmax(-1);
            parts.Add(weights.matmul(value));
        }
        if (parts.Count == 1)
            return parts[0];
        var whole = cat(parts, 2);
        parts.ForEach(p => p.Dispose());
        return whole;
    }
}
