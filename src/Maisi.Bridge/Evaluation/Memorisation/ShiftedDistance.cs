using System.Numerics;

namespace Maisi.Bridge.Evaluation;

/// <summary>
/// The distance of two coarse images when one may be shifted against the other: a copy of a training case that was moved a little is one
/// all the same. Shifts are found on a grid of half the edge, and refined on the full one.
/// </summary>
/// <param name="edge">Voxels along each axis; even.</param>
internal sealed class ShiftedDistance(int edge)
{
    // Voxels of the halved grid: a quarter of the image in all.
    private const int Reach = 2;

    /// <summary>An image and the same on half the grid.</summary>
    public readonly record struct Image(float[] Fine, float[] Coarse);

    /// <summary>Prepares an image of mean 0, [X, Y, Z] with Z fastest.</summary>
    public Image Prepare(float[] values)
    {
        var half = edge / 2;
        var coarse = new float[half * half * half];
        for (var i = 0; i < values.Length; i++)
            coarse[((((i / edge / edge / 2) * half) + (i / edge % edge / 2)) * half) + (i % edge / 2)] += values[i] / 8;
        return new(values, coarse);
    }

    /// <summary>√(2 - 2·correlation) over what the two have in common, at the best shift.</summary>
    public double Between(Image a, Image b)
    {
        var (x, y, z) = Best(a.Coarse, b.Coarse, edge / 2, (0, 0, 0), Reach).Shift;
        var correlation = Math.Max(Best(a.Fine, b.Fine, edge, (2 * x, 2 * y, 2 * z), 1).Correlation, Correlation(a.Fine, b.Fine, edge, (0, 0, 0)));
        return Math.Sqrt(Math.Max(0, 2 - (2 * correlation)));
    }

    private static ((int X, int Y, int Z) Shift, double Correlation) Best(float[] a, float[] b, int n, (int X, int Y, int Z) around, int reach)
    {
        var best = (Shift: around, Correlation: double.NegativeInfinity);
        for (var x = around.X - reach; x <= around.X + reach; x++)
            for (var y = around.Y - reach; y <= around.Y + reach; y++)
                for (var z = around.Z - reach; z <= around.Z + reach; z++)
                {
                    var correlation = Correlation(a, b, n, (x, y, z));
                    if (correlation > best.Correlation)
                        best = ((x, y, z), correlation);
                }
        return best;
    }

    /// <summary>Σab / √(Σa²Σb²) over the voxels v of a and v + shift of b that both have.</summary>
    private static double Correlation(float[] a, float[] b, int n, (int X, int Y, int Z) shift)
    {
        double ab = 0, aa = 0, bb = 0;
        var (count, a0, b0) = (n - Math.Abs(shift.Z), Math.Max(0, -shift.Z), Math.Max(0, shift.Z));
        for (var x = Math.Max(0, -shift.X); x < Math.Min(n, n - shift.X); x++)
        {
            for (var y = Math.Max(0, -shift.Y); y < Math.Min(n, n - shift.Y); y++)
            {
                var own = a.AsSpan((((x * n) + y) * n) + a0, count);
                var other = b.AsSpan(((((x + shift.X) * n) + y + shift.Y) * n) + b0, count);
                Vector<float> sab = default, saa = default, sbb = default;
                var i = 0;
                for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
                {
                    var (p, q) = (new Vector<float>(own[i..]), new Vector<float>(other[i..]));
                    (sab, saa, sbb) = (sab + (p * q), saa + (p * p), sbb + (q * q));
                }
                (ab, aa, bb) = (ab + Vector.Sum(sab), aa + Vector.Sum(saa), bb + Vector.Sum(sbb));
                for (; i < count; i++)
                    (ab, aa, bb) = (ab + (own[i] * other[i]), aa + (own[i] * own[i]), bb + (other[i] * other[i]));
            }
        }
        return aa > 0 && bb > 0 ? ab / Math.Sqrt(aa * bb) : 0;
    }
}
