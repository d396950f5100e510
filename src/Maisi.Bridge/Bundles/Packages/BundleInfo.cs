using System.Text;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Bundles.Parsing;

namespace Maisi.Bridge.Bundles;

/// <summary>What a bundle folder holds.</summary>
/// <param name="Name">Its name in the metadata, or the folder's.</param>
/// <param name="Version">Its version; null when it has no metadata.</param>
/// <param name="Task">What it does.</param>
/// <param name="Description">More of that.</param>
/// <param name="MonaiVersion">The MONAI it was made with.</param>
/// <param name="Configs">Its config files.</param>
/// <param name="Missing">Files of large_files.yml that are not there yet.</param>
public sealed record BundleInfo(
    string Name, string? Version, string? Task, string? Description, string? MonaiVersion, IReadOnlyList<string> Configs, IReadOnlyList<string> Missing)
{
    /// <summary>Reads a bundle folder; its network and weights are not touched.</summary>
    /// <exception cref="BundleException">There is no such folder, or it has no configs.</exception>
    public static BundleInfo Read(string folder)
    {
        var root = Path.GetFullPath(folder);
        var configs = Path.Combine(root, "configs");
        if (!Directory.Exists(configs))
            throw new BundleException(BundleErrorKind.FileNotFoundError, $"'{folder}' is no bundle: it has no configs folder");
        var metadata = new DictValue();
        if (File.Exists(Path.Combine(configs, "metadata.json")))
            metadata = new ConfigFile(root, static _ => { }).Load("configs/metadata.json").ToValue() as DictValue ?? metadata;
        string? Text(string key) => metadata.TryGetValue(key, out var value) ? value as string : null;
        var hasList = Directory.EnumerateFiles(root, "large_files.*").Any();
        return new BundleInfo(
            Text("name") ?? Path.GetFileName(root), Text("version"), Text("task"), Text("description"), Text("monai_version"),
            [.. Directory.EnumerateFiles(configs).Where(ConfigFile.HasConfigSuffix).Select(f => $"configs/{Path.GetFileName(f)}").Order(StringComparer.Ordinal)],
            hasList ? [.. LargeFiles.Read(root, null, null).Where(f => !File.Exists(f.Path)).Select(f => Path.GetRelativePath(root, f.Path))] : []);
    }

    /// <summary>The same for people.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        void Line(string label, string? value)
        {
            if (value is not null)
                text.Append($"{label,-12} {value}\n");
        }
        Line("name", Name);
        Line("version", Version);
        Line("task", Task);
        Line("description", Description);
        Line("monai", MonaiVersion);
        Line("configs", string.Join(", ", Configs));
        Line("missing", Missing.Count == 0 ? null : string.Join(", ", Missing) + "  (maisi bundle download --bundle_path ...)");
        return text.ToString().TrimEnd();
    }
}
