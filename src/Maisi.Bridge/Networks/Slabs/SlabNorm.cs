using Maisi.Bridge.Runtime;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>A group norm, with SiLU behind it or not, that is applied piece by piece once its statistics are known.</summary>
/// <param name="Weight">Scale per channel.</param>
/// <param name="Bias">Shift per channel.</param>
/// <param name="Groups">Groups of channels that share statistics.</param>
/// <param name="Eps">Added to the variance.</param>
/// <param name="RoundsToHalf">Whether the normalised value is rounded to half; only where activations are half, as upstream only runs there.</param>
/// <param name="Silu">Whether SiLU follows.</param>
internal sealed record SlabNorm(Parameter Weight, Parameter Bias, long Groups, double Eps, bool RoundsToHalf, bool Silu)
{
    /// <summary>The norm of these statistics, ready to apply.</summary>
    public FittedNorm Fit(ChannelMoments moments) => new(this, moments.Groups(Groups, Eps));
}

/// <summary>A norm whose statistics are known.</summary>
internal sealed class FittedNorm
{
    private readonly SlabNorm _norm;
    private readonly float[] _scale;
    private readonly float[] _shift;
    private readonly (double Mean, double InverseDeviation)[] _groups;

    public FittedNorm(SlabNorm norm, (double Mean, double InverseDeviation)[] groups)
    {
        (_norm, _groups) = (norm, groups);
        using var scope = NewDisposeScope();
        var weight = norm.Weight.detach().to(ScalarType.Float32).cpu().data<float>().ToArray();
        var bias = norm.Bias.detach().to(ScalarType.Float32).cpu().data<float>().ToArray();
        var per = weight.Length / groups.Length;
        _scale = [.. weight.Select((w, c) => (float)(w * groups[c / per].InverseDeviation))];
        _shift = [.. weight.Select((w, c) => (float)(bias[c] - (w * groups[c / per].InverseDeviation * groups[c / per].Mean)))];
    }

    /// <summary>Bytes that <see cref="Apply"/> needs beside a piece of this size.</summary>
    public static long Transient(long pieceBytes, bool kernels) => kernels ? 0 : 4 * pieceBytes;

    /// <summary>Writes the normalised <paramref name="piece"/> [1, C, x, Y, Z] into <paramref name="destination"/>, of the same shape and type.</summary>
    public void Apply(Tensor piece, Tensor destination)
    {
        if (TensorRuntime.HasVolumeKernels(piece.dtype, piece.device_type))
        {
            TensorRuntime.ChannelAffine(piece, _scale, _shift, _norm.Silu, destination);
            return;
        }
        using var scope = NewDisposeScope();
        var half = _norm.RoundsToHalf && piece.dtype is ScalarType.Float16 or ScalarType.BFloat16;
        Tensor y;
        if (half)
        {
            var per = _scale.Length / _groups.Length;
            var inverse = PerChannel([.. _scale.Select((_, c) => (float)_groups[c / per].InverseDeviation)], piece);
            var mean = PerChannel([.. _scale.Select((_, c) => (float)_groups[c / per].Mean)], piece);
            y = (piece.to(ScalarType.Float32) - mean).mul_(inverse).to(ScalarType.Float16);
            y.mul_(_norm.Weight.reshape(1, -1, 1, 1, 1)).add_(_norm.Bias.reshape(1, -1, 1, 1, 1));
        }
        else
        {
            y = (piece.to(ScalarType.Float32) * PerChannel(_scale, piece)).add_(PerChannel(_shift, piece));
        }
        if (_norm.Silu)
            y.silu_();
        destination.copy_(y);
    }

    private static Tensor PerChannel(float[] values, Tensor like) => tensor(values, [1, values.Length, 1, 1, 1]).to(like.device);
}
