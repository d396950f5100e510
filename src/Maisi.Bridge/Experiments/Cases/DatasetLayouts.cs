// nnU-Net's layout: documentation/dataset_format.md of MIC-DKFZ/nnUNet (v2); the Decathlon's: Antonelli et al., Nature Communications 13, 2022.
using System.Text.RegularExpressions;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Parsing;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Experiments;

/// <summary>Real cases of datasets that say by their folders what is what.</summary>
internal static class DatasetLayouts
{
    private const string FirstChannel = "_0000";

    /// <summary>Reads the real cases of a config; those of a datalist may come with synthetic ones.</summary>
    /// <exception cref="MaisiException">Something is missing or wrong.</exception>
    public static List<ExperimentCase> Read(ExperimentConfig config)
    {
        var (data, path) = (config.Data, config.PathOf(config.Data.Path));
        var pattern = PatientNames.Pattern(data.PatientPattern);
        var cases = data.Layout switch
        {
            DataLayout.Datalist => new CaseLists(path, data.Root is { } root ? config.PathOf(root) : Path.GetDirectoryName(path)!, pattern).Read(),
            DataLayout.Folder => [.. Pairs(path, "images", "labels", pattern, test: false), .. Pairs(path, "images_test", "labels_test", pattern, test: true)],
            DataLayout.Msd => Msd(path, pattern),
            _ => NnUNet(path, pattern),
        };
        var unknown = data.TestPatients.FirstOrDefault(p => cases.All(c => c.PatientId != p));
        if (unknown is not null)
            throw new ExperimentException($"The test patient '{unknown}' has no case.", "data.test_patients", "Patients are named as data.patient_pattern finds them.");
        return [.. cases.Select(c => data.TestPatients.Contains(c.PatientId, StringComparer.Ordinal) ? c with { Test = true, Fold = null } : c)];
    }

    private static IEnumerable<ExperimentCase> Pairs(string folder, string images, string labels, Regex? pattern, bool test)
    {
        var from = Path.Combine(folder, images);
        if (!Directory.Exists(from))
            return test ? [] : throw new ExperimentException($"There is no folder '{images}'.", folder, "The layout has images and labels, and images_test and labels_test for the held-out cases.");
        var maps = Volumes(Path.Combine(folder, labels)).ToLookup(VolumeFile.Stem, StringComparer.Ordinal);
        return Volumes(from).Select(image => Case(image, maps[Unnumbered(image)].FirstOrDefault()
            ?? throw new ExperimentException($"The image has no label map in '{labels}'.", image, "Both have the same name."), pattern, test, image));
    }

    private static List<ExperimentCase> Msd(string folder, Regex? pattern)
    {
        var (file, dict) = Description(folder);
        if (!dict.Entries.TryGetValue("training", out var node) || node is not ListNode list)
            throw new ExperimentException("The dataset.json has no list \"training\".", file, "A Decathlon task lists its cases there; for nnU-Net's layout set data.layout to nnunet.");
        return [.. list.Items.Select(item =>
        {
            var (image, label) = (Entry(item, "image"), Entry(item, "label"));
            return Case(Existing(image, item), Existing(label, item), pattern, test: false, item.Location.ToString());
        })];

        static string Entry(ConfigNode item, string key) => item is DictNode entry && entry.Entries.TryGetValue(key, out var value) && value.Text is { Length: > 0 } text
            ? text : throw new ExperimentException($"The case has no '{key}'.", item.Location.ToString());

        string Existing(string name, ConfigNode item)
        {
            var full = Path.GetFullPath(name, folder);
            return File.Exists(full) ? full : throw new ExperimentException($"There is no file {full}.", item.Location.ToString());
        }
    }

    private static List<ExperimentCase> NnUNet(string folder, Regex? pattern)
    {
        var (file, dict) = Description(folder);
        if (dict.Entries.TryGetValue("channel_names", out var channels) && channels is DictNode { Entries.Count: > 1 })
            throw new ExperimentException("The dataset has several channels, and experiments take one.", channels.Location.ToString());
        if (!Directory.Exists(Path.Combine(folder, "imagesTr")))
            throw new ExperimentException("The dataset has no folder imagesTr.", file);
        List<ExperimentCase> cases = [.. Pairs(folder, "imagesTr", "labelsTr", pattern, test: false)];
        if (Directory.Exists(Path.Combine(folder, "labelsTs")))
            cases.AddRange(Pairs(folder, "imagesTs", "labelsTs", pattern, test: true));
        var splits = Path.Combine(folder, "splits_final.json");
        return File.Exists(splits) ? Split(cases, splits) : cases;
    }

    private static List<ExperimentCase> Split(List<ExperimentCase> cases, string file)
    {
        var folds = new Dictionary<string, int>(StringComparer.Ordinal);
        if (Load(file) is not ListNode list)
            throw new ExperimentException("The splits are no list.", file);
        foreach (var (node, fold) in list.Items.Select((n, i) => (n, i)))
        {
            if (node is not DictNode split || !split.Entries.TryGetValue("val", out var val) || val is not ListNode names)
                throw new ExperimentException("A split has no list \"val\".", node.Location.ToString());
            foreach (var name in names.Items)
                if (name.Text is not { } id || !folds.TryAdd(id, fold))
                    throw new ExperimentException($"'{name.Text}' is validated in two folds, or is no name.", name.Location.ToString());
        }
        return [.. cases.Select(c => c.Test ? c : folds.TryGetValue(c.CaseId, out var fold) ? c with { Fold = fold }
            : throw new ExperimentException($"The case '{c.CaseId}' is in no split.", file))];
    }

    private static ExperimentCase Case(string image, string label, Regex? pattern, bool test, string where) => new()
    {
        CaseId = Unnumbered(image), PatientId = pattern is null ? Unnumbered(image) : PatientNames.Of(image, pattern), Image = image, Label = label, Test = test, Where = where,
    };

    // nnU-Net numbers the channels of an image: case_0000.nii.gz.
    private static string Unnumbered(string image)
    {
        var stem = VolumeFile.Stem(image);
        return stem.EndsWith(FirstChannel, StringComparison.Ordinal) ? stem[..^FirstChannel.Length] : stem;
    }

    private static IEnumerable<string> Volumes(string folder) => Directory.Exists(folder)
        ? Directory.EnumerateFiles(folder).Where(VolumeFile.IsVolume).Where(f => !Path.GetFileName(f).StartsWith('.')).Order(StringComparer.Ordinal).Select(Path.GetFullPath) : [];

    private static (string File, DictNode Content) Description(string folder)
    {
        var file = Path.Combine(folder, "dataset.json");
        return (file, Load(file) as DictNode ?? throw new ExperimentException("The dataset.json is no object.", file));
    }

    private static ConfigNode Load(string file)
    {
        try
        {
            return new ConfigFile(Environment.CurrentDirectory, _ => { }, failOnDuplicate: true).Load(file);
        }
        catch (BundleException e)
        {
            throw new ExperimentException(e.Message, e.Where ?? file, e.Hint);
        }
    }
}
