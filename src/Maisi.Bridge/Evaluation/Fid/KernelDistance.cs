// KID: Bińkowski et al., arXiv:1801.01401. MMD: Gretton et al., JMLR 13, 2012, and MMDMetric in monai/metrics/mmd.py (MONAI 1.5).
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Evaluation;

/// <summary>Unbiased squared maximum mean discrepancy of two sets of rows; may be slightly negative for equal distributions.</summary>
public static class KernelDistance
{
    /// <summary>With the linear kernel x·y: what MONAI's MMDMetric gives.</summary>
    public static double Linear(Tensor first, Tensor second) => Unbiased(first, second, products => products);

    /// <summary>With the kernel (x·y/D + 1)³, which KID is.</summary>
    /// <param name="first">Rows [n, D].</param>
    /// <param name="second">Rows [m, D].</param>
    /// <exception cref="MaisiException">Fewer than two rows on a side.</exception>
    public static double Polynomial(Tensor first, Tensor second) => Unbiased(first, second, products => (products / (double)first.shape[1] + 1.0).pow(3));

    /// <summary>Mean and standard deviation of KID over random subsets.</summary>
    /// <param name="first">Rows.</param>
    /// <param name="second">Rows.</param>
    /// <param name="seed">Of the choice.</param>
    /// <param name="subsets">How many.</param>
    /// <param name="size">Rows of a subset, at most half of the smaller set.</param>
    public static (double Mean, double Deviation) Kid(Tensor first, Tensor second, int seed, int subsets = 20, int size = 500)
    {
        var random = new Random(seed);
        var rows = (int)Math.Clamp(Math.Min(first.shape[0], second.shape[0]) / 2, 2, size);
        var values = new double[subsets];
        for (var i = 0; i < subsets; i++)
        {
            using var scope = NewDisposeScope();
            values[i] = Polynomial(Choose(first, rows, random), Choose(second, rows, random));
        }
        var mean = values.Average();
        return (mean, Math.Sqrt(values.Average(v => (v - mean) * (v - mean))));
    }

    private static Tensor Choose(Tensor rows, int count, Random random)
    {
        var order = Enumerable.Range(0, (int)rows.shape[0]).Select(i => (long)i).ToArray();
        random.Shuffle(order);
        return rows.index_select(0, tensor(order[..count]));
    }

    private static double Unbiased(Tensor first, Tensor second, Func<Tensor, Tensor> kernel)
    {
        using var scope = NewDisposeScope();
        Tensor x = first.to(ScalarType.Float64), y = second.to(ScalarType.Float64);
        double n = x.shape[0], m = y.shape[0];
        if (n < 2 || m < 2)
            throw new MaisiException($"{n} and {m} rows are too few for a kernel distance", hint: "use two slices or more on each side");
        double Own(Tensor rows)
        {
            var k = kernel(rows.matmul(rows.transpose(0, 1)));
            return (k.sum() - k.diagonal().sum()).item<double>();
        }
        return Own(x) / (n * (n - 1)) + Own(y) / (m * (m - 1)) - 2 * kernel(x.matmul(y.transpose(0, 1))).sum().item<double>() / (n * m);
    }
}
