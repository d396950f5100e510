using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Volumes;

public sealed class MaskAugmentationTests
{
    public static TheoryData<int, int[]> Kinds => new()
    {
        { 128, [34] },
        { 26, [1] },
        { 23, [28, 29, 30, 31, 32] },
        { 24, [4] },
        { 27, [62] },
        { 402, [22] },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_tumour_moves_inside_its_organ_and_keeps_its_size(int tumour, int[] organs)
    {
        var mask = Phantom(tumour, organs[0]);
        var before = BinaryMask.Of(mask, tumour);
        foreach (var parity in new[] { false, true })
        {
            var moved = mask.Augment(seed: 5, parity);
            var after = BinaryMask.Of(moved, tumour);
            ((double)after.Count / before.Count).ShouldBeInRange(0.75, 1.6);
            // Everything else of the mask stays: organ and tumour together are what they were, but for closing at the rim.
            var region = BinaryMask.Of(mask, [tumour, .. organs]).Dilate(5, outside: false);
            after.Without(region).Count.ShouldBe(0);
            mask.Augment(seed: 5, parity).ToArray<int>().ShouldBe(moved.ToArray<int>());
            after.Without(before).Count.ShouldBeGreaterThan(0);
        }
        mask.Augment(seed: 6).ToArray<int>().ShouldNotBe(mask.Augment(seed: 5).ToArray<int>());
    }

    [Fact]
    public void A_mask_without_tumour_is_zoomed_a_little()
    {
        var mask = Phantom(1, 1);
        var zoomed = mask.Augment(seed: 2);
        zoomed.Shape.ShouldBe(mask.Shape);
        zoomed.Affine.ShouldBe(mask.Affine);
        zoomed.CountLabels().Keys.ShouldBe(mask.CountLabels().Keys);
        ((double)BinaryMask.Of(zoomed, 1).Count / BinaryMask.Of(mask, 1).Count).ShouldBeInRange(0.9, 1.1);
    }

    [Fact]
    public void A_lung_tumour_without_lung_is_refused() =>
        Should.Throw<MaisiException>(() => Phantom(23, 200).Augment(seed: 1)).Hint!.ShouldContain("28 to 32");

    // A ball of organ in a body, with a ball of tumour in it.
    private static Volume Phantom(int tumour, int organ)
    {
        var voxels = new int[32 * 32 * 32];
        for (var x = 0; x < 32; x++)
            for (var y = 0; y < 32; y++)
                for (var z = 0; z < 32; z++)
                {
                    double Distance(double cx) => Math.Sqrt((x - cx) * (x - cx) + (y - 15) * (y - 15) + (z - 15) * (z - 15));
                    voxels[(x * 32 + y) * 32 + z] = Distance(13) < 4 ? tumour : Distance(15) < 10.5 ? organ : Distance(15) < 13 ? 200 : 0;
                }
        return Volume.FromArray<int>(voxels, new(32, 32, 32, Affine.Diagonal(1.5, 1.5, 1.5))).Narrow();
    }
}
