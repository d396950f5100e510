using System.Text.Json.Nodes;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Evaluation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Evaluation;

/// <summary>Evaluations of whole sets: pairing, values per structure, consistency with masks, and the files of a report.</summary>
public sealed class EvaluatorTests
{
    private const string Definition = """{"_target_": "SegResNet", "init_filters": 8, "out_channels": 3, "blocks_down": [1, 1], "blocks_up": [1]}""";

    [Fact]
    public void Cases_are_paired_by_name()
    {
        CaseFiles.Pair(["/a/s1_pred.nii.gz", "/a/s0_pred.nii.gz"], ["/b/s0_label.nii", "/b/s1_label.nii", "/b/s2_label.nii"])
            .ShouldBe([("s0", "/a/s0_pred.nii.gz", "/b/s0_label.nii"), ("s1", "/a/s1_pred.nii.gz", "/b/s1_label.nii")]);
        Should.Throw<MaisiException>(() => CaseFiles.Pair(["/a/s1.nii", "/a/s3.nii"], ["/b/s1.nii", "/b/s2.nii"])).Message.ShouldContain("'s3'");
        Should.Throw<MaisiException>(() => CaseFiles.Pair(["/a/s1.nii", "/a/s1_pred.nii"], ["/b/s1.nii", "/b/s2.nii"])).Message.ShouldContain("two files");
        using var folder = TestPaths.Temporary();
        File.WriteAllText(folder["d.json"], """{"training": [{"image": "x.nii.gz"}]}""");
        Should.Throw<MaisiException>(() => CaseFiles.Find(folder["d.json"], "image")).Message.ShouldContain("x.nii.gz");
        File.WriteAllText(folder["d.json"], "[");
        Should.Throw<MaisiException>(() => CaseFiles.Find(folder["d.json"], "image")).Message.ShouldContain("cannot be read");
        // A generated run has images and label maps side by side.
        foreach (var name in new[] { "a_image.nii.gz", "a_label.nii.gz" })
            VolumeFile.Write(Volume.Zeros<byte>(new(2, 2, 2, Affine.Identity)), folder[name]);
        CaseFiles.Find(folder.Path, "image").ShouldBe([folder["a_image.nii.gz"]]);
        CaseFiles.Find(folder.Path, "label").ShouldBe([folder["a_label.nii.gz"]]);
    }

    [Fact]
    public void A_report_says_the_same_in_every_form()
    {
        using var folder = TestPaths.Temporary();
        var grid = new VolumeGrid(8, 8, 8, Affine.Identity);
        Volume Map(params int[] ones)
        {
            var map = Volume.Zeros<byte>(grid);
            foreach (var at in ones)
                map.Voxels<byte>()[at] = 1;
            return map;
        }
        VolumeFile.Write(Map(0, 1), folder["p_a.nii.gz"]);
        VolumeFile.Write(Map(0, 1, 2), folder["t_a.nii.gz"]);
        VolumeFile.Write(Map(5), folder["p_b.nii.gz"]);
        VolumeFile.Write(Map(), folder["t_b.nii.gz"]);
        var options = new SegmentationOptions { LesionLabels = [1] };
        var cases = SegmentationEvaluator.Run([("a,1", folder["p_a.nii.gz"], folder["t_a.nii.gz"]), ("b", folder["p_b.nii.gz"], folder["t_b.nii.gz"])], options: options);
        var report = SegmentationReport.Build("segmentation", "A & B", cases, options, l => $"<{l}>", [new("truth", "here")]);
        var files = ReportWriter.Write(report, folder["out"]);
        files.Select(f => Path.GetFileName(f)).ShouldBe(["segmentation.html", "segmentation.json", "segmentation_classes.csv", "segmentation_cases.csv"]);
        var json = JsonNode.Parse(File.ReadAllText(files[1]))!;
        json["tables"]!["classes"]![0]!["dice"]!.GetValue<double>().ShouldBe(0.8, 1e-12);
        json["tables"]!["classes"]![0]!["invented"]!.GetValue<int>().ShouldBe(1);
        json["tables"]!["cases"]![1]!["dice"].ShouldBeNull();
        json["tables"]!["cases"]![1]!["average_surface_distance"]!.GetValue<string>().ShouldBe("inf");
        var csv = File.ReadAllLines(files[3]);
        csv[0].ShouldStartWith("case,name,label,truth_ml");
        csv[1].ShouldStartWith("\"a,1\",<1>,1,0.003,0.002,0.8,");
        csv[2].ShouldContain(",,,,inf,0,,");
        var html = File.ReadAllText(files[0]);
        html.ShouldContain("A &amp; B");
        html.ShouldContain("&lt;1&gt;");
        html.ShouldContain("<svg");
        html.ShouldNotContain("http");
    }

