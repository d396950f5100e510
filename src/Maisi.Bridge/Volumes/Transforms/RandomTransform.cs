namespace Maisi.Bridge.Volumes;

/// <summary>A transform that draws its parameters from a generator of its own.</summary>
public interface ISeededTransform : IVolumeTransform
{
    /// <summary>Starts the generator anew.</summary>
    /// <param name="seed">The seed of the sample; the low 32 bits count.</param>
    void SetRandomState(ulong seed);
}

/// <summary>A transform that is applied with a probability and draws its parameters from its own generator.</summary>
/// <param name="probability">How often it is applied, 0 to 1.</param>
public abstract class RandomTransform(double probability) : ISeededTransform
{
    /// <summary>The generator; the seed is the sample's own, so that a sample does not depend on those before it.</summary>
    protected NumpyRandom Random { get; private set; } = new(0);

    /// <inheritdoc/>
    public virtual void SetRandomState(ulong seed) => Random = new(seed);

    /// <inheritdoc/>
    public virtual VolumeTensor Apply(VolumeTensor input) => Random.NextDouble() < probability ? Transform(input) : input with { Data = input.Data.alias() };

    /// <summary>The change itself.</summary>
    protected abstract VolumeTensor Transform(VolumeTensor input);
}
