namespace Maisi.Bridge.Volumes;

/// <summary>Turns x-fastest voxels into z-fastest ones and back.</summary>
internal static class VoxelOrder
{
    // 32×32 tiles keep both the rows that are read and the rows that are written in the first-level cache.
    private const int Tile = 32;

    /// <summary>
    /// Copies <paramref name="source"/> with its axes reversed: fastest axis <paramref name="a"/>, then b, then c becomes fastest c, then b,
    /// then a.
    /// </summary>
    public static void Transpose<T>(ReadOnlySpan<T> source, Span<T> target, int a, int b, int c) where T : unmanaged
    {
        for (var j = 0; j < b; j++)
        {
            for (var k0 = 0; k0 < c; k0 += Tile)
            {
                var k1 = Math.Min(k0 + Tile, c);
                for (var i0 = 0; i0 < a; i0 += Tile)
                {
                    var i1 = Math.Min(i0 + Tile, a);
                    for (var k = k0; k < k1; k++)
                    {
                        var row = source.Slice((k * b + j) * a, a);
                        for (var i = i0; i < i1; i++)
                            target[(i * b + j) * c + k] = row[i];
                    }
                }
            }
        }
    }
}
