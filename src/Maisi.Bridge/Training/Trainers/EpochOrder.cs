using Maisi.Bridge.Generation;

namespace Maisi.Bridge.Training;

/// <summary>
/// Which cases a batch is made of: every epoch all of them once, in an order that depends on the seed and the epoch alone, so that a
/// training that goes on sees what an uninterrupted one would.
/// </summary>
/// <param name="count">Cases.</param>
/// <param name="batchSize">Cases per batch; the last of an epoch may be smaller.</param>
/// <param name="seed">The seed.</param>
internal sealed class EpochOrder(int count, int batchSize, ulong seed)
{
    /// <summary>Batches in an epoch.</summary>
    public int Batches { get; } = (count + batchSize - 1) / batchSize;

    /// <summary>The cases of a batch, counted from 0 over all epochs, each with a seed of its own for that epoch.</summary>
    public IReadOnlyList<(int Case, ulong Seed)> Batch(long number)
    {
        var (epoch, at) = (number / Batches, (int)(number % Batches));
        var epochSeed = SampleSeed.Of(seed, epoch);
        var random = new TrainingRandom(epochSeed);
        var order = Enumerable.Range(0, count).ToArray();
        for (var i = count - 1; i > 0; i--)
        {
            var j = random.Next(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return [.. order.Skip(at * batchSize).Take(batchSize).Select(c => (c, SampleSeed.Of(~epochSeed, c)))];
    }
}
