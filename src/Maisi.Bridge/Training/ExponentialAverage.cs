using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>
/// An exponential moving average of parameters: what a sampler uses instead of the last, noisier step. The decay grows with the
/// step count, min(decay, (1 + n) / (10 + n)), so that short runs average too.
/// </summary>
internal sealed class ExponentialAverage : IDisposable
{
    private readonly double _decay;
    private readonly Parameter[] _parameters;
    private readonly Tensor[] _average;

    public ExponentialAverage(IEnumerable<Parameter> parameters, double decay = 0.998)
    {
        _decay = decay;
        _parameters = [.. parameters];
        using var _ = no_grad();
        _average = [.. _parameters.Select(p => p.detach().clone().DetachFromDisposeScope())];
    }

    /// <summary>How many updates the average has seen; set when it is taken up from a file.</summary>
    public long Steps { get; set; }

    /// <summary>The averages under names, to be saved and restored.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Named() => _average.Select((a, i) => KeyValuePair.Create($"average.{i}", a));

    /// <summary>Takes the parameters as they are now into the average.</summary>
    public void Update()
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        Steps++;
        var weight = 1 - Math.Min(_decay, (1.0 + Steps) / (10.0 + Steps));
        for (var i = 0; i < _parameters.Length; i++)
            _average[i].mul_(1 - weight).add_(_parameters[i], weight);
    }

    /// <summary>Writes the average into the parameters.</summary>
    public void Apply()
    {
        using var _ = no_grad();
        for (var i = 0; i < _parameters.Length; i++)
            _parameters[i].copy_(_average[i]);
    }

    /// <summary>Exchanges the average and the parameters; a second call brings them back bit for bit.</summary>
    public void Swap()
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        for (var i = 0; i < _parameters.Length; i++)
        {
            var own = _parameters[i].detach().clone();
            _parameters[i].copy_(_average[i]);
            _average[i].copy_(own);
        }
    }

    public void Dispose()
    {
        foreach (var tensor in _average)
            tensor.Dispose();
    }
}
