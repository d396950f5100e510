using System.Diagnostics;
using System.Globalization;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>What a stage of training did.</summary>
/// <param name="Name">The network that was trained.</param>
/// <param name="Iterations">Optimizer steps.</param>
/// <param name="Seconds">Wall-clock seconds.</param>
/// <param name="ProcessorSeconds">Processor seconds of all threads.</param>
/// <param name="Losses">Mean loss over each twentieth of the steps.</param>
public sealed record StageSummary(string Name, int Iterations, double Seconds, double ProcessorSeconds, IReadOnlyList<double> Losses);

/// <summary>
/// The loop that all stages share: AdamW with warm-up and cosine decay, gradient clipping, a moving average of the weights, progress,
/// and a state that is saved about once a minute and when the run is cancelled. What differs between stages is the loss.
/// </summary>
internal sealed class TrainingStage(
    string name, IReadOnlyList<Parameter> parameters, StageTrainOptions options, int iterations, double learningRate, TrainingRandom random)
{
    private const double ClipNorm = 5.0;
    private static readonly TimeSpan SaveInterval = TimeSpan.FromMinutes(1);
    private readonly List<double> _losses = [];
    private int _step;
    private double _lossSum, _secondsBefore, _processorBefore;

    /// <summary>Trains the parameters and leaves their moving average in them.</summary>
    /// <param name="loss">The loss of a step, a scalar tensor with a gradient.</param>
    /// <param name="store">Where the state is kept.</param>
    /// <exception cref="MaisiException">The loss is not finite.</exception>
    public StageSummary Run(Func<Tensor> loss, TrainingStore store, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        using var optimizer = optim.AdamW(parameters, learningRate, 0.9, 0.999, 1e-8, options.WeightDecay);
        using var average = new ExponentialAverage(parameters);
        if (Restore(store, optimizer, average))
            return Summary(_secondsBefore, _processorBefore);
        var clock = new StageClock(name, iterations, progress, _step);
        var processor = Process.GetCurrentProcess().TotalProcessorTime;
        var bucket = Math.Max(1, iterations / 20);
        var saved = clock.Elapsed;
        while (_step < iterations)
        {
            if (cancellation.IsCancellationRequested)
            {
                Save(finished: false);
                cancellation.ThrowIfCancellationRequested();
            }
            var number = Step(optimizer, loss);
            average.Update();
            _step++;
            _lossSum += number;
            if (_step % bucket == 0)
            {
                _losses.Add(_lossSum / bucket);
                _lossSum = 0;
            }
            clock.Report(_step, string.Create(CultureInfo.InvariantCulture, $"loss {number:F4}"));
            if (clock.Elapsed - saved < SaveInterval || _step == iterations)
                continue;
            Save(finished: false);
            saved = clock.Elapsed;
        }
        average.Apply();
        Save(finished: true);
        return Summary(Seconds(), ProcessorSeconds());

        double Seconds() => _secondsBefore + clock.Elapsed.TotalSeconds;

        double ProcessorSeconds() => _processorBefore + (Process.GetCurrentProcess().TotalProcessorTime - processor).TotalSeconds;

        void Save(bool finished) => store.Save(name, finished ? Weights() : [.. Weights(), .. Moments(optimizer), .. average.Named()], new StageState
        {
            Step = _step,
            Finished = finished,
            RandomPosition = random.Position,
            Losses = _losses,
            LossSum = _lossSum,
            Seconds = Seconds(),
            ProcessorSeconds = ProcessorSeconds(),
        });
    }

    /// <summary>Linear warm-up over the first twentieth, then half a cosine down to a fiftieth.</summary>
    internal static double Factor(int step, int iterations)
    {
        var warmup = Math.Max(1, iterations / 20);
        if (step < warmup)
            return (step + 1.0) / warmup;
        var t = Math.Min(1.0, (step - warmup) / (double)Math.Max(1, iterations - warmup));
        return 0.02 + (0.98 * 0.5 * (1 + Math.Cos(Math.PI * t)));
    }

    private double Step(AdamW optimizer, Func<Tensor> loss)
    {
        using var scope = NewDisposeScope();
        foreach (var group in optimizer.ParamGroups)
            group.LearningRate = learningRate * Factor(_step, iterations);
        optimizer.zero_grad();
        var value = loss();
        var number = value.ToDouble();
        if (!double.IsFinite(number))
            throw new MaisiException($"The loss of {name} is {number} at step {_step + 1}.", hint: "Lower the learning rate or look for broken images in the data.");
        value.backward();
        nn.utils.clip_grad_norm_(parameters, ClipNorm);
        optimizer.step();
        return number;
    }

    /// <summary>Takes up the saved state, if there is one.</summary>
    /// <returns>True when the stage had ended already; its weights are in place then.</returns>
    private bool Restore(TrainingStore store, AdamW optimizer, ExponentialAverage average)
    {
        if (store.Load(name) is not var (tensors, state))
            return false;
        using var _ = no_grad();
        foreach (var (key, own) in state.Finished ? Weights() : [.. Weights(), .. Moments(optimizer), .. average.Named()])
            own.copy_(tensors[key]);
        foreach (var tensor in tensors.Values)
            tensor.Dispose();
        foreach (var moments in optimizer.state_dict().State.Cast<AdamW.State>())
            moments.step = state.Step;
        average.Steps = state.Step;
        random.Position = state.RandomPosition;
        _losses.AddRange(state.Losses);
        (_step, _lossSum, _secondsBefore, _processorBefore) = (state.Step, state.LossSum, state.Seconds, state.ProcessorSeconds);
        return state.Finished;
    }

    private StageSummary Summary(double seconds, double processorSeconds) =>
        new(name, iterations, Math.Round(seconds, 1), Math.Round(processorSeconds, 1), _losses);

    private IEnumerable<KeyValuePair<string, Tensor>> Weights() => parameters.Select((p, i) => KeyValuePair.Create($"weight.{i}", (Tensor)p));

    private static IEnumerable<KeyValuePair<string, Tensor>> Moments(AdamW optimizer) =>
        optimizer.state_dict().State.Cast<AdamW.State>().SelectMany((state, i) => new[]
        {
            KeyValuePair.Create($"exp_avg.{i}", state.exp_avg),
            KeyValuePair.Create($"exp_avg_sq.{i}", state.exp_avg_sq),
        });
}
