using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>Trains the autoencoder: mean absolute error plus a small Kullback-Leibler term.</summary>
internal sealed class AutoencoderTrainer(AutoencoderKlMaisi network, AutoencoderTrainOptions options, int[] size, ulong seed)
{
    private const float Body = 0.25f;
    private const int MostTries = 32;
    private readonly TrainingRandom _random = new(SampleSeed.Of(seed, 1));

    /// <summary>Runs both parts and leaves the network in evaluation mode.</summary>
    public IReadOnlyList<StageSummary> Train(
        IReadOnlyList<TrainingCase> cases, TrainingStore store, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        network.train();
        StartSharp();
        var parameters = network.parameters().ToList();
        var summaries = new List<StageSummary>
        {
            new TrainingStage("autoencoder", parameters, options, options.Iterations, options.Lr, _random)
                .Run(() => Loss(Batch(cases, options.BatchSize, options.PatchSize ?? size)), store, progress, cancellation),
        };
        if (options.WholeIterations > 0)
        {
            summaries.Add(new TrainingStage("autoencoder-whole", parameters, options, options.WholeIterations, options.Lr / 4, _random)
                .Run(() => Loss(Batch(cases, 1, size)), store, progress, cancellation));
        }
        network.eval();
        return summaries;
    }

    /// <summary>
    /// Starts with a standard deviation of exp(-3) everywhere. The usual initial weights give 1, which drowns the latent in noise and
    /// makes the first hundreds of steps learn nothing.
    /// </summary>
    private void StartSharp()
    {
        using var _ = no_grad();
        foreach (var (name, parameter) in network.named_parameters().Where(p => p.name.StartsWith("quant_conv_log_sigma.", StringComparison.Ordinal)))
            parameter.fill_(name.EndsWith("bias", StringComparison.Ordinal) ? -6 : 0);
    }

    private Tensor Loss(Tensor images)
    {
        var (mu, sigma) = network.Encode(images);
        var latent = mu + (sigma * PhiloxNoise.Normal(mu.shape, _random.NextSeed()));
        var reconstruction = network.Decode(latent);
        return (reconstruction - images).abs().mean() + (KullbackLeibler(mu, sigma) * options.KlWeight);
    }

    /// <summary>½ Σ (µ² + σ² − log(σ² + 1e-10) − 1) over voxels, averaged over the batch.</summary>
    internal static Tensor KullbackLeibler(Tensor mu, Tensor sigma)
    {
        var variance = sigma.pow(2);
        return (mu.pow(2) + variance - (variance + 1e-10).log() - 1).sum() * (0.5 / mu.shape[0]);
    }

    /// <summary>
    /// Random patches of random cases, about every other one seen in a mirror; [B, 1, X, Y, Z]. The centre of a patch lies in the body:
    /// a patch of nothing but air has no spread, and group norms would make an image of its rounding errors.
    /// </summary>
    private Tensor Batch(IReadOnlyList<TrainingCase> cases, int batchSize, int[] patch)
    {
        var voxels = new float[batchSize * patch[0] * patch[1] * patch[2]];
        var at = 0;
        for (var b = 0; b < batchSize; b++)
        {
            var image = cases[_random.Next(cases.Count)].Image;
            var (x0, y0, z0) = Corner(image, patch);
            var mirrored = _random.Next(2) == 1;
            for (var x = 0; x < patch[0]; x++)
            {
                var row = mirrored ? size[0] - 1 - x0 - x : x0 + x;
                for (var y = 0; y < patch[1]; y++)
                {
                    image.AsSpan((((row * size[1]) + y0 + y) * size[2]) + z0, patch[2]).CopyTo(voxels.AsSpan(at));
                    at += patch[2];
                }
            }
        }
        return tensor(voxels, [batchSize, 1, patch[0], patch[1], patch[2]]);
    }

    private (int X, int Y, int Z) Corner(float[] image, int[] patch)
    {
        for (var tries = 0; ; tries++)
        {
            var (x, y, z) = (_random.Next(size[0] - patch[0] + 1), _random.Next(size[1] - patch[1] + 1), _random.Next(size[2] - patch[2] + 1));
            var centre = image[((((x + (patch[0] / 2)) * size[1]) + y + (patch[1] / 2)) * size[2]) + z + (patch[2] / 2)];
            if (centre > Body || tries == MostTries)
                return (x, y, z);
        }
    }
}
