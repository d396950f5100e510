using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Maisi.Bridge.Training;

/// <summary>What a bundle says of itself to people: metadata.json of MONAI's schema, and the model card.</summary>
/// <param name="config">What was trained.</param>
/// <param name="report">How it went.</param>
/// <param name="source">Where the cases are from; null says nothing of it.</param>
internal sealed class BundleCard(TrainingConfig config, TrainingReport report, Datalist? source)
{
    private const string Use = "Research and development; not for diagnosis.";

    /// <summary>configs/metadata.json.</summary>
    public JsonObject Metadata()
    {
        var metadata = new JsonObject
        {
            ["schema"] = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json",
            ["version"] = "0.1.0",
            ["changelog"] = new JsonObject { ["0.1.0"] = "first training" },
            ["monai_version"] = "1.5.0",
            ["pytorch_version"] = "2.6.0",
            ["numpy_version"] = "1.26.4",
            ["required_packages_version"] = new JsonObject { ["nibabel"] = "5.2.1" },
            ["name"] = config.Name,
            ["task"] = config.MaskModel is null ? "Synthesis of CT from a label map" : "Synthesis of CT and of label maps",
            ["description"] = config.Description,
            ["authors"] = "Maisi.Bridge",
            ["copyright"] = "The Maisi.Bridge authors",
            ["data_type"] = "nibabel",
            ["intended_use"] = Use,
            ["network_data_format"] = new JsonObject
            {
                ["inputs"] = new JsonObject { ["image"] = TensorFormat("CT image", "HU") },
                ["outputs"] = new JsonObject { ["pred"] = TensorFormat("CT image", "HU") },
            },
        };
        if (source?.Description is { } description)
            metadata["data_source"] = source.Licence is { } licence ? $"{description} Licence: {licence}." : description;
        if (source?.Reference is { } reference)
            metadata["references"] = new JsonArray(reference);
        return metadata;
    }

    /// <summary>docs/README.md.</summary>
    public string Text()
    {
        var text = new StringBuilder();
        void Line(FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
        Line($"# {config.Name}\n\n{config.Description}\n");
        Line($"Grid: {string.Join("×", config.Data.Size)} voxels of {string.Join("×", config.Data.Spacing)} mm. Labels: {Labels()}.\n");
        Line($"{Use} A small model of few cases: anatomy follows the label map, fine structure is blurred.\n");
        Line($"## Use\n\n    maisi generate --bundle {config.Name} --mask labels.nii.gz --output out");
        if (config.MaskModel is not null)
            Line($"    maisi generate paired --bundle {config.Name} --synthesize-mask --count 4 --output out");
        if (config.MaskModel?.SizeLabels is { } sizes)
            Line($"\nSizes that steer the label maps (`--size-of \"NAME=0.9\"`; the rank among the training cases, -1 for absent): {string.Join(", ", sizes)}.");
        if (source is not null)
        {
            Line($"\n## Data\n\n{source.Description ?? "The cases of a datalist that says nothing of itself."} {report.Cases} cases trained it; docs/training_subjects.json names them.");
            if (source.Reference is { } reference)
                Line($"Cite: {reference}.");
            if (source.Licence is { } licence)
                Line($"Licence of the data: {licence}.");
        }
        Line($"\n## Training\n\n`maisi train --config configs/maisi_train.json` of this folder, seed {report.Seed}: {report.ProcessorSeconds / 60:F0} processor minutes; every step is in docs/training.csv.");
        if (report.Variants > 0)
            Line($"Beside each case the diffusion networks saw {report.Variants / report.Cases} moved, turned and scaled views of it, and all mirror images.");
        Line($"\n| network | steps | first loss | last loss | seconds |\n| --- | ---: | ---: | ---: | ---: |");
        foreach (var stage in report.Stages)
            Line($"| {stage.Name} | {stage.Iterations} | {stage.Losses[0]:F4} | {stage.Losses[^1]:F4} | {stage.Seconds:F0} |");
        if (report.ValidationPsnr is { } psnr)
            Line($"\nReconstruction of the validation cases: {psnr:F2} dB PSNR (range 1).");
        return text.ToString();
    }

    private string Labels() => string.Join(", ", config.Data.Labels.OrderBy(l => l.Value).Select(l => $"{l.Value} {l.Key}"));

    private JsonObject TensorFormat(string type, string format) => new()
    {
        ["type"] = "image",
        ["format"] = format,
        ["modality"] = "CT",
        ["num_channels"] = 1,
        ["spatial_shape"] = new JsonArray([.. config.Data.Size.Select(n => (JsonNode)n)]),
        ["dtype"] = "float32",
        ["value_range"] = new JsonArray(config.Data.Intensity[0], config.Data.Intensity[1]),
        ["is_patch_data"] = false,
        ["channel_def"] = new JsonObject { ["0"] = type },
    };
}
