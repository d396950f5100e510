using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Experiments;

/// <summary>The files that Auto3DSeg is handed: images under their case ids, label maps as class numbers, datalists with folds.</summary>
internal sealed class Auto3DSegFiles(ExperimentConfig config, ExperimentPlan plan, ExperimentFolder folder)
{
    private readonly Dictionary<string, ExperimentCase> _cases = plan.Cases.ToDictionary(c => c.CaseId, StringComparer.Ordinal);

    /// <summary>The data statistics that all arms share.</summary>
    public string Statistics => folder.Make("auto3dseg/datastats.yaml");

    /// <summary>The file name of a case's image.</summary>
    public static string ImageOf(string id) => $"{id}.nii.gz";

    /// <summary>Epochs between validations, so that all arms validate after about the same numbers of steps.</summary>
    public int EpochsPerValidation(FoldPlan fold) =>
        Math.Max(1, (int)Math.Round(fold.Steps / ((double)fold.Validations * StepsPerEpoch(fold)), MidpointRounding.AwayFromZero));

    /// <summary>
    /// Epochs in all. The templates validate after each multiple of the epochs between validations that lies below the last epoch, so that
    /// one epoch follows the last of several validations; a single one may be at the end.
    /// </summary>
    public int Epochs(FoldPlan fold) => fold.Validations == 1 ? EpochsPerValidation(fold) : (fold.Validations * EpochsPerValidation(fold)) + 1;

    /// <summary>Optimizer steps until the last validation: later weights are never chosen.</summary>
    public int Steps(FoldPlan fold) => fold.Validations * EpochsPerValidation(fold) * StepsPerEpoch(fold);

    /// <summary>Optimizer steps of an epoch: one patch of each case.</summary>
    public int StepsPerEpoch(FoldPlan fold) => (fold.TrainReal.Count + fold.TrainSynthetic.Count + config.Budget.BatchSize - 1) / config.Budget.BatchSize;

    /// <summary>The arguments of the preparation; writes what they name.</summary>
    public Dictionary<string, object?> Settings(ArmKind arm, string work, string device)
    {
        WriteVolumes();
        var own = plan.Arms.Single(a => a.Arm == arm);
        var lists = folder.Make($"auto3dseg/{ArmNames.Of(arm)}/all.json");
        WriteList(lists, own.Folds.SelectMany(f => f.TrainReal.Concat(f.TrainSynthetic).Concat(f.Validation)).Distinct(StringComparer.Ordinal), null);
        var folds = own.Folds.Select(fold =>
        {
            var list = folder.Make($"auto3dseg/{ArmNames.Of(arm)}/fold_{fold.Fold}.json");
            WriteList(list, fold.TrainReal.Concat(fold.TrainSynthetic).Concat(fold.Validation), fold);
            return (object?)new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["datalist"] = list,
                ["num_epochs"] = (long)Epochs(fold),
                ["num_epochs_per_validation"] = (long)EpochsPerValidation(fold),
            };
        }).ToList();
        return new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["work_dir"] = work,
            ["data_root"] = folder.Make("auto3dseg/data/")[..^1],
            ["datalist"] = lists,
            ["class_names"] = config.Classes.Select(c => (object?)c.Name).ToList(),
            ["modality"] = config.Auto3dseg!.Modality,
            ["templates"] = config.PathOf(config.Auto3dseg.Templates),
            ["algorithms"] = config.Auto3dseg.Algorithms.Select(a => (object?)a).ToList(),
            ["num_fold"] = (long)config.Folds,
            ["data_stats"] = File.Exists(Statistics) ? Statistics : null,
            ["device"] = device,
            ["overrides"] = Overrides(device),
            ["folds"] = folds,
        };
    }

    // What would otherwise follow from the data or the machine, and so differ between arms.
    private Dictionary<string, object?> Overrides(string device)
    {
        var values = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["auto_scale_allowed"] = false,
            ["num_images_per_batch"] = (long)config.Budget.BatchSize,
            ["num_crops_per_image"] = 1L,
            ["num_workers"] = 0L,
            ["cache_rate"] = 1.0,
            ["determ"] = true,
            ["early_stopping_fraction"] = 0.0,
            ["channels_last"] = device != "cpu",
        };
        foreach (var (key, value) in config.Auto3dseg!.Overrides)
            values[key] = Plain(value);
        return values;
    }

    private static object? Plain(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.True or JsonValueKind.False => value.GetBoolean(),
        JsonValueKind.Number => value.TryGetInt64(out var whole) ? (object)whole : value.GetDouble(),
        JsonValueKind.Array => value.EnumerateArray().Select(Plain).ToList(),
        JsonValueKind.Object => value.EnumerateObject().ToDictionary(p => p.Name, p => Plain(p.Value), StringComparer.Ordinal),
        _ => null,
    };

    // Real cases carry their fold; what is only trained on carries the number after the last fold, which Auto3DSeg never validates.
    private void WriteList(string path, IEnumerable<string> ids, FoldPlan? fold)
    {
        var training = ids.Select(id => (JsonNode)new JsonObject
        {
            ["image"] = ImageOf(id),
            ["label"] = LabelOf(id),
            ["fold"] = fold is null ? _cases[id].Fold ?? config.Folds : fold.Validation.Contains(id, StringComparer.Ordinal) ? fold.Fold : _cases[id].Fold ?? config.Folds,
        });
        var list = new JsonObject
        {
            ["training"] = new JsonArray([.. training]),
            ["testing"] = new JsonArray([.. plan.Test.Select(id => (JsonNode)new JsonObject { ["image"] = ImageOf(id) })]),
        };
        AtomicFile.Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(list.ToJsonString(new JsonSerializerOptions { WriteIndented = true }))));
    }

    private void WriteVolumes()
    {
        foreach (var item in plan.Cases)
        {
            var image = folder.Make($"auto3dseg/data/{ImageOf(item.CaseId)}");
            if (!File.Exists(image))
            {
                if (item.Image.EndsWith(".nii.gz", StringComparison.Ordinal))
                    File.CreateSymbolicLink(image, item.Image);
                else
                    VolumeFile.Write(VolumeFile.Read(item.Image), image, CompressionLevel.Fastest);
            }
            var label = folder.Make($"auto3dseg/data/{LabelOf(item.CaseId)}");
            if (!item.Test && !File.Exists(label))
                VolumeFile.Write(ClassMap.Read(item.Label, config.Classes), label, CompressionLevel.Fastest);
        }
    }

    private static string LabelOf(string id) => $"{id}_classes.nii.gz";
}
