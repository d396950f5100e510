using Maisi.Bridge.Training;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Training;

public sealed class CaseVariantTests
{
    private static readonly VolumeGrid Grid = new(16, 12, 8, Affine.Diagonal(3, 3, 4, -20, 5, 100));

    [Fact]
    public void A_view_is_moved_turned_and_scaled_within_its_limits()
    {
        var options = new CaseVariantOptions { Shift = 6, Rotation = 4, Zoom = 0.05 };
        var random = new TrainingRandom(3);
        for (var i = 0; i < 50; i++)
        {
            var view = options.Of(Grid, random);
            (view.SizeX, view.SizeY, view.SizeZ).ShouldBe((16, 12, 8));
            var (before, after) = (Centre(Grid), Centre(view));
            for (var axis = 0; axis < 3; axis++)
                Math.Abs(after[axis] - before[axis]).ShouldBeLessThanOrEqualTo(6);
            // The same change of size along every axis, and three turns of at most 4 degrees: less than 7 in all.
            var zoom = view.Affine.Spacing[0] / 3;
            zoom.ShouldBeInRange(0.95, 1.05);
            view.Affine.Spacing.Zip(Grid.Affine.Spacing).ShouldAllBe(s => Math.Abs((s.First / s.Second) - zoom) < 1e-9);
            var trace = Enumerable.Range(0, 3).Sum(k => view.Affine[k, k] / Grid.Affine[k, k] / zoom);
            (Math.Acos((trace - 1) / 2) * 180 / Math.PI).ShouldBeInRange(0, 7);
        }
    }

    [Fact]
    public void Without_limits_the_view_is_the_case()
    {
        new CaseVariantOptions { Shift = 0, Rotation = 0, Zoom = 0 }.Of(Grid, new TrainingRandom(1)).Affine.MaxDifference(Grid.Affine).ShouldBe(0, 1e-9);
    }

    [Fact]
    public void A_turn_is_about_the_axis_that_it_names()
    {
        // One draw of 0.5 or so a number cannot be forced, so the law is read off: the view's own rotation is Rx·Ry·Rz of the draws.
        var random = new TrainingRandom(11);
        var options = new CaseVariantOptions { Shift = 0, Rotation = 30, Zoom = 0 };
        var draws = Enumerable.Range(0, 7).Select(_ => (2 * random.NextDouble()) - 1).ToArray();
        var view = options.Of(new VolumeGrid(3, 3, 3, Affine.Diagonal(1, 1, 1, -1, -1, -1)), new TrainingRandom(11));
        var (y, z) = (draws[4] * Math.PI / 6, draws[5] * Math.PI / 6);
        view.Affine[0, 0].ShouldBe(Math.Cos(y) * Math.Cos(z), 1e-9);
        view.Affine[0, 1].ShouldBe(-Math.Cos(y) * Math.Sin(z), 1e-9);
        view.Affine[0, 2].ShouldBe(Math.Sin(y), 1e-9);
        view.Affine[1, 2].ShouldBe(-Math.Sin(draws[3] * Math.PI / 6) * Math.Cos(y), 1e-9);
    }

    [Fact]
    public void Cases_and_their_views_are_read_from_files()
    {
        var folder = Directory.CreateTempSubdirectory("maisi-variants-").FullName;
        try
        {
            var config = TrainingConfig.Read(Path.Combine(TestSupport.TestPaths.Root, "configs", "train_phantom.json"));
            int[] size = [24, 24, 24];
            double[] spacing = [8, 8, 8];
            var data = config.Data with { Size = size, Spacing = spacing, Variants = new CaseVariantOptions { Count = 2 } };
            var entries = Enumerable.Range(1, 2).Select(i =>
            {
                var (labels, hounsfield) = new HeadPhantom((ulong)i).Render(size, spacing);
                var grid = new VolumeGrid(24, 24, 24, Affine.Diagonal(8, 8, 8));
                var entry = new DatalistEntry(Path.Combine(folder, $"{i}.nii.gz"), Path.Combine(folder, $"{i}_label.nii.gz"));
                VolumeFile.Write(Volume.FromArray<short>([.. hounsfield.Select(h => (short)h)], grid), entry.Image);
                VolumeFile.Write(Volume.FromArray<byte>(labels, grid), entry.Label);
                return entry;
            }).ToArray();
            var (cases, variants) = TrainingCases.LoadWithVariants(entries, data, 5, null, default);
            cases.Select(c => c.Id).ShouldBe(["1.nii.gz", "2.nii.gz"]);
            variants.Select(c => c.Id).ShouldBe(["1.nii.gz variant 1", "1.nii.gz variant 2", "2.nii.gz variant 1", "2.nii.gz variant 2"]);
            cases[0].Image.ShouldBe(TrainingCases.Load(entries, data, null, default)[0].Image);
            // Another view of the same head: much alike, not the same, and not the other head.
            Correlation(cases[0].Image, variants[0].Image).ShouldBeInRange(0.8, 0.9999);
            variants[1].Image.ShouldNotBe(variants[0].Image);
            variants[0].Labels.Distinct().Order().ShouldBe(cases[0].Labels.Distinct().Order());
            TrainingCases.LoadWithVariants(entries, data, 5, null, default).Variants[3].Image.ShouldBe(variants[3].Image);
            TrainingCases.LoadWithVariants(entries, data, 6, null, default).Variants[3].Image.ShouldNotBe(variants[3].Image);

            var error = Should.Throw<MaisiException>(() => TrainingCases.LoadWithVariants(entries, data with { Variants = new() { Zoom = 2 } }, 5, null, default));
            error.Where.ShouldBe("data.variants.zoom");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double[] Centre(VolumeGrid grid)
    {
        var (x, y, z) = grid.Affine.Apply((grid.SizeX - 1) / 2.0, (grid.SizeY - 1) / 2.0, (grid.SizeZ - 1) / 2.0);
        return [x, y, z];
    }

    private static double Correlation(float[] a, float[] b)
    {
        var (meanA, meanB) = (a.Average(), b.Average());
        double product = 0, squareA = 0, squareB = 0;
        for (var i = 0; i < a.Length; i++)
        {
            product += (a[i] - meanA) * (b[i] - meanB);
            squareA += (a[i] - meanA) * (a[i] - meanA);
            squareB += (b[i] - meanB) * (b[i] - meanB);
        }
        return product / Math.Sqrt(squareA * squareB);
    }
}
