using static TorchSharp.torch;

namespace Maisi.Bridge.Generation;

/// <summary>
/// Normally distributed noise from the counter-based generator Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
/// 1, 2, 3", SC 2011) with the Box-Muller transform. Element i depends on (seed, i) alone, so the numbers are the same on every
/// device, in every order and for every number of threads.
/// </summary>
public static class PhiloxNoise
{
    private const int Chunk = 1 << 14;

    /// <summary>A float32 tensor of standard normal numbers on the CPU; the caller moves it to its device.</summary>
    /// <param name="shape">Sizes, for instance [1, 4, 16, 16, 16].</param>
    /// <param name="seed">The seed of one stream of one sample, see <see cref="SampleSeed"/>.</param>
    public static Tensor Normal(long[] shape, ulong seed)
    {
        var values = new float[shape.Aggregate(1L, (n, s) => checked(n * s))];
        Fill(values, seed);
        return tensor(values, shape);
    }

    /// <summary>Fills a span with standard normal numbers; equal seeds give equal prefixes.</summary>
    public static void Fill(float[] values, ulong seed)
    {
        var chunks = (values.Length + Chunk - 1) / Chunk;
        Parallel.For(0, chunks, c =>
        {
            var start = c * Chunk;
            FillFrom(values.AsSpan(start, Math.Min(Chunk, values.Length - start)), seed, (ulong)start / 4);
        });
    }

    /// <summary>A float32 tensor of numbers uniform in [-bound, bound) on the CPU.</summary>
    public static Tensor Uniform(long[] shape, ulong seed, double bound)
    {
        var values = new float[shape.Aggregate(1L, (n, s) => checked(n * s))];
        Parallel.For(0, (values.Length + Chunk - 1) / Chunk, c =>
        {
            for (var i = c * Chunk; i < Math.Min(values.Length, (c + 1) * Chunk); i++)
                values[i] = (float)(((2.0 * Uniform(seed, (ulong)i)) - 1) * bound);
        });
        return tensor(values, shape);
    }

    /// <summary>Uniform numbers in [0, 1) with 24 random bits; element i depends on (seed, i) alone.</summary>
    public static float Uniform(ulong seed, ulong index)
    {
        var word = Block(index / 4, seed)[(int)(index % 4)];
        return (word >> 8) * (1f / (1 << 24));
    }

    /// <summary>One Philox4x32-10 block: four 32-bit words for a counter and a key.</summary>
    public static uint[] Block(ulong counter, ulong key)
    {
        Span<uint> words = stackalloc uint[4];
        Block((uint)counter, (uint)(counter >> 32), 0, 0, (uint)key, (uint)(key >> 32), words);
        return words.ToArray();
    }

    /// <summary>The Philox4x32-10 bijection on a whole 128-bit counter.</summary>
    internal static void Block(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, Span<uint> words)
    {
        for (var round = 0; round < 10; round++)
        {
            var p0 = (ulong)0xD2511F53u * c0;
            var p1 = (ulong)0xCD9E8D57u * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        (words[0], words[1], words[2], words[3]) = (c0, c1, c2, c3);
    }

    private static void FillFrom(Span<float> values, ulong seed, ulong firstBlock)
    {
        Span<uint> words = stackalloc uint[4];
        Span<float> four = stackalloc float[4];
        for (var at = 0; at < values.Length; at += 4)
        {
            var counter = firstBlock + (ulong)at / 4;
            Block((uint)counter, (uint)(counter >> 32), 0, 0, (uint)seed, (uint)(seed >> 32), words);
            (four[0], four[1]) = BoxMuller(words[0], words[1]);
            (four[2], four[3]) = BoxMuller(words[2], words[3]);
            four[..Math.Min(4, values.Length - at)].CopyTo(values[at..]);
        }
    }

    private static (float, float) BoxMuller(uint a, uint b)
    {
        const double unit = 1.0 / 4294967296.0;
        var radius = Math.Sqrt(-2.0 * Math.Log((a + 0.5) * unit));
        var (sin, cos) = Math.SinCos(2.0 * Math.PI * ((b + 0.5) * unit));
        return ((float)(radius * cos), (float)(radius * sin));
    }
}
