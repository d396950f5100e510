using Maisi.Bridge.Generation;

namespace Maisi.Bridge.Tests.Generation;

public class PhiloxNoiseTests
{
    // Known answers of philox4x32-10 published with Random123 (kat_vectors).
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, new[] { 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u })]
    [InlineData(uint.MaxValue, uint.MaxValue, uint.MaxValue, uint.MaxValue, uint.MaxValue, uint.MaxValue, new[] { 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu })]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u, new[] { 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u })]
    public void Philox_gives_the_published_answers(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint[] expected)
    {
        var words = new uint[4];
        PhiloxNoise.Block(c0, c1, c2, c3, k0, k1, words);
        words.ShouldBe(expected);
    }

    [Fact]
    public void A_longer_draw_starts_with_the_shorter_one()
    {
        var (shorter, longer) = (new float[1001], new float[70_000]);
        PhiloxNoise.Fill(shorter, 42);
        PhiloxNoise.Fill(longer, 42);
        longer.Take(1001).ShouldBe(shorter);
    }

    [Fact]
    public void Noise_is_standard_normal()
    {
        var values = new float[400_000];
        PhiloxNoise.Fill(values, 7);
        var mean = values.Average(v => (double)v);
        var variance = values.Average(v => (v - mean) * (v - mean));
        var kurtosis = values.Average(v => Math.Pow(v - mean, 4)) / (variance * variance);
        mean.ShouldBe(0, 0.006);
        variance.ShouldBe(1, 0.01);
        kurtosis.ShouldBe(3, 0.04);
        values.Count(v => v > 1.959964).ShouldBeInRange(9600, 10400); // 2.5 % of 400,000
    }

    [Fact]
    public void Uniform_numbers_fill_the_unit_interval_evenly()
    {
        var counts = new int[10];
        for (ulong i = 0; i < 100_000; i++)
            counts[(int)(PhiloxNoise.Uniform(3, i) * 10)]++;
        counts.ShouldAllBe(c => c > 9_600 && c < 10_400);
    }

    [Fact]
    public void Streams_and_indices_have_seeds_of_their_own()
    {
        var seeds = new HashSet<ulong>();
        for (var run = 0UL; run < 4; run++)
        {
            for (var index = 0; index < 100; index++)
            {
                var sample = SampleSeed.Of(run, index);
                seeds.Add(sample).ShouldBeTrue();
                foreach (var stream in Enum.GetValues<SeedStream>())
                    seeds.Add(SampleSeed.Stream(sample, stream)).ShouldBeTrue();
            }
        }
        SampleSeed.Of(5, 3).ShouldBe(SampleSeed.Of(5, 3));
    }
}
