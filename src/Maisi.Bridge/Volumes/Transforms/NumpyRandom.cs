namespace Maisi.Bridge.Volumes;

/// <summary>
/// NumPy's RandomState: the same numbers from the same seed, so that MONAI's random transforms can be repeated.
/// Source: M. Matsumoto, T. Nishimura, "Mersenne Twister", ACM TOMACS 8, 1998; numpy/random/src/legacy.
/// </summary>
public sealed class NumpyRandom
{
    private const int N = 624, M = 397;

    private readonly uint[] _state = new uint[N];
    private int _next = N;
    private double? _spare;

    /// <param name="seed">Only the low 32 bits count.</param>
    public NumpyRandom(ulong seed)
    {
        _state[0] = (uint)seed;
        for (var i = 1; i < N; i++)
            _state[i] = 1812433253u * (_state[i - 1] ^ (_state[i - 1] >> 30)) + (uint)i;
    }

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double NextDouble() => ((NextUInt() >> 5) * 67108864.0 + (NextUInt() >> 6)) / 9007199254740992.0;

    /// <summary>Uniform in [low, high).</summary>
    public double Uniform(double low, double high) => low + (high - low) * NextDouble();

    /// <summary>Uniform whole number in [low, high).</summary>
    public long Integer(long low, long high) => low + (long)Interval((ulong)(high - low - 1));

    /// <summary>Standard normal, by the polar method in pairs.</summary>
    public double Normal()
    {
        if (_spare is { } spare)
        {
            _spare = null;
            return spare;
        }
        double a, b, r2;
        do
        {
            a = 2 * NextDouble() - 1;
            b = 2 * NextDouble() - 1;
            r2 = a * a + b * b;
        }
        while (r2 >= 1 || r2 == 0);
        var factor = Math.Sqrt(-2 * Math.Log(r2) / r2);
        _spare = factor * a;
        return factor * b;
    }

    /// <summary>The numbers 0 to n-1 in random order.</summary>
    public int[] Permutation(int n)
    {
        var order = Enumerable.Range(0, n).ToArray();
        for (var i = n - 1; i > 0; i--)
        {
            var j = (int)Interval((ulong)i);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }

    // Uniform in [0, most]: bits are drawn until they fit.
    private ulong Interval(ulong most)
    {
        if (most == 0)
            return 0;
        var mask = ulong.MaxValue >> System.Numerics.BitOperations.LeadingZeroCount(most);
        ulong value;
        do
            value = (most <= uint.MaxValue ? NextUInt() : (ulong)NextUInt() << 32 | NextUInt()) & mask;
        while (value > most);
        return value;
    }

    private uint NextUInt()
    {
        if (_next == N)
            Refill();
        var y = _state[_next++];
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c5680;
        y ^= (y << 15) & 0xefc60000;
        return y ^ (y >> 18);
    }

    private void Refill()
    {
        for (var i = 0; i < N; i++)
        {
            var y = (_state[i] & 0x80000000) | (_state[(i + 1) % N] & 0x7fffffff);
            _state[i] = _state[(i + M) % N] ^ (y >> 1) ^ ((y & 1) * 0x9908b0df);
        }
        _next = 0;
    }
}
