using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Volumes;

/// <summary>Morphology, connected components and MAISI's mask tools (golden/util_morphology, util_components, ...).</summary>
public sealed class MorphologyTests
{
    private static readonly VolumeGrid _phantom = new(40, 36, 32, Affine.Identity);

    [Theory]
    [InlineData("rand")]
    [InlineData("block")]
    public void Boxes_equal_MAISI(string name)
    {
        var golden = new GoldenArrays("util_morphology");
        var grid = new VolumeGrid(9, 10, 11, Affine.Identity);
        var mask = BinaryMask.Of(Volume.FromArray<byte>(golden.Bytes($"in/{name}"), grid), 1);
        void Same(BinaryMask ours, string key) => ours.ToVolume(grid).ToArray<byte>().ShouldBe(golden.Bytes($"out/{name}/{key}"), key);
        foreach (var k in new[] { 3, 5 })
        {
            Same(mask.Erode(k, outside: true), $"erode3d_{k}");
            Same(mask.Dilate(k, outside: true), $"dilate3d_{k}");
            foreach (var outside in new[] { false, true })
            {
                Same(mask.Erode(k, outside), $"erode_one_img_{k}_pad{(outside ? 1 : 0)}");
                Same(mask.Dilate(k, outside), $"dilate_one_img_{k}_pad{(outside ? 1 : 0)}");
            }
        }
        Same(mask.FillByClosing(), "organ_fill_by_closing");
        void SameShape(BinaryMask ours, string key)
        {
            int[] shape = [ours.SizeX, ours.SizeY, ours.SizeZ];
            shape.ShouldBe(golden.Shape($"out/{name}/{key}"));
            ours.ToVolume(new(shape[0], shape[1], shape[2], Affine.Identity)).ToArray<byte>().ShouldBe(golden.Bytes($"out/{name}/{key}"), key);
        }
        SameShape(mask.Erode3d(3, 1, 1), "erode3d_311");
        SameShape(mask.Dilate3d(1, 3, 5), "dilate3d_135");
    }

    [Fact]
    public void Small_pieces_are_removed_as_in_MAISI()
    {
        var golden = new GoldenArrays("util_components");
        var phantom = Volume.FromArray<byte>(golden.Bytes("in/phantom"), _phantom);
        foreach (var item in golden.Info.GetProperty("cases").EnumerateArray())
        {
            int[] targets = [.. item.GetProperty("target_label").EnumerateArray().Select(v => v.GetInt32())];
            var kept = ConnectedComponents.KeepLargest(phantom, targets, item.GetProperty("default_val").GetInt32());
            kept.ToArray<byte>().ShouldBe(golden.Bytes(item.GetProperty("out").GetString()!));
        }
        ConnectedComponents.KeepLargest(Volume.FromArray<byte>(golden.Bytes("in/extra0"), new(6, 6, 6, Affine.Identity)), [1], 9).ToArray<byte>().ShouldBe(golden.Bytes("out/extra0"));
        ConnectedComponents.KeepLargest(Volume.FromArray<byte>(golden.Bytes("in/extra1"), new(4, 4, 4, Affine.Identity)), [1], 9).ToArray<byte>().ShouldBe(golden.Bytes("out/extra1"));
        var removed = BinaryMask.Of(Volume.FromArray<byte>(golden.Bytes("in/remove_mask"), _phantom), 1);
        var near = BinaryMask.Of(phantom, 1).Dilate(7, outside: false).And(removed);
        near.ToVolume(_phantom).ToArray<byte>().ShouldBe(golden.Bytes("out/organ_fill_by_removed_mask_1"));
    }

    [Fact]
    public void Components_equal_a_flood_fill()
    {
        var random = new Random(5);
        foreach (var connectivity in Enum.GetValues<Connectivity>())
            for (var repeat = 0; repeat < 12; repeat++)
            {
                var grid = new VolumeGrid(random.Next(1, 14), random.Next(1, 14), random.Next(1, 14), Affine.Identity);
                var labels = Volume.Zeros<int>(grid);
                foreach (ref var v in labels.Voxels<int>())
                    v = Math.Max(0, random.Next(-1 - repeat % 3, 3));
                var ours = ConnectedComponents.Find(labels, connectivity);
                var (expected, sizes) = FloodFill(labels, (int)connectivity);
                ours.Ids.ShouldBe(expected);
                ours.Components.Select(c => c.Size).ShouldBe(sizes);
            }
    }

