using System.Diagnostics;
using Maisi.Bridge.Networks;
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
/// <param name="MaskFile">The file of the label map.</param>
internal sealed record SampleTask(int Index, string Stem, ulong Seed, string Origin, HashedFile MaskFile);

/// <summary>Samples the image of one label map and writes image, label map and previews into a staging folder.</summary>
internal sealed class MaskToImageSampler(ModelBundle model, GenerationOptions options, IProgress<WorkProgress>? progress)
{
    /// <summary>Samples and writes.</summary>
    /// <param name="task">Which sample.</param>
    /// <param name="condition">Its label map.</param>
    /// <param name="plan">How to decode; null takes upstream's windows.</param>
    /// <param name="staging">Where the files go.</param>
    /// <param name="cancellation">Checked between steps and slabs.</param>
    public SampleRecord Sample(SampleTask task, ConditionMask condition, SlabPlan? plan, StagingFolder staging, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        TensorRuntime.Memory(CPU, resetPeak: true);
        var labels = condition.Labels;
        var mask = tensor(labels.ToArray<byte>(), [1, 1, labels.SizeX, labels.SizeY, labels.SizeZ]);
        var watch = Stopwatch.StartNew();
        var latent = Denoise(mask, labels, task.Seed, cancellation);
        var denoise = watch.Elapsed.TotalSeconds;
        watch.Restart();
        var image = Decode(latent, condition.HasBody ? mask : null, plan, cancellation);
        var decode = watch.Elapsed.TotalSeconds;
        return new SampleRecord
        {
            Index = task.Index,
            Seed = task.Seed,
            Origin = task.Origin,
            Mask = task.MaskFile,
            Files = Write(Volume.FromArray<short>(image, labels.Grid), labels, task, staging),
            MaskChanges = condition.Changes,
            Size = [labels.SizeX, labels.SizeY, labels.SizeZ],
            Spacing = [.. labels.Spacing],
            MedianHounsfield = LabelMedians(image, labels.ToArray<byte>()),
            Seconds = new SampleTimings(Math.Round(denoise, 3), Math.Round(decode, 3)),
            PeakTensorBytes = TensorRuntime.Memory(CPU).Peak,
        };
    }

    private Tensor Denoise(Tensor mask, Volume labels, ulong seed, CancellationToken cancellation)
    {
        var stride = model.Autoencoder.Downsampling;
        var noise = PhiloxNoise.Normal(
            [1, model.UNet.Shape.InChannels, labels.SizeX / stride, labels.SizeY / stride, labels.SizeZ / stride], SampleSeed.Stream(seed, SeedStream.Latent));
        return new LatentDiffusionSampler(model.UNet, model.ControlNet, model.Scheduler).Sample(
            new ImageConditions { Mask = mask, Spacing = [.. labels.Spacing], Modality = model.Settings.Modality },
            noise, i => PhiloxNoise.Normal(noise.shape, SampleSeed.Stream(seed, SeedStream.Latent, i + 1)), options.Steps, options.GuidanceScale, progress, cancellation);
    }

    private short[] Decode(Tensor latent, Tensor? mask, SlabPlan? plan, CancellationToken cancellation)
    {
        var settings = model.Settings;
        var range = new IntensityRange(settings.Intensity[0], settings.Intensity[1], ClipAbove: settings.Modality <= 7);
        // Without an envelope, when the mask is null, the unlabelled voxels are not known to be air.
        var decoded = ImageDecoder.Decode(
            model.Autoencoder, latent, model.ScaleFactor, range, mask, plan is null ? settings.Windows() : null, plan, progress, cancellation);
        return decoded.round().to(ScalarType.Int16).cpu().data<short>().ToArray();
    }

    private HashedFile[] Write(Volume image, Volume labels, SampleTask task, StagingFolder staging)
    {
        var settings = model.Settings;
        var names = settings.LabelDict.ToDictionary(l => l.Value, l => l.Key);
        VolumeFile.Write(image, staging.File($"{task.Stem}_image.nii.gz"));
        VolumeFile.Write(labels, staging.File($"{task.Stem}_label.nii.gz"));
        var sheet = new PreviewOptions
        {
            Window = new IntensityWindow(-160, 240),
            Hidden = new HashSet<int> { settings.BodyLabel },
            Naming = code => (names.GetValueOrDefault(code, $"label {code}"), LabelColors.For(code)),
            Caption = $"{task.Stem}, sample seed {task.Seed}",
        };
        PngFile.Write(PreviewSheet.Draw(image, sheet), staging.File($"{task.Stem}_preview.png"));
        PngFile.Write(PreviewSheet.Draw(image, sheet with { Labels = labels }), staging.File($"{task.Stem}_overlay.png"));
        return [.. new[] { "image.nii.gz", "label.nii.gz", "preview.png", "overlay.png" }
            .Select(end => HashedFile.Of(staging.File($"{task.Stem}_{end}"), $"{task.Stem}_{end}"))];
    }

    private SortedDictionary<string, double> LabelMedians(short[] image, byte[] labels)
    {
        var names = model.Settings.LabelDict.ToDictionary(l => l.Value, l => l.Key);
        names[0] = "background";
        var values = new Dictionary<byte, List<short>>();
        for (var i = 0; i < image.Length; i++)
        {
            if (!values.TryGetValue(labels[i], out var list))
                values[labels[i]] = list = [];
            list.Add(image[i]);
        }
        var medians = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var (code, list) in values)
        {
            list.Sort();
            medians[names.GetValueOrDefault(code, $"label {code}")] = (list[(list.Count - 1) / 2] + list[list.Count / 2]) / 2.0;
        }
        return medians;
    }
}
