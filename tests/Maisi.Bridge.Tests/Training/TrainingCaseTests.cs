using Maisi.Bridge.Training;

namespace Maisi.Bridge.Tests.Training;

public class TrainingCaseTests
{
    private static readonly Dictionary<string, int> Labels = new() { ["right parotid"] = 3, ["left parotid"] = 4, ["cord"] = 2 };

    [Fact]
    public void A_mirrored_case_swaps_sides_and_paired_labels()
    {
        var item = new TrainingCase("a", [1, 2, 3, 4, 5, 6], [3, 0, 2, 2, 4, 4]);
        var mirrored = item.Mirrored([3, 1, 2], TrainingCase.MirrorPartners(Labels));
        mirrored.Image.ShouldBe([5f, 6, 3, 4, 1, 2]);
        mirrored.Labels.ShouldBe(new byte[] { 3, 3, 2, 2, 4, 0 });
        mirrored.Mirrored([3, 1, 2], TrainingCase.MirrorPartners(Labels)).Labels.ShouldBe(item.Labels);
    }

    [Fact]
    public void The_schedule_warms_up_and_decays()
    {
        LearningRate.WarmupCosine(0, 200).ShouldBe(0.1, 1e-12);
        LearningRate.WarmupCosine(9, 200).ShouldBe(1.0, 1e-12);
        LearningRate.WarmupCosine(105, 200).ShouldBe(0.51, 1e-12);
        LearningRate.WarmupCosine(200, 200).ShouldBe(0.02, 1e-12);
    }

    [Fact]
    public void A_phantom_has_every_organ_and_plausible_hounsfield_units()
    {
        var (labels, hounsfield) = new HeadPhantom(5).Render([48, 48, 48], [4, 4, 4]);
        double Median(byte code)
        {
            var values = hounsfield.Where((_, i) => labels[i] == code).Order().ToArray();
            values.Length.ShouldBeGreaterThan(20, $"label {code}");
            return values[values.Length / 2];
        }
        Median(0).ShouldBe(-1000);
        Median(HeadPhantom.Brainstem).ShouldBe(30, 5);
        Median(HeadPhantom.SpinalCord).ShouldBe(25, 8);
        Median(HeadPhantom.LeftParotid).ShouldBe(-25, 6);
        Median(HeadPhantom.RightParotid).ShouldBe(-25, 6);
        Median(HeadPhantom.Mandible).ShouldBe(950, 60);
        new HeadPhantom(5).Render([48, 48, 48], [4, 4, 4]).Hounsfield.ShouldBe(hounsfield);
        new HeadPhantom(6).Render([48, 48, 48], [4, 4, 4]).Labels.ShouldNotBe(labels);
    }
}
