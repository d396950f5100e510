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
/// The loop that all stages share: schedule, accumulation, precision, validation with early stop, progress, logs, and a state that is
/// saved about once a minute and when the run is cancelled. What differs between stages is the body, which computes a batch's losses.
/// </summary>
/// <param name="settings">What the stage does.</param>
/// <param name="learners">What learns; the first learner's first loss is the one that progress shows.</param>
/// <param name="random">The stage's random stream, whose position is part of the state.</param>
internal sealed class TrainingStage(StageSettings settings, IReadOnlyList<Learner> learners, TrainingRandom random) : IDisposable
{
    private static readonly TimeSpan SaveInterval = TimeSpan.FromMinutes(1);
    private readonly List<double> _losses = [];
    private int _step, _sinceBest, _epochSteps;
    private double _lossSum, _epochSum, _secondsBefore, _processorBefore;
    private double? _best;
    private bool _ended;

    /// <summary>Where losses, rates and validations are logged; null for nowhere.</summary>
    public TrainingLog? Log { get; init; }

    /// <summary>A number to be made small, computed every <see cref="StageSettings.ValidateEvery"/> steps with the averaged weights.</summary>
    public Func<StageMoment, double>? Validate { get; init; }

    /// <summary>Called with the averaged weights in place after each validation and at the end: the place to export them.</summary>
    public Action<StageMoment>? Checkpoint { get; init; }

    /// <summary>Optimizer steps between calls of <see cref="Checkpoint"/> without a validation; 0 for none.</summary>
    public int CheckpointEvery { get; init; }

    /// <summary>Where the stage stands.</summary>
    public StageMoment Moment => new(_step, _step / settings.StepsPerEpoch, _epochSteps == 0 ? 0 : _epochSum / _epochSteps, _sinceBest == 0 && _best is not null);

    /// <summary>Trains with one loss per step.</summary>
    /// <inheritdoc cref="Run(Action{TrainingStep}, TrainingStore, IProgress{WorkProgress}, CancellationToken)"/>
    public StageSummary Run(Func<Tensor> loss, TrainingStore store, IProgress<WorkProgress>? progress, CancellationToken cancellation) =>
        Run(step => step.Learn(learners[0], "loss", loss()), store, progress, cancellation);

    /// <summary>Trains the learners and leaves the moving averages in them, or the best weights where patience is set.</summary>
    /// <param name="body">Computes the losses of a batch and hands them to the step.</param>
    /// <param name="store">Where the state is kept.</param>
    /// <exception cref="MaisiException">A loss is not finite.</exception>
    public StageSummary Run(Action<TrainingStep> body, TrainingStore store, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        if (Restore(store))
            return Summary(_secondsBefore, _processorBefore);
        Log?.Begin(settings.Name, _step);
        var clock = new StageClock(settings.Name, settings.Iterations, progress, _step);
        var processor = Process.GetCurrentProcess().TotalProcessorTime;
        var bucket = Math.Max(1, settings.Iterations / 20);
        var saved = clock.Elapsed;
        while (_step < settings.Iterations && !_ended)
        {
            if (cancellation.IsCancellationRequested)
            {
                Save(finished: false);
                cancellation.ThrowIfCancellationRequested();
            }
            var number = Step(body, store);
            _step++;
            _lossSum += number;
            if (_epochSteps == settings.StepsPerEpoch)
                (_epochSteps, _epochSum) = (0, 0);
            _epochSteps++;
            _epochSum += number;
            if (_step % bucket == 0)
            {
                _losses.Add(_lossSum / bucket);
                _lossSum = 0;
            }
            Look(store);
            clock.Report(_step, string.Create(CultureInfo.InvariantCulture, $"loss {number:F4}"));
            if (clock.Elapsed - saved < SaveInterval || _step == settings.Iterations)
                continue;
            Save(finished: false);
            saved = clock.Elapsed;
        }
        foreach (var learner in learners)
            learner.ApplyAverage();
        if (settings.Patience is not null && store.LoadBest(settings.Name) is { } best)
            Put(best, learners.SelectMany(l => l.Weights()));
        Save(finished: true);
        return Summary(Seconds(), ProcessorSeconds());

        double Seconds() => _secondsBefore + clock.Elapsed.TotalSeconds;

        double ProcessorSeconds() => _processorBefore + (Process.GetCurrentProcess().TotalProcessorTime - processor).TotalSeconds;

        void Save(bool finished)
        {
            Log?.Flush();
            store.Save(settings.Name, learners.SelectMany(l => finished ? l.Weights() : l.Everything()), new StageState
            {
                Step = _step,
                Finished = finished,
                RandomPosition = random.Position,
                Losses = _losses,
                LossSum = _lossSum,
                Seconds = Seconds(),
                ProcessorSeconds = ProcessorSeconds(),
                Learners = [.. learners.Select(l => l.State)],
                Best = _best,
                SinceBest = _sinceBest,
                EpochSteps = _epochSteps,
                EpochSum = _epochSum,
            });
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var learner in learners)
            learner.Dispose();
    }

