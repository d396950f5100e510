using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Evaluation;

/// <summary>Surface voxels of a mask.</summary>
internal static class MaskSurface
{
    /// <summary>Indices (x fastest, ascending) of the voxels that share a face with a voxel that is out, or with the border.</summary>
    public static int[] Of(BinaryMask mask)
    {
        var (x, y, z) = (mask.SizeX, mask.SizeY, mask.SizeZ);
        var plane = x * y;
        var voxels = mask.Voxels;
        var surface = new List<int>();
        for (var k = 0; k < z; k++)
            for (var j = 0; j < y; j++)
            {
                var at = k * plane + j * x;
                var row = voxels.Slice(at, x);
                var inside = j > 0 && j < y - 1 && k > 0 && k < z - 1;
                for (var i = row.IndexOf((byte)1); i >= 0 && i < x; i++)
                {
                    if (row[i] == 0)
                    {
                        var next = row[i..].IndexOf((byte)1);
                        if (next < 0)
                            break;
                        i += next;
                    }
                    var v = at + i;
                    if (!inside || i == 0 || i == x - 1 || (voxels[v - 1] & voxels[v + 1] & voxels[v - x] & voxels[v + x] & voxels[v - plane] & voxels[v + plane]) == 0)
                        surface.Add(v);
                }
            }
        return [.. surface];
    }
}
