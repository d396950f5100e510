using System.Text.Json;
using System.Text.Json.Nodes;
using Maisi.Bridge.Experiments;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Experiments;

/// <summary>A small data set on disk: boxes in noise, no two files alike, with a datalist that tests spoil in one place each.</summary>
internal sealed class ExperimentData : IDisposable
{
    private readonly TemporaryFolder _folder = TestPaths.Temporary();
    private int _count = 5;

    public ExperimentData(int patients = 10, int tests = 3, int synthetic = 6)
    {
        for (var i = 0; i < patients; i++)
            Training.Add(Entry($"P{i:D2}", i, e => e["fold"] = i % 5));
        for (var i = 0; i < synthetic; i++)
            Training.Add(Entry($"S{i:D2}", 100 + i, e => (e["source"], e["parent_patient_ids"]) = ("synthetic", new JsonArray($"P{i:D2}"))));
        for (var i = 0; i < tests; i++)
            Testing.Add(Entry($"T{i:D2}", 200 + i));
    }

    public JsonArray Training { get; } = [];

    public JsonArray Testing { get; } = [];

    public string Path => _folder.Path;

    /// <summary>Gives the real training cases to this many folds in turn, in place of five.</summary>
    public ExperimentData Folds(int folds)
    {
        foreach (var entry in Training.Where(e => e!["fold"] is not null))
            entry!["fold"] = entry["fold"]!.GetValue<int>() % folds;
        _count = folds;
        return this;
    }

    public string this[string name] => _folder[name];

    public string Datalist => _folder["list.json"];

    /// <summary>Writes the datalist, one case per line.</summary>
    public void Save(string? text = null) => File.WriteAllText(Datalist, text ?? Text());

    public string Text() => $"{{\n\"training\": [\n{Lines(Training)}\n],\n\"testing\": [\n{Lines(Testing)}\n]\n}}\n";

    /// <summary>The line on which a case is written.</summary>
    public int LineOf(JsonNode entry) => Training.Contains(entry) ? 3 + Training.IndexOf(entry) : 3 + Training.Count + 2 + Testing.IndexOf(entry);

    public ExperimentConfig Config(Action<JsonObject>? change = null)
    {
        var json = JsonNode.Parse("""
            {"name": "test", "data": {"path": "list.json"}, "classes": [{"name": "left box", "labels": [1]}, {"name": "right box", "labels": [2]}],
             "synthetic": {"datalist": "list.json", "ratio": 0.5, "allow_unknown_generator": true}, "budget": {"steps": 4, "batch_size": 1, "validations": 2},
             "segresnet": {"spacing": [2, 2, 2], "patch_size": [16, 16, 16], "init_filters": 8, "blocks_down": [1, 1], "deep_supervision": 1, "overlap": 0, "validation_overlap": 0}}
            """)!.AsObject();
        // The synthetic cases are in the same list here.
        json["synthetic"]!.AsObject().Remove("datalist");
        json["synthetic"]!["datalist"] = "none.json";
        json["folds"] = _count;
        change?.Invoke(json);
        File.WriteAllText(_folder["none.json"], """{"training": []}""");
        File.WriteAllText(_folder["config.json"], json.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        return ExperimentConfig.Read(_folder["config.json"]);
    }

    public ExperimentPlan Plan(Action<JsonObject>? change = null)
    {
        Save();
        return ExperimentPlanner.Plan(Config(change));
    }

    public JsonObject Entry(string id, int seed, Action<JsonObject>? more = null)
    {
        Case(id, seed);
        var entry = new JsonObject { ["image"] = $"{id}_ct.nii.gz", ["label"] = $"{id}_label.nii.gz", ["case_id"] = id };
        more?.Invoke(entry);
        return entry;
    }

    /// <summary>Writes 24³ voxels of 2 mm: a box of 60 HU on the left, one of 250 HU on the right, noise everywhere.</summary>
    public void Case(string id, int seed, string? folder = null, string imageEnd = "_ct", string labelEnd = "_label", string? labelFolder = null)
    {
        const int n = 24;
        var grid = new VolumeGrid(n, n, n, Affine.Diagonal(2, 2, 2));
        var (image, label) = (Volume.Zeros<short>(grid), Volume.Zeros<byte>(grid));
        var random = new Random(seed);
        var (y, z) = (random.Next(6, 12), random.Next(6, 12));
        for (var i = 0; i < n * n * n; i++)
        {
            var (a, b, c) = (i % n, i / n % n, i / n / n);
            var inside = b >= y && b < y + 7 && c >= z && c < z + 7;
            var code = (byte)(inside && a is >= 3 and < 10 ? 1 : inside && a is >= 14 and < 21 ? 2 : 0);
            label.Voxels<byte>()[i] = code;
            image.Voxels<short>()[i] = (short)(random.Next(-20, 20) + (code == 1 ? 60 : code == 2 ? 250 : -100));
        }
        Directory.CreateDirectory(System.IO.Path.Combine(Path, folder ?? ""));
        Directory.CreateDirectory(System.IO.Path.Combine(Path, labelFolder ?? folder ?? ""));
        VolumeFile.Write(image, System.IO.Path.Combine(Path, folder ?? "", $"{id}{imageEnd}.nii.gz"));
        VolumeFile.Write(label, System.IO.Path.Combine(Path, labelFolder ?? folder ?? "", $"{id}{labelEnd}.nii.gz"));
    }

    public void Dispose() => _folder.Dispose();

    private static string Lines(JsonArray entries) => string.Join(",\n", entries.Select(e => e!.ToJsonString()));
}
