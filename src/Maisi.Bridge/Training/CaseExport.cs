using System.Text.Json.Nodes;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>
/// Real cases as a bundle's networks see them: on its grid, with its label codes, clipped to its intensities; and what its autoencoder makes
/// of them. What is generated can be compared with these voxel by voxel, and everything that <c>maisi evaluate</c> measures needs them.
/// </summary>
public sealed class CaseExport(BundleSettings settings)
{
    /// <summary>Writes images/, labels/, with an autoencoder reconstructed/, and a datalist.json of them.</summary>
    /// <param name="entries">The cases.</param>
    /// <param name="output">The folder.</param>
    /// <param name="autoencoder">Reconstructs; null leaves that out.</param>
    /// <param name="progress">Told after every case.</param>
    /// <param name="cancellation">Checked before every case.</param>
    /// <returns>The cases' names.</returns>
    /// <exception cref="MaisiException">A file is broken, or has a label code that the bundle does not know.</exception>
    public IReadOnlyList<string> Write(
        IReadOnlyList<DatalistEntry> entries, string output, AutoencoderKlMaisi? autoencoder = null, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        var range = settings.RangeOf(settings.Modality);
        var (size, spacing) = (settings.OutputSize, settings.Spacing);
        var cases = TrainingCases.Load(entries, Data(range), progress, cancellation);
        var names = cases.Select(c => NameOf(c.Id)).ToList();
        if (names.GroupBy(n => n).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new MaisiException($"Two cases are called {twice.Key}.", entries[names.IndexOf(twice.Key)].Image, "Names of image files tell cases apart: rename one.");
        var grid = new VolumeGrid(size[0], size[1], size[2], Affine.Diagonal(spacing[0], spacing[1], spacing[2]));
        var clock = new StageClock("write", cases.Count, progress);
        using var staging = new StagingFolder(output);
        using var _ = no_grad();
        foreach (var (item, i) in cases.Select((c, i) => (c, i)))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var image = tensor(item.Image, [1, 1, .. size.Select(n => (long)n)]);
            VolumeFile.Write(Hounsfield(image), staging.File(Path.Combine("images", names[i] + "_image.nii.gz")));
            VolumeFile.Write(Volume.FromArray<byte>(item.Labels, grid), staging.File(Path.Combine("labels", names[i] + "_label.nii.gz")));
            if (autoencoder is not null)
                VolumeFile.Write(Hounsfield(autoencoder.Reconstruct(image).clamp(0, 1)), staging.File(Path.Combine("reconstructed", names[i] + "_image.nii.gz")));
            clock.Report(i + 1, names[i]);
        }
        File.WriteAllText(staging.File("datalist.json"), new JsonObject
        {
            ["training"] = new JsonArray([.. names.Select(n => new JsonObject { ["image"] = $"images/{n}_image.nii.gz", ["label"] = $"labels/{n}_label.nii.gz" })]),
        }.ToJsonString(new() { WriteIndented = true }) + "\n");
        staging.Publish();
        return names;

        Volume Hounsfield(Tensor scaled) => ImageSynthesis.ToInt16((scaled * (range.High - range.Low)) + range.Low, grid);
    }

    private DataOptions Data(IntensityRange range) => new()
    {
        Size = settings.OutputSize,
        Spacing = settings.Spacing,
        Intensity = [range.Low, range.High],
        Modality = settings.Modality,
        Labels = settings.LabelDict,
        Remap = settings.LabelRemap,
        AnchorLabels = settings.AnchorLabels,
        BodyLabel = settings.BodyLabel,
    };

    // pt_001_ct.nii.gz and pt_001_image.nii.gz are pt_001.
    private static string NameOf(string file)
    {
        var name = file[..(file.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot ? dot : file.Length)];
        return name.EndsWith("_ct", StringComparison.OrdinalIgnoreCase) ? name[..^3] : name.EndsWith("_image", StringComparison.OrdinalIgnoreCase) ? name[..^6] : name;
    }
}
