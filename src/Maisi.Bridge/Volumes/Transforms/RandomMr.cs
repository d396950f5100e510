using static TorchSharp.torch;

namespace Maisi.Bridge.Volumes;

/// <summary>
/// Multiplies by a smooth random field, as the coil of an MR scanner does: the exponential of Legendre polynomials up to a degree.
/// Source of all in this file: monai/transforms/intensity/array.py; MAISI's autoencoder is trained on MR with these.
/// </summary>
/// <param name="degree">Largest sum of the degrees along the three axes.</param>
/// <param name="low">Smallest coefficient.</param>
/// <param name="high">Largest coefficient.</param>
/// <param name="prob">Probability.</param>
public sealed class RandBiasField(int degree = 3, double low = 0, double high = 0.1, double prob = 0.1) : RandomTransform(prob)
{
    /// <inheritdoc/>
    protected override VolumeTensor Transform(VolumeTensor input)
    {
        using var scope = NewDisposeScope();
        var basis = input.Size.Select(Legendre).ToArray();
        // field[x,y,z] = sum of c[i,j,k] P_i(x) P_j(y) P_k(z) over i + j + k <= degree, drawn in this order.
        var coefficients = new double[degree + 1, degree + 1, degree + 1];
        for (var i = 0; i <= degree; i++)
            for (var j = 0; j <= degree - i; j++)
                for (var k = 0; k <= degree - i - j; k++)
                    coefficients[i, j, k] = Random.Uniform(low, high);
        var (nx, ny, nz) = (input.Size[0], input.Size[1], input.Size[2]);
        var field = new float[nx * ny * nz];
        Parallel.For(0, nx, x =>
        {
            var plane = Contract(coefficients, basis[0], x);
            for (var y = 0; y < ny; y++)
                for (var z = 0; z < nz; z++)
                {
                    var sum = 0.0;
                    for (var j = 0; j <= degree; j++)
                        for (var k = 0; k <= degree - j; k++)
                            sum += plane[j, k] * basis[1][j, y] * basis[2][k, z];
                    field[(x * ny + y) * nz + z] = (float)Math.Exp(sum);
                }
        });
        var data = input.Data.to(ScalarType.Float32) * tensor(field, [1, nx, ny, nz]).to(input.Data.device);
        return input with { Data = data.MoveToOuterDisposeScope() };
    }

    private double[,] Contract(double[,,] coefficients, double[,] basis, int x)
    {
        var plane = new double[degree + 1, degree + 1];
        for (var i = 0; i <= degree; i++)
            for (var j = 0; j <= degree - i; j++)
                for (var k = 0; k <= degree - i - j; k++)
                    plane[j, k] += coefficients[i, j, k] * basis[i, x];
        return plane;
    }

    // P_0 .. P_degree at n points from -1 to 1, by Bonnet's recursion.
    private double[,] Legendre(int n)
    {
        var values = new double[degree + 1, n];
        for (var at = 0; at < n; at++)
        {
            var x = n == 1 ? -1 : (double)(float)(-1 + 2.0 * at / (n - 1));
            values[0, at] = 1;
            if (degree > 0)
                values[1, at] = x;
            for (var d = 2; d <= degree; d++)
                values[d, at] = ((2 * d - 1) * x * values[d - 1, at] - (d - 1) * values[d - 2, at]) / d;
        }
        return values;
    }
}

/// <summary>Removes high frequencies outside a random sphere, which rings at edges as MR of low resolution does.</summary>
/// <param name="low">Smallest strength, 0 to 1: the sphere's radius is (1 - strength)·√2/2 of the longest axis.</param>
/// <param name="high">Largest strength.</param>
/// <param name="prob">Probability.</param>
public sealed class RandGibbsNoise(double low = 0, double high = 1, double prob = 0.1) : RandomTransform(prob)
{
    /// <inheritdoc/>
    protected override VolumeTensor Transform(VolumeTensor input)
    {
        using var scope = NewDisposeScope();
        var size = input.Size;
        var radius = (1 - Random.Uniform(low, high)) * size.Max() * Math.Sqrt(2) / 2;
        var half = size[2] / 2 + 1;
        // The sphere is centred between samples, so it is not symmetric for even sizes; the real part of the result is that of the mean of
        // the sphere and its mirror image, which half of the spectrum is enough for.
        var weights = new float[size[0] * size[1] * half];
        for (var x = 0; x < size[0]; x++)
            for (var y = 0; y < size[1]; y++)
                for (var z = 0; z < half; z++)
                    weights[(x * size[1] + y) * half + z] = (Inside([x, y, z], size, radius) + Inside([-x, -y, -z], size, radius)) / 2f;
        long[] axes = [1, 2, 3];
        var spectrum = fft.rfftn(input.Data.to(ScalarType.Float32), dim: axes);
        var kept = spectrum * tensor(weights, [1, size[0], size[1], half]).to(input.Data.device);
        return input with { Data = fft.irfftn(kept, [.. size.Select(n => (long)n)], axes).MoveToOuterDisposeScope() };
    }

    private static float Inside(ReadOnlySpan<int> frequency, int[] size, double radius)
    {
        var sum = 0.0;
        for (var a = 0; a < 3; a++)
        {
            // Where the frequency lies when zero is in the middle.
            var place = ((frequency[a] + size[a] / 2) % size[a] + size[a]) % size[a];
            var off = place - (size[a] - 1) / 2.0;
            sum += off * off;
        }
        return Math.Sqrt(sum) <= radius ? 1 : 0;
    }
}

/// <summary>Bends the histogram: values go through a random rising line of control points.</summary>
/// <param name="points">Control points, 3 or more; the outer two stay.</param>
/// <param name="prob">Probability.</param>
public sealed class RandHistogramShift(int points = 10, double prob = 0.1) : RandomTransform(prob)
{
    /// <inheritdoc/>
    protected override VolumeTensor Transform(VolumeTensor input)
    {
        using var scope = NewDisposeScope();
        var count = (int)Random.Integer(points, points + 1);
        double[] from = [.. Enumerable.Range(0, count).Select(i => i / (count - 1.0))], to = [.. from];
        for (var i = 1; i < count - 1; i++)
            to[i] = Random.Uniform(to[i - 1], to[i + 1]);
        var values = input.Data.to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
        var (least, most) = (values.Min(), values.Max());
        if (least == most)
            return input with { Data = input.Data.alias().MoveToOuterDisposeScope() };
        for (var v = 0; v < values.Length; v++)
        {
            var place = (values[v] - least) / ((double)most - least) * (count - 1);
            var below = Math.Clamp((int)Math.Ceiling(place) - 1, 0, count - 2);
            values[v] = (float)((to[below] + (to[below + 1] - to[below]) * (place - below)) * ((double)most - least) + least);
        }
        return input with { Data = tensor(values, input.Data.shape).to(input.Data.device).MoveToOuterDisposeScope() };
    }
}
