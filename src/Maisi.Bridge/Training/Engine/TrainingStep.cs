using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>One optimizer step in the making: a stage's body hands its losses over here.</summary>
/// <param name="stage">The stage's name, for errors.</param>
/// <param name="number">The step, counted from 0.</param>
/// <param name="settings">The stage's settings.</param>
/// <param name="store">Where a batch with a loss that is not finite is kept.</param>
/// <param name="before">The same step's batch before this one, whose losses are taken over; null for the first.</param>
internal sealed class TrainingStep(string stage, int number, StageSettings settings, TrainingStore store, TrainingStep? before = null)
{
    private readonly Dictionary<string, double> _losses = new(before?._losses ?? [], StringComparer.Ordinal);
    private IReadOnlyDictionary<string, Tensor> _batch = new Dictionary<string, Tensor>(StringComparer.Ordinal);
    private string? _first = before?._first;

    /// <summary>The step, counted from 0.</summary>
    public int Number => number;

    /// <summary>The batch within the step, below <see cref="StageSettings.Accumulate"/>.</summary>
    public int Part { get; init; }

    /// <summary>Batches before this one in the whole stage.</summary>
    public long Batch => ((long)number * settings.Accumulate) + Part;

    /// <summary>Losses by name, averaged over the batches.</summary>
    public IReadOnlyDictionary<string, double> Losses => _losses;

    /// <summary>The loss that the first learner minimises.</summary>
    public double Main => _losses[_first ?? throw new InvalidOperationException("the stage has computed no loss")];

    /// <summary>Tells what the losses are computed of, so that it can be kept when they are not finite.</summary>
    public void Show(params (string Name, Tensor Value)[] batch) => _batch = batch.ToDictionary(b => b.Name, b => b.Value, StringComparer.Ordinal);

    /// <summary>Adds the gradients of a loss.</summary>
    /// <exception cref="MaisiException">The loss is not finite.</exception>
    public void Learn(Learner learner, string name, Tensor loss)
    {
        _first ??= name;
        Note(name, loss);
        learner.Backward(loss);
    }

    /// <summary>Notes a number for the logs.</summary>
    /// <exception cref="MaisiException">It is not finite.</exception>
    public void Note(string name, Tensor value)
    {
        var figure = value.ToDouble();
        if (!double.IsFinite(figure))
            throw NotFinite(name, figure);
        _losses[name] = _losses.GetValueOrDefault(name) + (figure / settings.Accumulate);
    }

    private MaisiException NotFinite(string name, double value)
    {
        var what = name == "loss" ? "The loss" : $"The loss '{name}'";
        var hint = "Lower the learning rate or look for broken images in the data.";
        if (_batch.Count > 0)
            hint += $" The batch is in {store.SaveBatch(stage, _batch, number + 1)}";
        return new MaisiException($"{what} of {stage} is {value} at step {number + 1}.", hint: hint);
    }
}