    [Fact]
    public void Values_per_structure_tell_sets_apart()
    {
        var grid = new VolumeGrid(10, 10, 1, Affine.Identity);
        Volume Image(short air, short organ) => Volume.Wrap<short>(Enumerable.Range(0, 100).Select(i => i < 60 ? air : organ).ToArray(), grid);
        var labels = Volume.Wrap<byte>(Enumerable.Range(0, 100).Select(i => i < 60 ? (byte)0 : (byte)3).ToArray(), grid);
        ImageSet synthetic = new(-1000, 1000), real = new(-1000, 1000);
        foreach (var (organ, set) in new[] { ((short)50, synthetic), ((short)70, synthetic), ((short)10, real), ((short)30, real) })
            set.Add(Image(-1000, organ), labels);
        synthetic.Structures.ShouldBe([ImageSet.Whole, 3]);
        synthetic.Medians(3).Average().ShouldBe(60, 0.5);
        synthetic.Histogram(3).DistanceTo(real.Histogram(3)).ShouldBe(40, 0.5);
        synthetic.Histogram(ImageSet.Whole).DistanceTo(real.Histogram(ImageSet.Whole)).ShouldBe(16, 0.5);
        synthetic.Histogram(ImageSet.Whole).Quantile(0.5).ShouldBe(-1000, 0.5);
        var row = ImageReport.Build([], synthetic, real, new(), l => $"{l}", []).Tables[0].Rows[1];
        row[12].ShouldBe(2L); // both medians lie outside of the real ones
        ((double)row[10]!).ShouldBe(40 / Math.Sqrt(200), 0.05);
        Should.Throw<MaisiException>(() => real.Add(Image(0, 0), Volume.Zeros<byte>(new(10, 10, 2, Affine.Identity)))).Message.ShouldContain("10×10×2");
    }

    [Fact]
    public void Pairs_of_images_are_scored_and_mismatches_are_named()
    {
        using var folder = TestPaths.Temporary();
        EvaluationPhantoms.Write(folder["a"], [1, 2]);
        EvaluationPhantoms.Write(folder["b"], [1, 2], noise: 100);
        var pairs = CaseFiles.Pair(CaseFiles.Find(folder["a"], "image"), CaseFiles.Find(folder["b"], "image"));
        var scores = ImageEvaluator.Pairs(pairs, []);
        scores.Select(s => s.Name).ShouldBe(["p001", "p002"]);
        scores.ShouldAllBe(s => s.Errors.Psnr > 20 && s.Errors.Psnr < 35 && s.Ssim > 0.3 && s.Ssim < 0.99 && double.IsNaN(s.MultiScaleSsim));
        VolumeFile.Write(EvaluationPhantoms.Patient(2, edge: 20), folder["b/p002.nii.gz"]);
        Should.Throw<MaisiException>(() => ImageEvaluator.Pairs(pairs, [])).Where!.ShouldContain("case 'p002'");
    }

