namespace Maisi.Bridge.Tests;

public class QuantilesTests
{
    [Theory]
    [InlineData(0, -3.5)]
    [InlineData(0.005, -3.395)]
    [InlineData(0.1, -1.4)]
    [InlineData(0.33, 1.225)]
    [InlineData(0.5, 2)]
    [InlineData(0.975, 9.6625)]
    [InlineData(1, 10)]
    public void Quantiles_are_those_of_NumPy(double share, double expected) => Quantiles.Of([-3.5, 0, 1.25, 2, 2, 7.75, 10], share).ShouldBe(expected, 1e-12);

    [Theory]
    [InlineData(0, 0.1f)]
    [InlineData(0.05, 0.125f)]
    [InlineData(0.5, 1f)]
    [InlineData(0.95, 3.200000047683716f)]
    [InlineData(0.99, 3.2799999713897705f)]
    [InlineData(1, 3.3f)]
    public void Quantiles_of_singles_are_those_of_torch(double share, float expected) => Quantiles.OfSingles([0.1f, 0.2f, 0.7f, 1.3f, 2.9f, 3.3f], share).ShouldBe(expected);

    [Fact]
    public void The_median_leaves_out_what_is_no_number()
    {
        Quantiles.Median([3, double.NaN, 1, 2, 10]).ShouldBe(2.5);
        Quantiles.Median([7]).ShouldBe(7);
        Quantiles.Median([double.NaN]).ShouldBe(double.NaN);
        Quantiles.Of([4], 0.3).ShouldBe(4);
    }
}
