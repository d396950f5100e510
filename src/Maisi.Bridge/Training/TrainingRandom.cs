using Maisi.Bridge.Generation;

namespace Maisi.Bridge.Training;

/// <summary>
/// Random choices of a training stage: a counter over a Philox stream, so that its whole state is two numbers and a resumed run
/// draws what an uninterrupted one would.
/// </summary>
public sealed class TrainingRandom(ulong seed)
{
    /// <summary>How many numbers have been drawn; setting it continues from there.</summary>
    public ulong Position { get; set; }

    /// <summary>A number in [0, 1).</summary>
    public double NextDouble() => PhiloxNoise.Uniform(seed, Position++);

    /// <summary>An integer in [0, limit).</summary>
    public int Next(int limit) => (int)(NextDouble() * limit);

    /// <summary>The seed of a noise tensor of its own.</summary>
    public ulong NextSeed() => SampleSeed.Of(seed, (long)Position++);
}
