using System.Text.Json;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Volumes;

/// <summary>MAISI's rules for candidate masks and anatomy sizes (golden/util_rules.json).</summary>
public sealed class MaskDatabaseTests
{
    private static readonly JsonElement _rules = JsonDocument.Parse(File.ReadAllBytes(TestPaths.Golden("util_rules.json"))).RootElement;

    [Fact]
    public void Find_equals_MAISI()
    {
        var database = Database();
        foreach (var item in _rules.GetProperty("find_masks").EnumerateArray())
        {
            var result = item.GetProperty("result");
            var exact = item.GetProperty("check_spacing_and_output_size").GetBoolean();
            if (result.ValueKind == JsonValueKind.Object)
                Should.Throw<MaisiException>(() => database.Find(Request(item), exact)).Message.ShouldBe(result.GetProperty("message").GetString());
            else
                database.Find(Request(item), exact).Select(r => r.PseudoLabelFilename).ShouldBe(result.EnumerateArray().Select(r => r.GetProperty("pseudo_label").GetString()!));
        }
    }

    [Fact]
    public void Closest_masks_equal_MAISI()
    {
        var database = Database();
        foreach (var item in _rules.GetProperty("find_closest_masks").EnumerateArray())
        {
            var count = item.GetProperty("num_img").GetInt32();
            var order = item.GetProperty("order");
            if (order.ValueKind == JsonValueKind.Object)
                Should.Throw<MaisiException>(() => database.FindClosest(Request(item), count)).Message.ShouldBe(order.GetProperty("message").GetString());
            else
                database.FindClosest(Request(item), count).Take(MaskDatabase.Attempts(count)).Select(r => r.PseudoLabelFilename).ShouldBe(order.EnumerateArray().Select(r => r.GetString()!));
        }
    }

    [Fact]
    public void Anatomy_sizes_equal_MAISI_also_when_one_call_changes_the_next()
    {
        double[] Row(JsonElement row) => [.. row.EnumerateArray().Select(v => v.GetDouble())];
        var patients = _rules.GetProperty("anatomy_size_conditions").EnumerateArray().Select(c => Row(c.GetProperty("organ_size"))).ToArray();
        foreach (var item in _rules.GetProperty("prepare_anatomy_size_condition").EnumerateArray())
        {
            var given = item.GetProperty("in").EnumerateArray().Select(g => (g[0].GetString()!, g[1].GetDouble())).ToArray();
            // The fixture reloads the patients for each call.
            var fresh = patients.Select(p => p.ToArray()).ToArray();
            AnatomySizeConditions.Prepare(given, fresh).ShouldBe(Row(item.GetProperty("out")));
            fresh.SelectMany(p => p).ShouldBe(patients.SelectMany(p => p));
            AnatomySizeConditions.Prepare(given, fresh, parity: true).ShouldBe(Row(item.GetProperty("out")));
        }
        AnatomySizeConditions.TargetTumour([0, 0, 0, 0, 0, 0.2, -1, 0.1, -1, -1]).ShouldBe(26);
        AnatomySizeConditions.TargetTumour([0, 0, 0, 0, 0, -1, -1, -1, -1, -1]).ShouldBeNull();
        Should.Throw<MaisiException>(() => AnatomySizeConditions.Prepare([("spleen", 0.1)], patients)).Message.ShouldContain("spleen");
    }

    [Fact]
    public void Valid_sizes_and_rounding_equal_MAISI()
    {
        foreach (var item in _rules.GetProperty("suggest_valid_target").EnumerateArray())
        {
            int[] size = [.. item.GetProperty("shape").EnumerateArray().Select(v => v.GetInt32())];
            double[] spacing = [.. item.GetProperty("spacing").EnumerateArray().Select(v => v.GetDouble())];
            MaskGrid.IsValid(size, spacing).ShouldBe(item.GetProperty("valid").GetBoolean());
            var (validSize, validSpacing) = MaskGrid.Suggest(size, spacing);
            validSize.ShouldBe(item.GetProperty("target")[0].EnumerateArray().Select(v => v.GetInt32()));
            validSpacing.ShouldBe(item.GetProperty("target")[1].EnumerateArray().Select(v => v.GetDouble()));
        }
        foreach (var item in _rules.GetProperty("round_number_128").EnumerateObject())
            MaskGrid.RoundTo128(int.Parse(item.Name)).ShouldBe(item.Value.GetInt32());
    }

