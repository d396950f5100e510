namespace Maisi.Bridge.Training;

/// <summary>Factors on the learning rate by the step, counted from 0. The laws of MAISI are those of torch.optim.lr_scheduler.</summary>
internal static class LearningRate
{
    private const double LowestShare = 0.02;
    private const int FirstEpochs = 10, SecondEpochs = 20;

    /// <summary>
    /// (1 − step/total)² as PolynomialLR has it: with a total that is no whole number, the rate of the last whole step stays, since
    /// PyTorch's recursion does not step past the total.
    /// </summary>
    public static double Polynomial(int step, double total)
    {
        var share = 1 - (Math.Min(step, Math.Floor(total)) / total);
        return share * share;
    }

    /// <summary>Linear warm-up, then half a cosine down to a fiftieth.</summary>
    public static double WarmupCosine(int step, int iterations, int? warmupSteps = null)
    {
        var warmup = warmupSteps ?? Math.Max(1, iterations / 20);
        if (step < warmup)
            return (step + 1.0) / warmup;
        var t = Math.Min(1.0, (step - warmup) / (double)Math.Max(1, iterations - warmup));
        return LowestShare + ((1 - LowestShare) * 0.5 * (1 + Math.Cos(Math.PI * t)));
    }

    /// <summary>0.01 below epoch 10, 0.1 below epoch 20, then 1.</summary>
    public static double EpochSteps(int epoch) => epoch < FirstEpochs ? 0.01 : epoch < SecondEpochs ? 0.1 : 1;
}