    [Fact]
    public void Consistency_scores_what_the_network_finds()
    {
        using var scope = NewDisposeScope();
        using var folder = TestPaths.Temporary();
        using var network = NetworkFactory.Create<SegResNet>(JsonNode.Parse(Definition)!.AsObject());
        SafetensorsFile.Save(folder["net.safetensors"], network.state_dict());
        File.WriteAllText(folder["net.json"], $$"""{"network_def": {{Definition}}, "weights": "net.safetensors", "labels": [7, 9], "patch_size": [24, 24, 24]}""");
        using var segmentation = SegmentationNetwork.Load(folder["net.json"]);
        var image = EvaluationPhantoms.Patient(1);
        network.eval();
        var classes = network.call(((image.ToTensor().Data + 1000) / 2000).clamp(0, 1).unsqueeze(0))[0].argmax(0).to(ScalarType.Int32).cpu();
        var expected = new VolumeTensor(classes.unsqueeze(0), image.Affine).ToVolume().Remap(new Dictionary<int, int> { [1] = 7, [2] = 9 });
        segmentation.Segment(image).ToArray<int>().ShouldBe(expected.ToArray<int>());
        // In another orientation the same voxels of the patient get the same labels.
        segmentation.Segment(image.Reorient(AxisCodes.Parse("LPS"))).Reorient(AxisCodes.RAS).ToArray<int>().ShouldBe(expected.ToArray<int>());
        VolumeFile.Write(image, folder["a_image.nii.gz"]);
        VolumeFile.Write(expected, folder["a_label.nii.gz"]);
        var scores = ConsistencyEvaluator.Run(segmentation, [("a", folder["a_image.nii.gz"], folder["a_label.nii.gz"])]);
        scores[0].Classes.Select(c => c.Label).ShouldBe([7, 9]);
        scores[0].Classes.Where(c => c.TruthVoxels > 0).ShouldAllBe(c => c.Dice == 1);
        Should.Throw<MaisiException>(() => ConsistencyEvaluator.Run(segmentation, [], [8])).Message.ShouldContain("does not find label 8");
        File.WriteAllText(folder["bad.json"], $$"""{"network_def": {{Definition}}, "weights": "net.safetensors", "labels": [7]}""");
        Should.Throw<MaisiException>(() => SegmentationNetwork.Load(folder["bad.json"])).Message.ShouldContain("3 outputs, but 1 labels");
        File.WriteAllText(folder["bad.json"], """{"labels": [7]}""");
        Should.Throw<MaisiException>(() => SegmentationNetwork.Load(folder["bad.json"])).Where.ShouldBe(folder["bad.json"]);
    }

    [Fact]
    public void Segmentation_networks_and_squeezenet_give_features()
    {
        using var scope = NewDisposeScope();
        using var folder = TestPaths.Temporary();
        using var network = NetworkFactory.Create<SegResNet>(JsonNode.Parse(Definition)!.AsObject());
        SafetensorsFile.Save(folder["net.safetensors"], network.state_dict());
        File.WriteAllText(folder["net.json"], Definition);
        using var volumes = FeatureNetworks.Segmentation(folder["net.json"], folder["net.safetensors"]);
        volumes.Name.ShouldContain("SegResNet");
        var image = new FidPreprocessing().Prepare(EvaluationPhantoms.Patient(1));
        volumes.Extract(image, new())[SlicePlane.Yz].shape.ShouldBe([12, 16]);
        foreach (var withClassifier in new[] { true, false })
        {
            using var squeeze = new SqueezeNet(withClassifier);
            SafetensorsFile.Save(folder["squeeze.safetensors"], squeeze.state_dict());
            // torchvision has one convolution and eight blocks of three in "features".
            var keys = squeeze.state_dict().Keys.ToArray();
            keys.Length.ShouldBe(withClassifier ? 52 : 50);
            keys.ShouldAllBe(k => k.StartsWith("features.") || k.StartsWith("classifier.1."));
            using var slices = FeatureNetworks.SqueezeNet(folder["squeeze.safetensors"]);
            slices.Name.Contains("1000").ShouldBe(withClassifier);
            slices.Extract(image, new())[SlicePlane.Zx].shape.ShouldBe([24, withClassifier ? 1000 : 512]);
        }
        using var script = FeatureNetworks.TorchScript(TestPaths.Fixture("networks", "slice_means.pt"));
        var means = script.Extract(image, new())[SlicePlane.Xy]; // x.mean over the slice, twice it, and minus one
        means.shape.ShouldBe([24, 2]);
        ((means[5][0] * 2 - 1) - means[5][1]).abs().item<float>().ShouldBeLessThan(1e-5f);
        Should.Throw<MaisiException>(() => FeatureNetworks.TorchScript(folder["squeeze.safetensors"])).Message.ShouldContain("no TorchScript");
        Should.Throw<CheckpointException>(() => FeatureNetworks.RadImageNet(folder["squeeze.safetensors"]));
    }
}