    private double Step(Action<TrainingStep> body, TrainingStore store)
    {
        foreach (var learner in learners)
            learner.Clear();
        TrainingStep? step = null;
        for (var part = 0; part < settings.Accumulate; part++)
        {
            using var scope = NewDisposeScope();
            step = new TrainingStep(settings.Name, _step, settings, store, step) { Part = part };
            body(step);
        }
        var rate = settings.RateAt(_step);
        foreach (var learner in learners)
        {
            using var scope = NewDisposeScope();
            var norm = learner.Step(rate);
            if (norm is { } value)
                Log?.Add(settings.Name, _step + 1, learner.Name.Length == 0 ? "gradient_norm" : $"{learner.Name}_gradient_norm", value);
        }
        foreach (var (name, value) in step!.Losses)
            Log?.Add(settings.Name, _step + 1, name, value);
        Log?.Add(settings.Name, _step + 1, "learning_rate", rate);
        return step.Main;
    }

    /// <summary>Validates and exports where it is time to.</summary>
    private void Look(TrainingStore store)
    {
        var validates = Validate is not null && settings.ValidateEvery is { } every && _step % every == 0;
        var exports = Checkpoint is not null && (validates || _step == settings.Iterations || (CheckpointEvery > 0 && _step % CheckpointEvery == 0));
        if (!validates && !exports)
            return;
        var swapped = learners.Select(l => l.UseAverage()).ToList();
        var better = false;
        if (validates)
        {
            using var _ = no_grad();
            using var scope = NewDisposeScope();
            var value = Validate!(Moment);
            Log?.Add(settings.Name, _step, "validation", value);
            better = _best is null || value < _best;
            (_best, _sinceBest) = better ? (value, 0) : (_best, _sinceBest + 1);
            if (better && settings.Patience is not null)
                store.SaveBest(settings.Name, learners.SelectMany(l => l.Weights()));
            _ended = _sinceBest >= settings.Patience;
        }
        if (exports)
            Checkpoint!(Moment with { Best = better });
        foreach (var average in swapped)
            average.Dispose();
    }

    /// <summary>Takes up the saved state, if there is one.</summary>
    /// <returns>True when the stage had ended already; its weights are in place then.</returns>
    private bool Restore(TrainingStore store)
    {
        if (store.Load(settings.Name) is not var (tensors, state))
            return false;
        Put(tensors, learners.SelectMany(l => state.Finished ? l.Weights() : l.Everything()));
        foreach (var (learner, i) in learners.Select((l, i) => (l, i)))
            learner.State = i < state.Learners.Count ? state.Learners[i] : new LearnerState(state.Step, 1, 0);
        random.Position = state.RandomPosition;
        _losses.AddRange(state.Losses);
        (_step, _lossSum, _secondsBefore, _processorBefore) = (state.Step, state.LossSum, state.Seconds, state.ProcessorSeconds);
        (_best, _sinceBest, _epochSteps, _epochSum) = (state.Best, state.SinceBest, state.EpochSteps, state.EpochSum);
        _ended = _sinceBest >= settings.Patience;
        return state.Finished;
    }

    private static void Put(Dictionary<string, Tensor> from, IEnumerable<KeyValuePair<string, Tensor>> to)
    {
        using var _ = no_grad();
        foreach (var (key, own) in to)
            own.copy_(from[key]);
        foreach (var tensor in from.Values)
            tensor.Dispose();
    }

    private StageSummary Summary(double seconds, double processorSeconds) =>
        new(settings.Name, _step, Math.Round(seconds, 1), Math.Round(processorSeconds, 1), _losses);
}

/// <summary>A moment at which weights may be exported.</summary>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="Epoch">Epochs done.</param>
/// <param name="EpochLoss">Mean loss of the epoch's steps so far.</param>
/// <param name="Best">Whether the last validation is the best so far.</param>
internal sealed record StageMoment(int Step, int Epoch, double EpochLoss, bool Best);
