namespace Maisi.Bridge.Networks;

/// <summary>The output planes [From, To) of Total that one slab computes.</summary>
internal readonly record struct SlabRange(long From, long To, long Total)
{
    public long Count => To - From;

    /// <summary>All slabs of an axis.</summary>
    public static IEnumerable<SlabRange> Of(long total, long thickness)
    {
        for (var from = 0L; from < total; from += thickness)
            yield return new SlabRange(from, Math.Min(from + thickness, total), total);
    }
}
