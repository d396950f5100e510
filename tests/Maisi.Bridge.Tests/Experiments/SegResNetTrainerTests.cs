using System.Text.Json.Nodes;
using Maisi.Bridge.Evaluation;
using Maisi.Bridge.Experiments;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Training;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Experiments;

public class SegResNetTrainerTests
{
    private static readonly ExperimentClass[] _classes = [new() { Name = "left box", Labels = [1] }, new() { Name = "right box", Labels = [2] }];
    private static readonly SegResNetOptions _options = new()
    {
        Spacing = [2, 2, 2], Intensity = [-200, 400], PatchSize = [16, 16, 16], InitFilters = 8, BlocksDown = [1, 1], DeepSupervision = 1, Lr = 5e-3,
    };

    [Fact]
    public void The_loss_is_that_of_MONAI()
    {
        using var scope = NewDisposeScope();
        var golden = JsonNode.Parse(File.ReadAllText(TestPaths.Fixture("experiments", "dice_ce.json")))!;
        float[] Values(string key) => [.. golden[key]!.AsArray().Select(v => v!.GetValue<float>())];
        var fine = tensor(Values("fine"), [2, 3, 4, 4, 4]).requires_grad_(true);
        var coarse = tensor(Values("coarse"), [2, 3, 2, 2, 2]);
        var classes = tensor(golden["classes"]!.AsArray().Select(v => v!.GetValue<long>()).ToArray(), [2, 4, 4, 4]);
        DiceCrossEntropy.Loss(fine, classes).ToDouble().ShouldBe(golden["loss"]!.GetValue<double>(), 1e-6);
        var loss = DiceCrossEntropy.Supervised([fine, coarse], classes);
        loss.ToDouble().ShouldBe(golden["supervised"]!.GetValue<double>(), 1e-6);
        loss.backward();
        var gradient = fine.grad!.data<float>().ToArray();
        var expected = Values("gradient");
        for (var i = 0; i < expected.Length; i++)
            gradient[i].ShouldBe(expected[i], 1e-7f);
    }

    [Fact]
    public void A_trained_network_finds_the_boxes_of_a_case_that_it_has_not_seen()
    {
        using var data = new ExperimentData(0, 0, 0);
        var cases = Enumerable.Range(0, 5).Select(i => Case(data, i)).ToList();
        var fold = new SegResNetFold(_options, new SegResNetTask(60, 1, 2, 1, SegmentationAugmentation.Light, "cpu"), _classes);
        fold.Train(cases[..3], cases[3..4], data["model.safetensors"], data["state"], null, default);
        var (predictor, networks) = fold.Predictor([data["model.safetensors"]]);
        using (networks)
        {
            VolumeFile.Write(predictor.OnImageGrid(cases[4], default), data["found.nii.gz"]);
            var score = CaseScoring.Score(
                new ExperimentCase { CaseId = "c4", PatientId = "c4", Image = data["c4_ct.nii.gz"], Label = data["c4_label.nii.gz"], Where = "" }, data["found.nii.gz"], "found.nii.gz", _classes);
            score.Dice["left box"].ShouldBeGreaterThan(0.8);
            score.Dice["right box"].ShouldBeGreaterThan(0.8);
        }
        // Described in a file the network serves 'maisi evaluate consistency', with the labels of the maps.
        _options.Described("model.safetensors", _classes).Save(data["network.json"]);
        using var network = SegmentationNetwork.Load(data["network.json"]);
        var truth = VolumeFile.Read(data["c4_label.nii.gz"]).ToArray<int>();
        var labels = network.Segment(VolumeFile.Read(data["c4_ct.nii.gz"])).ToArray<int>();
        foreach (var label in _classes.Select(c => c.Labels[0]))
            (2.0 * truth.Zip(labels).Count(p => p.First == label && p.Second == label) / (truth.Count(t => t == label) + labels.Count(l => l == label))).ShouldBeGreaterThan(0.7);
    }

    [Theory]
    [InlineData(SegmentationAugmentation.None)]
    [InlineData(SegmentationAugmentation.Light)]
    [InlineData(SegmentationAugmentation.Classical)]
    public void Patches_repeat_and_their_labels_lie_on_their_boxes(SegmentationAugmentation augmentation)
    {
        using var data = new ExperimentData(0, 0, 0);
        var item = Case(data, 3);
        var sampler = new PatchSampler([item], _options, ClassMap.Mirror(_classes), augmentation);
        var (image, classes) = Draw(sampler, 11);
        var (again, same) = Draw(sampler, 11);
        again.ShouldBe(image);
        same.ShouldBe(classes);
        // Boxes of 60 and 250 HU in air of -100: seen from any side, a labelled voxel is brighter than one that is not.
        double Mean(long code) => image.Where((_, i) => classes[i] == code).DefaultIfEmpty(float.NaN).Average(v => (double)v);
        var seen = 0;
        foreach (var seed in Enumerable.Range(0, 12))
        {
            (image, classes) = Draw(sampler, (ulong)seed);
            if (!classes.Contains(1) || !classes.Contains(2) || !classes.Contains(0))
                continue;
            seen++;
            // A mirrored patch has left and right exchanged: the left box is then the bright one, since it was the right box.
            Math.Min(Mean(1), Mean(2)).ShouldBeGreaterThan(Mean(0) + 0.1);
        }
        seen.ShouldBeGreaterThan(3);
        ClassMap.Mirror(_classes).ShouldBe([(byte)0, (byte)2, (byte)1]);

        static (float[], long[]) Draw(PatchSampler sampler, ulong seed)
        {
            var (image, classes) = (new float[16 * 16 * 16], new long[16 * 16 * 16]);
            sampler.Draw(new TrainingRandom(seed), image, classes);
            return (image, classes);
        }
    }

    [Fact]
    public void A_stopped_training_ends_with_the_same_weights()
    {
        using var data = new ExperimentData(0, 0, 0);
        var cases = Enumerable.Range(0, 3).Select(i => Case(data, i)).ToList();
        var fold = new SegResNetFold(_options, new SegResNetTask(6, 1, 3, 9, SegmentationAugmentation.Classical, "cpu"), _classes);
        fold.Train(cases[..2], cases[2..], data["whole.safetensors"], data["a"], null, default);
        using var stop = new CancellationTokenSource();
        Should.Throw<OperationCanceledException>(() => fold.Train(cases[..2], cases[2..], data["parts.safetensors"], data["b"], new StopAt(3, stop), stop.Token));
        File.Exists(data["parts.safetensors"]).ShouldBeFalse();
        fold.Train(cases[..2], cases[2..], data["parts.safetensors"], data["b"], null, default);
        File.ReadAllBytes(data["parts.safetensors"]).ShouldBe(File.ReadAllBytes(data["whole.safetensors"]));
    }

    private static PreparedCase Case(ExperimentData data, int seed)
    {
        data.Case($"c{seed}", seed);
        return PreparedCase.Read($"c{seed}", data[$"c{seed}_ct.nii.gz"], data[$"c{seed}_label.nii.gz"], _classes, _options);
    }

    private sealed class StopAt(int step, CancellationTokenSource stop) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value)
        {
            if (value.Done == step)
                stop.Cancel();
        }
    }
}