    [Fact]
    public void Distances_equal_the_nearest_voxel_outside()
    {
        var random = new Random(6);
        var grid = new VolumeGrid(9, 7, 8, Affine.Identity);
        double[] spacing = [0.7, 1.3, 2.5];
        var labels = Volume.Zeros<int>(grid);
        foreach (ref var v in labels.Voxels<int>())
            v = random.Next(12) > 0 ? 1 : 0;
        var mask = BinaryMask.Of(labels, 1);
        var distances = DistanceTransform.Euclidean(mask, spacing);
        var zeros = Enumerable.Range(0, distances.Length).Where(i => !mask[i]).Select(i => (X: i % 9, Y: i / 9 % 7, Z: i / 63)).ToArray();
        for (var i = 0; i < distances.Length; i++)
        {
            var (x, y, z) = (i % 9, i / 9 % 7, i / 63);
            var nearest = zeros.Min(o => Math.Sqrt(Math.Pow((o.X - x) * 0.7, 2) + Math.Pow((o.Y - y) * 1.3, 2) + Math.Pow((o.Z - z) * 2.5, 2)));
            ((double)distances[i]).ShouldBe(nearest, 1e-5);
        }
        DistanceTransform.Euclidean(BinaryMask.Empty(2, 2, 2).Not(), [1, 1, 1]).ShouldAllBe(d => float.IsPositiveInfinity(d));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(23)]
    [InlineData(24)]
    [InlineData(26)]
    [InlineData(27)]
    [InlineData(128)]
    public void Post_processing_equals_MAISI(int? tumour)
    {
        var golden = new GoldenArrays("util_mask_post_process");
        var key = tumour?.ToString() ?? "None";
        var result = Volume.FromArray<byte>(golden.Bytes($"in/{key}"), _phantom).PostProcess(tumour);
        result.ToArray<byte>().ShouldBe(golden.Bytes($"out/{key}"));
    }

    [Theory]
    [InlineData("23", 40, 36, 32)]
    [InlineData("isolated", 6, 6, 6)]
    public void Tumours_are_removed_as_in_MAISI(string key, int x, int y, int z)
    {
        var golden = new GoldenArrays("util_remove_tumors");
        Volume.FromArray<int>(golden.Ints($"in/{key}"), new(x, y, z, Affine.Identity)).RemoveTumours().ToArray<int>().ShouldBe(golden.Ints($"out/{key}"));
    }

    [Fact]
    public void Body_envelope_equals_MAISI()
    {
        var golden = new GoldenArrays("util_body_envelope");
        var (mask, ct) = (Volume.FromArray<byte>(golden.Bytes("in/seg"), _phantom), Volume.FromArray<float>(golden.Floats("in/ct"), _phantom));
        mask.AddBody(ct).ToArray<byte>().ShouldBe(golden.Bytes("out/default"));
        mask.AddBody(ct, new() { HasLungs = false, TableBox = 3, TableFraction = 0.01 }).ToArray<byte>().ShouldBe(golden.Bytes("out/no_lung_k3"));
        Should.Throw<MaisiException>(() => mask.AddBody(Volume.Zeros<float>(new(2, 2, 2, Affine.Identity)))).Message.ShouldContain("2×2×2");
    }

    // Numbers pieces in C order, as SciPy does.
    private static (int[] Ids, List<int> Sizes) FloodFill(Volume labels, int steps)
    {
        var (nx, ny, nz) = (labels.SizeX, labels.SizeY, labels.SizeZ);
        var (ids, sizes) = (new int[labels.Count], new List<int>());
        int Index(int x, int y, int z) => x + nx * (y + ny * z);
        for (var x = 0; x < nx; x++)
            for (var y = 0; y < ny; y++)
                for (var z = 0; z < nz; z++)
                {
                    var label = labels.Voxels<int>()[Index(x, y, z)];
                    if (label == 0 || ids[Index(x, y, z)] != 0)
                        continue;
                    sizes.Add(0);
                    var queue = new Stack<(int X, int Y, int Z)>([(x, y, z)]);
                    ids[Index(x, y, z)] = sizes.Count;
                    while (queue.TryPop(out var at))
                    {
                        sizes[^1]++;
                        for (var n = 0; n < 27; n++)
                        {
                            var (dx, dy, dz) = (n % 3 - 1, n / 3 % 3 - 1, n / 9 - 1);
                            var (i, j, k) = (at.X + dx, at.Y + dy, at.Z + dz);
                            if (dx * dx + dy * dy + dz * dz > steps || (uint)i >= (uint)nx || (uint)j >= (uint)ny || (uint)k >= (uint)nz)
                                continue;
                            if (ids[Index(i, j, k)] != 0 || labels.Voxels<int>()[Index(i, j, k)] != label)
                                continue;
                            ids[Index(i, j, k)] = sizes.Count;
                            queue.Push((i, j, k));
                        }
                    }
                }
        return (ids, sizes);
    }
}
