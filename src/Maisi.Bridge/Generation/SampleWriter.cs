using Maisi.Bridge.Runtime;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Generation;

/// <summary>One sample: its place in the run, its seed, and its label map.</summary>
/// <param name="Index">Index in the run.</param>
/// <param name="Stem">How its files begin.</param>
/// <param name="Seed">The seed of this sample alone.</param>
/// <param name="Origin">Hash of everything that it is made from.</param>
/// <param name="MaskFile">The file of the label map that was given; null where none was.</param>
internal sealed record SampleTask(int Index, string Stem, ulong Seed, string Origin, HashedFile? MaskFile);

/// <summary>Writes image, label map and previews of a sample into a staging folder.</summary>
internal sealed class SampleWriter(BundleSettings settings, GenerationOptions options, Device device)
{
    /// <summary>The ends of the files' names.</summary>
    public const string ImageEnd = "_image.nii.gz", LabelEnd = "_label.nii.gz", PreviewEnd = "_preview.png", OverlayEnd = "_overlay.png";

    private readonly Dictionary<int, string> _names = options.UsesMaskModel && (settings.HasMaisiLabels || settings.LabelDict.Count == 0)
        ? LabelVocabulary.Load("maisi").Labels.ToDictionary(l => l.Id, l => l.Name) : settings.LabelDict.ToDictionary(l => l.Value, l => l.Key);

    /// <summary>Writes the files.</summary>
    /// <param name="task">Which sample.</param>
    /// <param name="sample">The sample.</param>
    /// <param name="staging">Where the files go.</param>
    public SampleRecord Write(SampleTask task, SynthesisSample sample, StagingFolder staging)
    {
        var grid = (sample.Image ?? sample.Labels)!.Grid;
        if (sample.Image is { } image)
            VolumeFile.Write(image, staging.File(task.Stem + ImageEnd));
        if (sample.Labels is { } labels)
            VolumeFile.Write(options.CompactLabels == true ? labels.KeepOrgans(OptionRules.AnatomyCodes(options, settings)) : labels, staging.File(task.Stem + LabelEnd));
        Draw(task, sample, staging);
        return new SampleRecord
        {
            Index = task.Index,
            Seed = task.Seed,
            Origin = task.Origin,
            Mask = task.MaskFile ?? sample.Mask,
            AnatomyCondition = sample.AnatomyCondition,
            Attempts = sample.Attempts,
            Files = [.. new[] { ImageEnd, LabelEnd, PreviewEnd, OverlayEnd }.Where(end => File.Exists(staging.File(task.Stem + end)))
                .Select(end => HashedFile.Of(staging.File(task.Stem + end), task.Stem + end))],
            MaskChanges = sample.Changes,
            Size = [grid.SizeX, grid.SizeY, grid.SizeZ],
            Spacing = [.. grid.Affine.Spacing],
            MedianHounsfield = sample is { Image: { } picture, Labels: { } codes } ? Medians(picture, codes) : new SortedDictionary<string, double>(),
            Seconds = sample.Seconds,
            PeakTensorBytes = TensorRuntime.Memory(device).Peak,
        };
    }

    private void Draw(SampleTask task, SynthesisSample sample, StagingFolder staging)
    {
        var sheet = new PreviewOptions
        {
            Window = sample.Image is null ? new IntensityWindow(0, 1) : options.Modality <= 7 ? new IntensityWindow(-160, 240) : null,
            Hidden = new HashSet<int> { settings.BodyLabel },
            Naming = code => (_names.GetValueOrDefault(code, $"label {code}"), LabelColors.For(code)),
            Caption = $"{task.Stem}, sample seed {task.Seed}",
        };
        if (sample.Image is { } image)
            PngFile.Write(PreviewSheet.Draw(image, sheet), staging.File(task.Stem + PreviewEnd));
        if (sample.Labels is { } labels)
            PngFile.Write(PreviewSheet.Draw(sample.Image ?? Volume.Zeros<byte>(labels.Grid), sheet with { Labels = labels }), staging.File(task.Stem + OverlayEnd));
    }

    private SortedDictionary<string, double> Medians(Volume image, Volume labels)
    {
        var present = labels.CountLabels().Keys.ToArray();
        var values = LabelValues.Sorted(image, labels, code => Array.IndexOf(present, code), present.Length);
        var medians = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var (code, i) in present.Select((code, i) => (code, i)).Where(p => values[p.i].Length > 0))
            medians[code == 0 ? "background" : _names.GetValueOrDefault(code, $"label {code}")] = LabelValues.Median(values[i]);
        return medians;
    }
}
