// Port of monai/networks/schedulers/pndm.py (MONAI 1.5); Liu et al., arXiv:2202.09778.
using static TorchSharp.torch;

namespace Maisi.Bridge.Schedulers;

/// <summary>
/// Pseudo numerical method: Runge-Kutta steps first (unless skipped), then a linear multistep method over the last four model outputs.
/// It keeps those outputs between steps, so a run must take its steps in order; <see cref="SetTimesteps"/> starts over.
/// </summary>
public sealed class PNDMScheduler : DiscreteScheduler, IDisposable
{
    private const int Order = 4;
    private readonly bool _skipRungeKutta;
    private readonly float _finalAlpha;
    private readonly int _offset;
    private readonly List<Tensor> _outputs = [];
    private int[] _rungeKutta = [];
    private Tensor? _sum;
    private Tensor? _start;
    private int _counter;

    /// <param name="numTrainTimesteps">Training timesteps.</param>
    /// <param name="schedule">Noise per timestep.</param>
    /// <param name="skipPrkSteps">Whether the Runge-Kutta steps are left out.</param>
    /// <param name="setAlphaToOne">Whether the step below timestep 0 ends without noise, instead of with that of timestep 0.</param>
    /// <param name="prediction">Noise or velocity.</param>
    /// <param name="stepsOffset">Added to every timestep.</param>
    /// <exception cref="SchedulerException">A network that predicts the sample.</exception>
    public PNDMScheduler(
        int numTrainTimesteps, NoiseSchedule schedule, bool skipPrkSteps = false, bool setAlphaToOne = false, PredictionType prediction = PredictionType.Epsilon,
        int stepsOffset = 0)
        : base(numTrainTimesteps, schedule, prediction)
    {
        if (prediction == PredictionType.Sample)
            throw new SchedulerException("PNDM needs a network that predicts noise or velocity, not the sample", "prediction_type", "use epsilon or v_prediction");
        _skipRungeKutta = skipPrkSteps;
        _finalAlpha = setAlphaToOne ? 1 : schedule.AlphasCumprod[0];
        _offset = stepsOffset;
        SetTimesteps(numTrainTimesteps);
    }

    /// <inheritdoc/>
    public override void SetTimesteps(int steps, long? latentVoxels = null)
    {
        var descending = EquidistantTimesteps(steps, _offset);
        _rungeKutta = _skipRungeKutta ? [] : RungeKuttaTimesteps(descending, NumTrainTimesteps / steps / 2);
        Timesteps = [.. _rungeKutta.Concat(_skipRungeKutta ? descending : descending.Skip(3)).Select(t => (double)t)];
        Dispose();
    }

    /// <inheritdoc/>
    public override SchedulerStep Step(Tensor modelOutput, int index, Tensor sample, Tensor? noise = null)
    {
        using var scope = NewDisposeScope();
        var t = TimestepAt(index);
        var previous = _counter < _rungeKutta.Length ? RungeKuttaStep(modelOutput, t, sample) : MultistepStep(modelOutput, t, sample);
        _counter++;
        return new SchedulerStep(previous.MoveToOuterDisposeScope(), null);
    }

    /// <summary>Forgets the model outputs of the run.</summary>
    public void Dispose()
    {
        _outputs.ForEach(o => o.Dispose());
        _outputs.Clear();
        _sum?.Dispose();
        _start?.Dispose();
        (_sum, _start, _counter) = (null, null, 0);
    }

    /// <summary>The last four timesteps, each with its half step, every inner one twice.</summary>
    private static int[] RungeKuttaTimesteps(int[] descending, int half)
    {
        var pairs = descending.Take(Order).Reverse().SelectMany(t => new[] { t, t + half }).ToArray();
        var doubled = pairs[..^1].SelectMany(t => new[] { t, t }).ToArray();
        return [.. doubled[1..^1].Reverse()];
    }

    private Tensor RungeKuttaStep(Tensor output, int t, Tensor sample)
    {
        var previous = t - (_counter % 2 == 1 ? 0 : NumTrainTimesteps / Timesteps.Count / 2);
        var from = _rungeKutta[_counter / 4 * 4];
        switch (_counter % 4)
        {
            case 0:
                Keep(ref _sum, output * (1.0 / 6));
                _outputs.Add(output.alias().DetachFromDisposeScope());
                Keep(ref _start, sample.alias());
                break;
            case 3:
                output = _sum! + (output * (1.0 / 6));
                break;
            default:
                Keep(ref _sum, _sum! + (output * (1.0 / 3)));
                break;
        }
        return Previous(_start!, from, previous, output);
    }

    private Tensor MultistepStep(Tensor output, int t, Tensor sample)
    {
        var ratio = NumTrainTimesteps / Timesteps.Count;
        var previous = t - ratio;
        if (_counter != 1)
        {
            while (_outputs.Count > 3)
            {
                _outputs[0].Dispose();
                _outputs.RemoveAt(0);
            }
            _outputs.Add(output.alias().DetachFromDisposeScope());
        }
        else
        {
            (previous, t) = (t, t + ratio);
        }
        var e = _outputs;
        switch (e.Count)
        {
            case 1 when _counter == 0:
                Keep(ref _start, sample.alias());
                break;
            case 1:
                output = (output + e[^1]) / 2;
                sample = _start!;
                break;
            case 2:
                output = ((3 * e[^1]) - e[^2]) / 2;
                break;
            case 3:
                output = ((23 * e[^1]) - (16 * e[^2]) + (5 * e[^3])) / 12;
                break;
            default:
                output = ((55 * e[^1]) - (59 * e[^2]) + (37 * e[^3]) - (9 * e[^4])) * (1.0 / 24);
                break;
        }
        return Previous(sample, t, previous, output);
    }

    /// <summary>Formula (9) of the paper.</summary>
    private Tensor Previous(Tensor sample, int t, int previous, Tensor output)
    {
        float alpha = Schedule.AlphasCumprod[CheckedTimestep(t)], before = previous >= 0 ? Schedule.AlphasCumprod[CheckedTimestep(previous)] : _finalAlpha;
        if (Prediction == PredictionType.VPrediction)
            output = (output * MathF.Sqrt(alpha)) + (sample * MathF.Sqrt(1 - alpha));
        var denominator = (alpha * MathF.Sqrt(1 - before)) + MathF.Sqrt(alpha * (1 - alpha) * before);
        return (sample * MathF.Sqrt(before / alpha)) - (output * (before - alpha) / denominator);
    }

    private static void Keep(ref Tensor? slot, Tensor value)
    {
        var old = slot;
        slot = value.DetachFromDisposeScope();
        old?.Dispose();
    }
}
