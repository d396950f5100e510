using System.Globalization;
using Maisi.Bridge.Reports;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Experiments;

/// <summary>
/// The cases with the best and the worst difference of the arm that an experiment is about, each with its truth and the predictions of all
/// arms, on the same planes.
/// </summary>
internal static class CasePictures
{
    private const int PanelSize = 168;
    private const double MarginMillimetres = 30;

    /// <summary>Adds them to a page; nothing for an arm alone.</summary>
    /// <exception cref="MaisiException">A file is gone or broken.</exception>
    public static void Add(HtmlPage page, ExperimentResults results, ExperimentPlan plan, ExperimentFolder folder)
    {
        if (results.Config.Arms.Length < 2)
            return;
        var focus = results.Config.Arms.Skip(1).Contains(ArmKind.RealSynthetic) ? ArmKind.RealSynthetic : results.Config.Arms[^1];
        // Differences are means over the seeds; the pictures are of the first.
        double Of(ArmKind arm, string id) => results.Tests.Where(t => t.Arm == arm).Average(t => Mean(t.Cases.Single(c => c.CaseId == id)));
        var order = plan.Test.Select(id => (Id: id, Difference: Of(focus, id) - Of(results.Config.Arms[0], id)))
            .Where(c => double.IsFinite(c.Difference)).OrderByDescending(c => c.Difference).ToList();
        if (order.Count == 0)
            return;
        page.Heading("Cases");
        foreach (var ((id, difference), what) in new[] { (order[0], "best"), (order[^1], "worst") })
        {
            var item = plan.Cases.Single(c => c.CaseId == id);
            var (image, truth) = (VolumeFile.Read(item.Image), ClassMap.Read(item.Label, results.Config.Classes));
            var (view, center) = Around(truth, image.Grid);
            page.Heading(string.Create(CultureInfo.InvariantCulture, $"{id}: {what} difference of {ArmNames.Title(focus)}, {difference:+0.000;-0.000;0.000}"), 3);
            page.Picture(Sheet(image, truth, view, center, results.Config), "truth");
            foreach (var test in results.Config.Arms.Select(arm => results.Tests.First(t => t.Arm == arm)))
            {
                var score = test.Cases.Single(c => c.CaseId == id);
                var seed = results.Config.Seeds.Length > 1 ? $", seed {test.Seed}" : "";
                page.Picture(
                    Sheet(image, VolumeFile.Read(Path.Combine(folder.Root, score.Prediction!)), view, center, results.Config),
                    string.Create(CultureInfo.InvariantCulture, $"{ArmNames.Title(test.Arm)}{seed}: mean Dice {Mean(score):F3}"));
            }
        }
    }

    private static double Mean(CaseScore score) => score.Dice.Values.DefaultIfEmpty(double.NaN).Average();

    // The box of the truth and what is near it: a picture of the whole scan would show little of it. The planes go through the mean of the
    // classes' centres, or a long spinal cord would draw them away from all else.
    private static (VolumeGrid View, (double X, double Y, double Z) Center) Around(Volume truth, VolumeGrid grid)
    {
        var classes = truth.Voxels<byte>();
        int[] first = [grid.SizeX, grid.SizeY, grid.SizeZ], last = [-1, -1, -1];
        var sums = new SortedDictionary<byte, (long Count, long X, long Y, long Z)>();
        for (var i = 0; i < classes.Length; i++)
        {
            if (classes[i] == 0)
                continue;
            int[] at = [i % grid.SizeX, i / grid.SizeX % grid.SizeY, i / grid.SizeX / grid.SizeY];
            for (var axis = 0; axis < 3; axis++)
                (first[axis], last[axis]) = (Math.Min(first[axis], at[axis]), Math.Max(last[axis], at[axis]));
            var sum = sums.GetValueOrDefault(classes[i]);
            sums[classes[i]] = (sum.Count + 1, sum.X + at[0], sum.Y + at[1], sum.Z + at[2]);
        }
        if (sums.Count == 0)
            return (grid, grid.Affine.Apply((grid.SizeX - 1) / 2.0, (grid.SizeY - 1) / 2.0, (grid.SizeZ - 1) / 2.0));
        var centers = sums.Values.Select(s => (X: s.X / (double)s.Count, Y: s.Y / (double)s.Count, Z: s.Z / (double)s.Count)).ToList();
        var center = grid.Affine.Apply(centers.Average(c => c.X), centers.Average(c => c.Y), centers.Average(c => c.Z));
        for (var axis = 0; axis < 3; axis++)
        {
            var margin = (int)Math.Ceiling(MarginMillimetres / grid.Affine.Spacing[axis]);
            (first[axis], last[axis]) = (Math.Max(0, first[axis] - margin), Math.Min(grid.Size(axis) - 1, last[axis] + margin));
        }
        return (grid.Box(first[0], first[1], first[2], last[0] - first[0] + 1, last[1] - first[1] + 1, last[2] - first[2] + 1), center);
    }

    private static Raster Sheet(Volume image, Volume classes, VolumeGrid view, (double X, double Y, double Z) center, ExperimentConfig config) =>
        PreviewSheet.Draw(image.Resample(view, Interpolation.Nearest), new PreviewOptions
        {
            Labels = classes.WithAffine(image.Affine).Resample(view, Interpolation.Nearest),
            Center = center,
            PanelSize = PanelSize,
            Window = new IntensityWindow((float)config.Segresnet.Intensity[0], (float)config.Segresnet.Intensity[1]),
            Naming = code => (code <= config.Classes.Length ? config.Classes[code - 1].Name : $"{code}", LabelColors.For(code)),
        });
}
