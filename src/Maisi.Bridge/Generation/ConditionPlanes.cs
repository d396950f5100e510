using static TorchSharp.torch;

namespace Maisi.Bridge.Generation;

/// <summary>The ControlNet's condition: one plane per bit of the label code.</summary>
public static class ConditionPlanes
{
    /// <summary>
    /// Plane i is bit i of the label, least significant first, as float32; codes of 256 and more lose their high bits, as upstream's do.
    /// </summary>
    /// <param name="labels">[B, 1, X, Y, Z], any integer type.</param>
    /// <param name="bits">How many planes.</param>
    /// <returns>[B, bits, X, Y, Z].</returns>
    public static Tensor Of(Tensor labels, int bits = 8)
    {
        using var scope = NewDisposeScope();
        var codes = labels.to(ScalarType.Int64);
        var planes = Enumerable.Range(0, bits).Select(bit => codes.div(1L << bit, RoundingMode.floor).remainder(2)).ToArray();
        return cat(planes, 1).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }
}
