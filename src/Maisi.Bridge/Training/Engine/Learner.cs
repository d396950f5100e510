using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>
/// What learns in a stage: parameters with their optimizer, the moving average and the scale of their gradients. An adversarial stage has
/// two of them.
/// </summary>
internal sealed class Learner : IDisposable
{
    private readonly string _prefix;
    private readonly StageSettings _settings;
    private readonly optim.Optimizer _optimizer;
    private readonly ExponentialAverage? _average;
    private readonly GradientScaler? _scaler;
    private long _steps;

    /// <param name="name">Names its tensors in the saved state; empty for the first learner.</param>
    /// <param name="parameters">What it trains.</param>
    /// <param name="settings">Rate, optimizer and precision.</param>
    public Learner(string name, IEnumerable<Parameter> parameters, StageSettings settings)
    {
        Name = name;
        _prefix = name.Length == 0 ? "" : name + ".";
        _settings = settings;
        Parameters = [.. parameters];
        settings.Check(Parameters[0].device);
        _optimizer = settings.Decoupled
            ? optim.AdamW(Parameters, settings.Rate, 0.9, 0.999, settings.Epsilon, settings.WeightDecay)
            : optim.Adam(Parameters, settings.Rate, 0.9, 0.999, settings.Epsilon, settings.WeightDecay);
        _average = settings.EmaDecay > 0 ? new ExponentialAverage(Parameters, settings.EmaDecay) : null;
        _scaler = settings.Precision == TrainingPrecision.Float16 ? new GradientScaler(settings.InitialScale, settings.ScaleGrowth) : null;
    }

    /// <summary>Its name; empty for the first learner of a stage.</summary>
    public string Name { get; }

    /// <summary>What it trains.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Where the parameters are.</summary>
    public Device Device => Parameters[0].device;

    /// <summary>Optimizer steps taken and the gradient scale, for the saved state.</summary>
    public LearnerState State
    {
        get => new(_steps, _scaler?.Scale ?? 1, _scaler?.GoodSteps ?? 0);
        set
        {
            _steps = value.Steps;
            foreach (var (_, _, set) in Moments())
                set(value.Steps);
            if (_average is not null)
                _average.Steps = value.Steps;
            if (_scaler is not null)
                (_scaler.Scale, _scaler.GoodSteps) = (value.Scale, value.GoodSteps);
        }
    }

    /// <summary>Forgets the gradients.</summary>
    public void Clear() => _optimizer.zero_grad();

    /// <summary>Adds a loss's gradients, scaled, and averaged over the batches of a step.</summary>
    public void Backward(Tensor loss)
    {
        var factor = (_scaler?.Scale ?? 1) / _settings.Accumulate;
        (factor == 1 ? loss : loss * factor).backward();
    }

    /// <summary>Clips the gradients and takes an optimizer step with them.</summary>
    /// <param name="rate">The learning rate.</param>
    /// <returns>The norm of the gradients before clipping; null when it was not needed.</returns>
    public double? Step(double rate)
    {
        var finite = _scaler?.Unscale(Parameters) ?? true;
        double? norm = null;
        if (finite)
        {
            norm = _settings.ClipNorm > 0 ? (double)nn.utils.clip_grad_norm_(Parameters, _settings.ClipNorm) : null;
            foreach (var group in _optimizer.ParamGroups)
                group.LearningRate = rate;
            _optimizer.step();
            _average?.Update();
            _steps++;
        }
        _scaler?.Update(finite);
        return norm;
    }

    /// <summary>Puts the moving average into the parameters for good.</summary>
    public void ApplyAverage() => _average?.Apply();

    /// <summary>Until the result is disposed the parameters hold the moving average, if there is one.</summary>
    public IDisposable UseAverage() => new Averaged(_average);

    /// <summary>The parameters under names.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Weights() => Parameters.Select((p, i) => KeyValuePair.Create($"{_prefix}weight.{i}", (Tensor)p));

    /// <summary>All that a resumed training needs.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Everything() =>
    [
        .. Weights(),
        .. Moments().SelectMany((m, i) => new[]
        {
            KeyValuePair.Create($"{_prefix}exp_avg.{i}", m.Mean), KeyValuePair.Create($"{_prefix}exp_avg_sq.{i}", m.Square),
        }),
        .. (_average?.Named() ?? []).Select(a => KeyValuePair.Create(_prefix + a.Key, a.Value)),
    ];

    public void Dispose()
    {
        _optimizer.Dispose();
        _average?.Dispose();
    }

    private IEnumerable<(Tensor Mean, Tensor Square, Action<long> SetStep)> Moments() => _settings.Decoupled
        ? _optimizer.state_dict().State.Cast<AdamW.State>().Select(s => (s.exp_avg, s.exp_avg_sq, (Action<long>)(n => s.step = n)))
        : _optimizer.state_dict().State.Cast<Adam.State>().Select(s => (s.exp_avg, s.exp_avg_sq, (Action<long>)(n => s.step = n)));

    private sealed class Averaged : IDisposable
    {
        private readonly ExponentialAverage? _average;

        public Averaged(ExponentialAverage? average)
        {
            _average = average;
            average?.Swap();
        }

        public void Dispose() => _average?.Swap();
    }
}

/// <summary>Numbers of a learner in the saved state.</summary>
/// <param name="Steps">Optimizer steps taken; fewer than the stage's where fp16 left some out.</param>
/// <param name="Scale">Factor on losses.</param>
/// <param name="GoodSteps">Steps since the factor changed.</param>
internal sealed record LearnerState(long Steps, double Scale, int GoodSteps);
