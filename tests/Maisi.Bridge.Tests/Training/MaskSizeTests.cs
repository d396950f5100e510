using Maisi.Bridge.Training;

namespace Maisi.Bridge.Tests.Training;

public class MaskSizeTests
{
    private static readonly DataOptions Data = new()
    {
        Size = [4, 2, 1],
        Spacing = [10, 10, 10],
        AnchorLabels = [3],
        Labels = new() { ["right parotid"] = 3, ["left parotid"] = 4, ["larynx"] = 6, ["body"] = 200 },
    };

    private static readonly TrainingCase[] Cases =
    [
        new("a", new float[8], [3, 3, 3, 0, 4, 0, 0, 6]),
        new("b", new float[8], [3, 0, 0, 0, 4, 4, 0, 6]),
        new("c", new float[8], [3, 3, 0, 0, 4, 4, 4, 0]),
    ];

    [Fact]
    public void Sizes_are_ranks_of_the_named_labels_among_the_cases()
    {
        var sizes = new MaskSizes(["left parotid", "right parotid", "larynx"], Data, Cases);
        sizes.Count.ShouldBe(3);
        // A rank counts those that are smaller and half of the equal ones, itself included.
        sizes.Of(Cases[0]).ShouldBe([0.5f / 3, 2.5f / 3, 0.5f]);
        sizes.Of(Cases[1]).ShouldBe([1.5f / 3, 0.5f / 3, 0.5f]);
        sizes.Of(Cases[2]).ShouldBe([2.5f / 3, 1.5f / 3, -1f]);
        // Seen in a mirror the left one has the right one's volume of 3 ml, as large as the largest left one.
        sizes.Of(Cases[0].Mirrored(Data.Size, TrainingCase.MirrorPartners(Data.Labels)))[0].ShouldBe(2.5f / 3);
    }

    [Fact]
    public void Labels_that_are_not_maisis_have_none_of_its_sizes()
    {
        new MaskSizes(null, Data, Cases).Of(Cases[0]).ShouldBe(Enumerable.Repeat(-1f, 10));
    }

    [Fact]
    public void A_name_that_is_no_label_is_refused()
    {
        var error = Should.Throw<MaisiException>(() => new MaskSizes(["thyroid"], Data, Cases));
        error.Message.ShouldContain("'thyroid'");
        error.Hint!.ShouldContain("left parotid");
    }
}
