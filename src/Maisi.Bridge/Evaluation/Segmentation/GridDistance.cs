// The two-pass chamfer transform of Rosenfeld and Pfaltz (Journal of the ACM 13, 1966), which is exact for these two distances.
namespace Maisi.Bridge.Evaluation;

/// <summary>Distances in steps from voxel to voxel.</summary>
internal static class GridDistance
{
    /// <summary>Steps from each of some voxels to the nearest of others.</summary>
    /// <param name="size">Voxels along x, y and z.</param>
    /// <param name="targets">Indices of the voxels to reach, x fastest; at least one.</param>
    /// <param name="asked">Indices of the voxels to start from.</param>
    /// <param name="diagonal">Steps over edges and corners too (chessboard), otherwise over faces only (taxicab).</param>
    public static float[] Nearest((int X, int Y, int Z) size, int[] targets, int[] asked, bool diagonal)
    {
        var steps = new int[size.X * size.Y * size.Z];
        Array.Fill(steps, int.MaxValue / 2);
        foreach (var target in targets)
            steps[target] = 0;
        var before = (from z in new[] { -1, 0, 1 }
                      from y in new[] { -1, 0, 1 }
                      from x in new[] { -1, 0, 1 }
                      where (z, y, x).CompareTo((0, 0, 0)) < 0 && (diagonal || Math.Abs(x) + Math.Abs(y) + Math.Abs(z) == 1)
                      select (X: x, Y: y, Z: z)).ToArray();
        for (var i = 0; i < steps.Length; i++)
            Relax(steps, size, i, before, 1);
        for (var i = steps.Length - 1; i >= 0; i--)
            Relax(steps, size, i, before, -1);
        return Array.ConvertAll(asked, i => (float)steps[i]);
    }

    private static void Relax(int[] steps, (int X, int Y, int Z) size, int at, (int X, int Y, int Z)[] neighbours, int direction)
    {
        var (x, y, z) = (at % size.X, at / size.X % size.Y, at / size.X / size.Y);
        foreach (var n in neighbours)
        {
            var (i, j, k) = (x + direction * n.X, y + direction * n.Y, z + direction * n.Z);
            if ((uint)i < (uint)size.X && (uint)j < (uint)size.Y && (uint)k < (uint)size.Z)
                steps[at] = Math.Min(steps[at], steps[i + size.X * (j + size.Y * k)] + 1);
        }
    }
}
