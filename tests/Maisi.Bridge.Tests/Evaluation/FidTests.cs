using Maisi.Bridge.Evaluation;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Evaluation;

/// <summary>FID 2.5D against MONAI and NV-Generate (golden/metrics_fid, metrics_fid25d), and how it behaves on sets of images.</summary>
public sealed class FidTests
{
    [Fact]
    public void Frechet_and_kernel_distances_equal_MONAI()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden("metrics_fid");
        foreach (var item in golden.Info["cases"]!.AsArray())
        {
            var name = item!["name"]!.GetValue<string>();
            var ours = Distance(golden[$"in/{name}/synth"], golden[$"in/{name}/real"]);
            if (name == "one_d")
                ours.ShouldBe(OneDimension(golden["in/one_d/synth"], golden["in/one_d/real"]), 1e-12); // MONAI refuses a single feature
            else
                ours.ShouldBe(item["fid(synth,real)"]!.GetValue<double>(), 1e-6, name); // "few" is singular, where SciPy's square root has half the digits
        }
        Distance(golden["in/same"], golden["in/same"]).ShouldBe(golden.Info["fid_same"]!.GetValue<double>(), 1e-12);
        KernelDistance.Linear(golden["in/well/synth"].narrow(0, 0, 50), golden["in/well/real"]).ShouldBe(golden.Info["mmd_well"]!.GetValue<double>(), 1e-6);
    }

    [Theory]
    [InlineData("all", null, 1)]
    [InlineData("center0.4", 0.4, 1)]
    [InlineData("every2", 1.0, 2)]
    public void Features_of_the_planes_equal_upstream(string name, double? centre, int every)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden("metrics_fid25d");
        var convolution = nn.Conv2d(3, 6, 3, 2, 1);
        using (no_grad())
        {
            convolution.weight.copy_(golden["w/0.weight"]);
            convolution.bias!.copy_(golden["w/0.bias"]);
        }
        using var network = new SliceNetwork("fixture", "fixture", nn.Sequential(convolution, nn.ReLU()));
        var rows = network.Extract(golden["in/image"][0][0], new SliceChoice(centre, every));
        foreach (var (plane, tensor) in rows)
            tensor.ShouldMatch(golden[$"out/{name}/{plane.ToString().ToLowerInvariant()}"], "metrics_fid25d", $"{name} {plane}", 1e-5);
    }

    [Fact]
    public void Statistics_in_parts_equal_those_of_all_rows()
    {
        using var scope = NewDisposeScope();
        var rows = randn([97L, 6], ScalarType.Float32) * 3 + 1000;
        using FeatureStatistics parts = new(), whole = new();
        for (var from = 0; from < 97; from += 10)
            parts.Add(rows.narrow(0, from, Math.Min(10, 97 - from)));
        whole.Add(rows);
        parts.Count.ShouldBe(97);
        (parts.Mean - whole.Mean).abs().max().item<double>().ShouldBeLessThan(1e-9);
        (parts.Covariance() - whole.Covariance()).abs().max().item<double>().ShouldBeLessThan(1e-8);
    }

    [Fact]
    public void A_set_has_no_distance_to_itself_and_noise_raises_it_steadily()
    {
        using var folder = TestPaths.Temporary();
        using var network = new SliceNetwork("small", "1", EvaluationPhantoms.SmallNetwork());
        var real = EvaluationPhantoms.Write(folder["real"], Enumerable.Range(0, 6));
        var evaluator = new FidEvaluator(network, new() { Resamples = 40, Cache = folder["cache"] });
        var itself = evaluator.Run(real, real);
        itself.Planes.ShouldAllBe(p => Math.Abs(p.Fid.Value) < 1e-6 && Math.Abs(p.Kid) <= 3 * p.KidDeviation && p.Manifold.Precision == 1 && p.Manifold.Coverage == 1);
        (itself.Computed, itself.Features, itself.RealVolumes).ShouldBe((6, 12, 6)); // the second set was cached by content
        var last = itself.Mean.Value;
        foreach (var noise in new[] { 20.0, 60, 150, 400 })
        {
            var noisy = evaluator.Run(real, EvaluationPhantoms.Write(folder[$"n{noise}"], Enumerable.Range(0, 6), noise));
            noisy.Mean.Value.ShouldBeGreaterThan(last * 1.5 + 1e-6, $"noise {noise}");
            noisy.Mean.Low.ShouldBeLessThanOrEqualTo(noisy.Mean.Value);
            noisy.Mean.High.ShouldBeGreaterThan(noisy.Mean.Value);
            last = noisy.Mean.Value;
        }
    }

    [Fact]
    public void Distances_between_sets_equal_those_of_all_their_rows()
    {
        using var scope = NewDisposeScope();
        using var folder = TestPaths.Temporary();
        using var network = new SliceNetwork("small", "1", EvaluationPhantoms.SmallNetwork());
        var (a, b) = (EvaluationPhantoms.Write(folder["a"], [1, 2, 3]), EvaluationPhantoms.Write(folder["b"], [4, 5, 6, 7]));
        var result = new FidEvaluator(network, new() { Resamples = 0 }).Run(a, b);
        foreach (var plane in result.Planes)
        {
            Tensor Rows(string[] files) => cat([.. files.Select(f => network.Rows(new FidPreprocessing().Load(f), plane.Plane, new()))], 0);
            plane.Fid.Value.ShouldBe(Distance(Rows(b), Rows(a)), 1e-9);
            (plane.RealSlices, plane.SyntheticSlices).ShouldBe((3L * EvaluationPhantoms.Edge, 4L * EvaluationPhantoms.Edge));
            double.IsNaN(plane.Fid.Low).ShouldBeTrue();
        }
        result.Mean.Value.ShouldBe(result.Planes.Average(p => p.Fid.Value), 1e-12);
    }

    [Fact]
    public void Features_are_cached_by_content_and_damaged_ones_are_made_again()
    {
        using var folder = TestPaths.Temporary();
        using var network = new SliceNetwork("small", "1", EvaluationPhantoms.SmallNetwork());
        var files = EvaluationPhantoms.Write(folder["real"], [1, 2, 3]);
        FidResult Run(FeatureNetwork with) => new FidEvaluator(with, new() { Resamples = 0, Cache = folder["cache"] }).Run(files[..2], files[1..]);
        var first = Run(network);
        first.Computed.ShouldBe(3);
        Run(network).Computed.ShouldBe(0);
        File.WriteAllText(Directory.GetFiles(folder["cache"])[0], "damaged");
        var again = Run(network);
        (again.Computed, again.Mean.Value).ShouldBe((1, first.Mean.Value));
        VolumeFile.Write(EvaluationPhantoms.Patient(9), files[0]);
        Run(network).Computed.ShouldBe(1);
        using var other = new SliceNetwork("small", "2", EvaluationPhantoms.SmallNetwork());
        Run(other).Computed.ShouldBe(3);
    }

    [Fact]
    public void Manifold_scores_equal_their_definition()
    {
        using var scope = NewDisposeScope();
        var random = new Random(5);
        double[][] Points(int n, double shift) => [.. Enumerable.Range(0, n).Select(_ => new[] { random.NextDouble() + shift, random.NextDouble() })];
        var (real, synthetic) = (Points(30, 0), Points(25, 0.3));
        static double Length(double[] a, double[] b) => Math.Sqrt(Math.Pow(a[0] - b[0], 2) + Math.Pow(a[1] - b[1], 2));
        static double[] Radii(double[][] set) => [.. set.Select((p, i) => set.Where((_, j) => j != i).Select(q => Length(p, q)).Order().ElementAt(2))];
        var (r, s) = (Radii(real), Radii(synthetic));
        var scores = ManifoldScores.Compute(Rows(real), Rows(synthetic), 3);
        scores.Precision.ShouldBe(synthetic.Average(x => real.Where((p, i) => Length(p, x) <= r[i]).Any() ? 1.0 : 0), 1e-9);
        scores.Recall.ShouldBe(real.Average(x => synthetic.Where((p, i) => Length(p, x) <= s[i]).Any() ? 1.0 : 0), 1e-9);
        scores.Density.ShouldBe(synthetic.Sum(x => real.Where((p, i) => Length(p, x) <= r[i]).Count()) / (3.0 * synthetic.Length), 1e-9);
        scores.Coverage.ShouldBe(real.Select((p, i) => synthetic.Any(x => Length(p, x) <= r[i]) ? 1.0 : 0).Average(), 1e-9);
        double.IsNaN(ManifoldScores.Compute(Rows(real), Rows(synthetic), 3, new int[30], new int[25]).Precision).ShouldBeTrue(); // one volume only
    }

    [Fact]
    public void A_network_of_volumes_gives_a_row_per_layer()
    {
        using var scope = NewDisposeScope();
        using var pool = nn.AdaptiveAvgPool3d([4, 6, 8]);
        using var network = new VolumeNetwork("mean", "1", v => nn.functional.avg_pool3d(v, [2, 2, 2], [2, 2, 2]), 2, pool, block: 8);
        var image = EvaluationPhantoms.Patient(1, edge: 15).ToTensor().Data[0].clamp(-1000, 1000);
        var rows = network.Extract(image, new());
        rows[SlicePlane.Xy].shape.ShouldBe([7, 1]); // 15 voxels are padded to 16, and the layer of padding is left off
        var expected = ((image + 1000) / 2000).narrow(2, 2, 2).narrow(0, 0, 14).narrow(1, 0, 14).mean().item<float>();
        rows[SlicePlane.Xy][1][0].item<float>().ShouldBe(expected, 1e-5f);
    }

    [Fact]
    public void What_cannot_be_measured_is_refused_by_name()
    {
        using var folder = TestPaths.Temporary();
        using var network = new SliceNetwork("small", "1", EvaluationPhantoms.SmallNetwork());
        var files = EvaluationPhantoms.Write(folder["real"], [1, 2]);
        FidResult Run(string[] a, string[] b, FidPreprocessing? p = null) => new FidEvaluator(network, new() { Resamples = 10, Preprocessing = p ?? new() }).Run(a, b);
        Run(files[..1], files[1..]).Notes.ShouldContain(n => n.Contains("No interval"));
        var broken = EvaluationPhantoms.Patient(3);
        broken.Voxels<float>()[17] = float.NaN;
        VolumeFile.Write(broken, folder["nan.nii.gz"]);
        var error = Should.Throw<MaisiException>(() => Run(files, [folder["nan.nii.gz"]]));
        (error.Message.Contains("1 voxels that are no number"), error.Where).ShouldBe((true, folder["nan.nii.gz"]));
        File.WriteAllText(folder["text.nii.gz"], "hello");
        Should.Throw<VolumeFormatException>(() => Run(files, [folder["text.nii.gz"]]));
        Should.Throw<MaisiException>(() => Run(files, files, new() { Size = [4, 0, 4] })).Where.ShouldBe("--size");
        Should.Throw<MaisiException>(() => Run(files, files, new() { Slices = new(1.5) })).Where.ShouldBe("--centre");
        Should.Throw<MaisiException>(() => CaseFiles.Find(Directory.CreateDirectory(folder["empty"]).FullName, "image")).Message.ShouldContain("no image");
    }

    private static Tensor Rows(double[][] points) => tensor([.. points.SelectMany(p => p)], [points.Length, points[0].Length]);

    private static double Distance(Tensor first, Tensor second)
    {
        using FeatureStatistics a = new(), b = new();
        a.Add(first);
        b.Add(second);
        return FrechetDistance.Compute(a, b);
    }

    private static double OneDimension(Tensor a, Tensor b)
    {
        double[] x = [.. a.data<float>().ToArray().Select(v => (double)v)], y = [.. b.data<float>().ToArray().Select(v => (double)v)];
        static double Variance(double[] v) => v.Sum(e => Math.Pow(e - v.Average(), 2)) / (v.Length - 1);
        return Math.Pow(x.Average() - y.Average(), 2) + Math.Pow(Math.Sqrt(Variance(x)) - Math.Sqrt(Variance(y)), 2);
    }
}
