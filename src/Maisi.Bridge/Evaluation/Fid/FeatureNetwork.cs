using static TorchSharp.torch;

namespace Maisi.Bridge.Evaluation;

/// <summary>The three planes of a volume: slices across z, x and y.</summary>
public enum SlicePlane
{
    /// <summary>Slices across z.</summary>
    Xy,

    /// <summary>Slices across x.</summary>
    Yz,

    /// <summary>Slices across y.</summary>
    Zx,
}

/// <summary>Which slices of a volume count.</summary>
/// <param name="CentreRatio">Share of the slices, from the middle; null for all.</param>
/// <param name="Every">Of those every n-th; as upstream, 1 unless <paramref name="CentreRatio"/> is given.</param>
public sealed record SliceChoice(double? CentreRatio = null, int Every = 1)
{
    /// <summary>First slice, and the one after the last, of n.</summary>
    internal (int From, int To) Range(int n) => CentreRatio is { } r ? ((int)((1 - r) / 2 * n), (int)((1 + r) / 2 * n)) : (0, n);

    /// <summary>Steps between slices.</summary>
    internal int Step => CentreRatio is null ? 1 : Every;
}

/// <summary>
/// A network whose features describe a slice for FID and its relatives. Distances of different networks are not comparable, so a report
/// always names it.
/// </summary>
public abstract class FeatureNetwork : IDisposable
{
    private protected FeatureNetwork(string name, string fingerprint) => (Name, Fingerprint) = (name, fingerprint);

    /// <summary>What reports call it, for instance "RadImageNet ResNet50".</summary>
    public string Name { get; }

    /// <summary>SHA-256 of the weights, or another text that changes with them: part of the key of cached features.</summary>
    public string Fingerprint { get; }

    /// <summary>One row of features per slice, for each plane.</summary>
    /// <param name="image">HU clipped to [-1000, 1000], [X, Y, Z], float32.</param>
    /// <param name="slices">Which slices.</param>
    public abstract IReadOnlyDictionary<SlicePlane, Tensor> Extract(Tensor image, SliceChoice slices);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>The axis that the slices of a plane are stacked along.</summary>
    private protected static int Axis(SlicePlane plane) => plane switch { SlicePlane.Xy => 2, SlicePlane.Yz => 0, _ => 1 };
}
