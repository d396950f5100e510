// Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", Stanford 1979.
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Evaluation;

/// <summary>Mean and covariance of rows of features that arrive in parts, in float64: memory does not grow with their number.</summary>
public sealed class FeatureStatistics : IDisposable
{
    private Tensor? _mean, _scatter;

    /// <summary>Rows so far.</summary>
    public long Count { get; private set; }

    /// <summary>Features of a row; 0 before the first.</summary>
    public long Features => _mean?.shape[0] ?? 0;

    /// <summary>Mean, [D].</summary>
    /// <exception cref="MaisiException">No row was added.</exception>
    public Tensor Mean => _mean ?? throw new MaisiException("there are no features");

    /// <summary>Adds rows [n, D] of any type.</summary>
    /// <exception cref="MaisiException">Another number of features than before, or values that are not finite.</exception>
    public void Add(Tensor rows)
    {
        if (rows.dim() != 2 || (_mean is not null && rows.shape[1] != Features))
            throw new MaisiException($"rows of features [{string.Join(", ", rows.shape)}] do not fit those before, which have {Features} columns", hint: "compare features of one network");
        if (rows.shape[0] == 0)
            return;
        using var scope = NewDisposeScope();
        var x = rows.detach().cpu().to(ScalarType.Float64);
        var mean = x.mean([0L]);
        var centred = x - mean;
        var scatter = centred.transpose(0, 1).matmul(centred);
        if (!double.IsFinite(scatter.sum().item<double>()))
            throw new MaisiException("the features are not finite", hint: "look for NaN in the images and in the weights of the network");
        Merge(rows.shape[0], mean, scatter);
    }

    /// <summary>Unbiased covariance, [D, D].</summary>
    /// <exception cref="MaisiException">Fewer than two rows.</exception>
    public Tensor Covariance() => Count >= 2 ? _scatter! / (Count - 1) : throw new MaisiException($"a covariance takes two slices or more, there is {Count}", hint: "use more images or more of their slices");

    /// <inheritdoc/>
    public void Dispose()
    {
        _mean?.Dispose();
        _scatter?.Dispose();
    }

    private void Merge(long count, Tensor mean, Tensor scatter)
    {
        if (_mean is null)
        {
            (_mean, _scatter, Count) = (mean.clone().DetachFromDisposeScope(), scatter.clone().DetachFromDisposeScope(), count);
            return;
        }
        var total = Count + count;
        var delta = mean - _mean;
        _scatter!.add_(scatter).add_(delta.unsqueeze(1).matmul(delta.unsqueeze(0)) * ((double)Count * count / total));
        _mean.add_(delta * ((double)count / total));
        Count = total;
    }
}
