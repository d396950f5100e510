using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Volumes;

public sealed class LabelTests
{
    private static readonly GoldenArrays _golden = new("util_labels");

    [Fact]
    public void Bit_planes_equal_MAISI()
    {
        var labels = Volume.FromArray<int>(_golden.Ints("in/label"), new(4, 8, 8, Affine.Identity));
        labels.ToBitPlanes().ShouldBe(_golden.Floats("out/binarize"));
        var big = Volume.FromArray<int>([255, 256, 401, 500], new(4, 1, 1, Affine.Identity)).ToBitPlanes();
        var expected = _golden.Info.GetProperty("binarize_of_255_256_401_500").EnumerateArray().Select(r => r.EnumerateArray().Select(v => v.GetSingle()).ToArray()).ToArray();
        for (var i = 0; i < 4; i++)
            Enumerable.Range(0, 8).Select(bit => big[bit * 4 + i]).ShouldBe(expected[i]);
    }

    [Fact]
    public void Mask_model_classes_become_MAISI_labels()
    {
        var classes = Volume.FromArray<int>([.. Enumerable.Range(0, 126)], new(6, 7, 3, Affine.Identity));
        var map = LabelVocabulary.Load("maisi-mask").ToMaisi;
        classes.Remap(map).ToArray<int>().ShouldBe(_golden.Ints("out/remap/label_dict_124_to_132"));
        classes.Remap(new Dictionary<int, int>(map) { [124] = 500 }).ToArray<int>().ShouldBe(_golden.Ints("out/remap/label_dict_124_to_132_ctmr"));
    }

    [Fact]
    public void Kept_organs_are_numbered_by_their_place_in_the_list()
    {
        var expected = _golden.Info.GetProperty("filter_mask_with_organs");
        int[] Numbers(string key) => [.. expected.GetProperty(key).EnumerateArray().Select(v => v.GetInt32())];
        Volume.FromArray<int>(Numbers("in"), new(2, 2, 2, Affine.Identity)).KeepOrgans(Numbers("anatomy_list")).ToArray<int>().ShouldBe(Numbers("out"));
    }

    [Fact]
    public void Body_regions_equal_MAISI()
    {
        foreach (var item in _golden.Info.GetProperty("get_body_region_index_from_mask").EnumerateArray())
        {
            int[] labels = [.. item.GetProperty("labels").EnumerateArray().Select(v => v.GetInt32()), 0, 200];
            if (item.TryGetProperty("error", out _))
            {
                Should.Throw<MaisiException>(() => LabelOperations.FindBodyRegions(labels)).Hint!.ShouldContain("93");
                continue;
            }
            var hot = item.GetProperty("top_bottom").EnumerateArray().Select(v => v.EnumerateArray().TakeWhile(h => h.GetInt32() == 0).Count()).ToArray();
            LabelOperations.FindBodyRegions(labels).ShouldBe((hot[0], hot[1]));
        }
    }

    [Theory]
    [InlineData("maisi", 133, 132, "airway", 132)]
    [InlineData("maisi-ctmr", 349, 403, "brain tumor ET", 22)]
    [InlineData("maisi-mask", 124, 124, "body", 200)]
    [InlineData("vista3d", 124, 5, "right kidney", 5)]
    [InlineData("totalsegmentator-v2", 117, 92, "rib_left_1", 63)]
    [InlineData("openkbp", 10, 7, "mandible", 120)]
    public void Vocabularies_map_to_MAISI(string name, int count, int id, string label, int maisi)
    {
        var vocabulary = LabelVocabulary.Load(name);
        vocabulary.Labels.Count.ShouldBe(count);
        vocabulary.IdOf(label).ShouldBe(id);
        vocabulary.ToMaisi[id].ShouldBe(maisi);
        var target = LabelVocabulary.Load("maisi");
        vocabulary.Labels.ShouldAllBe(l => target.Contains(l.Maisi));
        vocabulary.Labels.Select(l => l.Id).ShouldBeInOrder();
    }

    [Fact]
    public void Same_structures_have_the_same_name_in_all_vocabularies()
    {
        var maisi = LabelVocabulary.Load("maisi");
        foreach (var l in LabelVocabulary.Load("vista3d").Labels)
            maisi.IdOf(l.Name).ShouldBe(l.Id);
        // Sides agree: "kidney_left" is MAISI's "left kidney".
        foreach (var l in LabelVocabulary.Load("totalsegmentator-v2").Labels.Where(l => l.Name.Contains("left", StringComparison.Ordinal) || l.Name.Contains("right", StringComparison.Ordinal)))
            maisi.Describe(l.Maisi).Name.ShouldContain(l.Name.Contains("left", StringComparison.Ordinal) ? "left" : "right");
    }

    [Fact]
    public void Wrong_names_and_values_are_explained()
    {
        Should.Throw<MaisiException>(() => LabelVocabulary.Load("maisi").IdOf("lung upper")).Hint!.ShouldContain("left lung upper lobe");
        Should.Throw<MaisiException>(() => LabelVocabulary.Load("nothing")).Hint!.ShouldContain("openkbp");
        Should.Throw<MaisiException>(() => Volume.FromArray<float>([0.5f], new(1, 1, 1, Affine.Identity)).CountLabels()).Message.ShouldContain("0.5");
        Volume.FromArray<float>([3, 0, 3, 1], new(4, 1, 1, Affine.Identity)).CountLabels().ShouldBe(new SortedDictionary<int, long> { [0] = 1, [1] = 1, [3] = 2 });
    }
}
