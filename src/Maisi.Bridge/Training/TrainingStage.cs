using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>What a stage of training did.</summary>
/// <param name="Name">The network that was trained.</param>
/// <param name="Iterations">Optimizer steps.</param>
/// <param name="Seconds">Wall-clock seconds.</param>
/// <param name="Losses">Mean loss over each twentieth of the steps.</param>
public sealed record StageSummary(string Name, int Iterations, double Seconds, IReadOnlyList<double> Losses);

/// <summary>
/// The loop that all stages share: AdamW with warm-up and cosine decay, gradient clipping, a moving average of the weights, progress.
/// What differs between stages is the loss.
/// </summary>
internal static class TrainingStage
{
    private const double ClipNorm = 5.0;

    /// <summary>Trains <paramref name="parameters"/> and leaves their moving average in them.</summary>
    /// <param name="loss">The loss of a step, a scalar tensor with a gradient.</param>
    /// <exception cref="MaisiException">The loss is not finite.</exception>
    public static StageSummary Run(
        string name, IReadOnlyList<Parameter> parameters, int iterations, double learningRate, Func<int, Tensor> loss,
        IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var clock = new StageClock(name, iterations, progress);
        using var optimizer = optim.AdamW(parameters, learningRate, 0.9, 0.999, 1e-8, 1e-4);
        var schedule = optim.lr_scheduler.LambdaLR(optimizer, step => Factor(step, iterations));
        using var average = new ExponentialAverage(parameters);
        var bucket = Math.Max(1, iterations / 20);
        var losses = new List<double>();
        double sum = 0;
        for (var i = 0; i < iterations; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            var value = loss(i);
            var number = value.ToDouble();
            if (!double.IsFinite(number))
                throw new MaisiException($"The loss of {name} is {number} at step {i + 1}.", hint: "Lower the learning rate or look for broken images in the data.");
            value.backward();
            nn.utils.clip_grad_norm_(parameters, ClipNorm);
            optimizer.step();
            schedule.step();
            average.Update();
            sum += number;
            if ((i + 1) % bucket == 0)
            {
                losses.Add(sum / bucket);
                sum = 0;
            }
            clock.Report(i + 1, $"loss {number:F4}");
        }
        average.Apply();
        return new StageSummary(name, iterations, clock.Elapsed.TotalSeconds, losses);
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
}