    [Fact]
    public void A_database_survives_its_file_and_describes_masks()
    {
        using var folder = TestPaths.Temporary();
        var mask = Volume.FromArray<byte>([0, 200, 1, 28, 0, 200, 1, 22], new(2, 2, 2, Affine.Diagonal(-1.5, -1.5, 2)));
        var record = MaskDatabase.Describe(mask, "a.nii.gz");
        record.LabelList.ShouldBe([1, 22, 28, 200]);
        record.TopRegionIndex.ShouldBe([1, 0, 0, 0]);
        record.BottomRegionIndex.ShouldBe([0, 0, 1, 0]);
        new MaskDatabase([record, record with { TopRegionIndex = null, BottomRegionIndex = null }]).Save(folder["db.json"]);
        var back = MaskDatabase.Load(folder["db.json"]);
        back.Records[0].Spacing.ShouldBe([1.5, 1.5, 2]);
        back.Records[1].TopRegionIndex.ShouldBeNull();
        File.WriteAllText(folder["bad.json"], "[{\"pseudo_label_filename\": \"x\"}]");
        Should.Throw<MaisiException>(() => MaskDatabase.Load(folder["bad.json"])).Message.ShouldContain("incomplete");
    }

    private static MaskDatabase Database()
    {
        using var folder = TestPaths.Temporary();
        File.WriteAllText(folder["db.json"], _rules.GetProperty("database").GetRawText());
        return MaskDatabase.Load(folder["db.json"]);
    }

    private static MaskRequest Request(JsonElement item) => new(
        List(item.GetProperty("body_region"), v => v.GetString()!), List(item.GetProperty("anatomy_list"), v => v.GetInt32()),
        List(item.GetProperty("output_size"), v => v.GetInt32()),
        item.GetProperty("spacing").ValueKind == JsonValueKind.Number ? [.. Enumerable.Repeat(item.GetProperty("spacing").GetDouble(), 3)] : List(item.GetProperty("spacing"), v => v.GetDouble()));

    private static T[] List<T>(JsonElement value, Func<JsonElement, T> read) => value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(read)] : [read(value)];

    [Fact]
    public void Anatomy_sizes_are_measured_in_millilitres_and_ranked()
    {
        var mask = Volume.Zeros<byte>(new(10, 10, 10, Affine.Diagonal(2, 5, 10))); // 0.1 ml a voxel
        var voxels = mask.Voxels<byte>();
        voxels[555] = voxels[556] = voxels[565] = 1;
        voxels[3] = 26;
        var measures = AnatomyMeasurement.Measure(mask, [new Dictionary<int, double> { [1] = 0.1 }, new Dictionary<int, double> { [1] = 0.9 }, AnatomyMeasurement.Millilitres(mask), new Dictionary<int, double>()]);
        measures.Select(m => m.Name).ShouldBe(AnatomySizeConditions.Order);
        var (liver, tumour) = (measures[1], measures[7]);
        liver.Millilitres.ShouldBe(0.3, 1e-9);
        liver.Rank!.Value.ShouldBe(0.5, 1e-9);
        (liver.TouchesBorder, tumour.TouchesBorder, tumour.Rank).ShouldBe((false, true, 0.5));
        measures.Where(m => m.Label is not (1 or 26)).ShouldAllBe(m => m.Millilitres == 0 && m.Rank == -1);
        AnatomyMeasurement.Measure(mask)[1].Rank.ShouldBeNull();
    }
}
