using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>
/// Every case and its mirror image as the autoencoder sees it: mean and spread of the latent, with the labels at image resolution.
/// </summary>
public sealed class LatentSet : IDisposable
{
    private readonly List<(Tensor Mean, Tensor Spread, byte[] Labels)> _entries;
    private readonly int[] _size;

    private LatentSet(List<(Tensor, Tensor, byte[])> entries, int[] size, double scaleFactor) =>
        (_entries, _size, ScaleFactor) = (entries, size, scaleFactor);

    /// <summary>1 / standard deviation of the latents: what they are multiplied with before diffusion.</summary>
    public double ScaleFactor { get; }

    /// <summary>Cases, mirror images included.</summary>
    public int Count => _entries.Count;

    /// <summary>Encodes every case and its mirror image.</summary>
    public static LatentSet Encode(
        AutoencoderKlMaisi autoencoder, IReadOnlyList<TrainingCase> cases, int[] size, byte[] partner, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var entries = new List<(Tensor, Tensor, byte[])>();
        var clock = new StageClock("latents", cases.Count, progress);
        using var _ = no_grad();
        double sum = 0, squares = 0;
        long count = 0;
        foreach (var original in cases)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (var item in new[] { original, original.Mirrored(size, partner) })
            {
                using var scope = NewDisposeScope();
                var (mean, spread) = autoencoder.Encode(tensor(item.Image, [1, 1, size[0], size[1], size[2]]));
                sum += mean.sum().ToDouble();
                squares += (mean.pow(2) + spread.pow(2)).sum().ToDouble();
                count += mean.NumberOfElements;
                entries.Add((mean.DetachFromDisposeScope(), spread.DetachFromDisposeScope(), item.Labels));
            }
            clock.Report(entries.Count / 2);
        }
        var average = sum / count;
        return new LatentSet(entries, size, 1 / Math.Sqrt((squares / count) - (average * average)));
    }

    /// <summary>The same latents under another scale factor: validation cases take that of the training cases. Shares the tensors.</summary>
    public LatentSet WithScale(double scaleFactor) => new(_entries, _size, scaleFactor);

    /// <summary>A batch of scaled latents drawn from their distributions, and the labels that belong to them.</summary>
    /// <returns>Latents [B, C, x, y, z] and label codes [B, 1, X, Y, Z] as uint8.</returns>
    public (Tensor Latents, Tensor Labels) Batch(int batchSize, TrainingRandom random)
    {
        var latents = new List<Tensor>();
        var labels = new byte[batchSize * _size[0] * _size[1] * _size[2]];
        for (var b = 0; b < batchSize; b++)
        {
            var (mean, spread, codes) = _entries[random.Next(_entries.Count)];
            latents.Add((mean + (spread * PhiloxNoise.Normal(mean.shape, random.NextSeed()))) * ScaleFactor);
            codes.CopyTo(labels, b * codes.Length);
        }
        return (cat(latents, 0), tensor(labels, [batchSize, 1, _size[0], _size[1], _size[2]]));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (mean, spread, _) in _entries)
        {
            mean.Dispose();
            spread.Dispose();
        }
    }
}
