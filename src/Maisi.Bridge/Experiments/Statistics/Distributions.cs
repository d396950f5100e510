// Abramowitz and Stegun, Handbook of Mathematical Functions: 7.1.6, 7.1.14 (error function), 26.7.3, 26.7.4 (Student's t).
namespace Maisi.Bridge.Experiments;

/// <summary>Tail probabilities of the normal distribution and of Student's t.</summary>
internal static class Distributions
{
    /// <summary>The probability that a standard normal number is as far from 0 as z, or farther.</summary>
    public static double NormalTwoSided(double z) => ErrorFunctionComplement(Math.Abs(z) / Math.Sqrt(2));

    /// <summary>The probability that a number of Student's distribution is as far from 0 as t, or farther.</summary>
    /// <param name="t">The statistic.</param>
    /// <param name="freedom">Degrees of freedom, at least 1.</param>
    public static double StudentTwoSided(double t, int freedom)
    {
        var (sin, cos) = Math.SinCos(Math.Atan(Math.Abs(t) / Math.Sqrt(freedom)));
        var even = freedom % 2 == 0;
        // The terms of the series: 1, 1/2 cos², 1·3/(2·4) cos⁴, ... for even, cos, 2/3 cos³, ... for odd degrees of freedom.
        double term = even ? 1 : cos, sum = freedom == 1 ? 0 : term;
        for (var i = even ? 2 : 3; i <= freedom - 2; i += 2)
        {
            term *= cos * cos * (i - 1) / i;
            sum += term;
        }
        var inside = even ? sin * sum : 2 / Math.PI * (Math.Atan(Math.Abs(t) / Math.Sqrt(freedom)) + (sin * sum));
        return Math.Clamp(1 - inside, 0, 1);
    }

    /// <summary>The t beyond which, on both sides together, the probability is alpha.</summary>
    public static double StudentQuantile(double alpha, int freedom)
    {
        var (low, high) = (0.0, 1.0);
        while (StudentTwoSided(high, freedom) > alpha)
            high *= 2;
        for (var i = 0; i < 200 && high - low > 1e-13 * high; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = StudentTwoSided(middle, freedom) > alpha ? (middle, high) : (low, middle);
        }
        return (low + high) / 2;
    }

    private static double ErrorFunctionComplement(double x)
    {
        if (x < 2)
        {
            double term = x, sum = x;
            for (var n = 1; Math.Abs(term) > 1e-18 * Math.Abs(sum); n++)
            {
                term *= 2 * x * x / ((2 * n) + 1);
                sum += term;
            }
            return 1 - (2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum);
        }
        var fraction = x;
        for (var n = 200; n >= 1; n--)
            fraction = x + (n / 2.0 / fraction);
        return Math.Exp(-x * x) / (Math.Sqrt(Math.PI) * fraction);
    }
}
