using System.Diagnostics;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Runtime;
using Maisi.Bridge.Volumes;
using static TorchSharp.torch;

namespace Maisi.Bridge.Generation;

/// <summary>
/// Images of one label map: reads the map, loads the bundle once, samples, and writes images, label maps, previews and a manifest.
/// Files appear only when all of them are complete.
/// </summary>
public sealed class MaskToImageRun(string bundle, string mask, string output)
{
    /// <summary>The manifest's file name.</summary>
    public const string ManifestName = "manifest.json";

    /// <summary>Seed of the run.</summary>
    public ulong Seed { get; init; }

    /// <summary>How many images.</summary>
    public int Count { get; init; } = 1;

    /// <summary>Denoising steps; null takes the bundle's.</summary>
    public int? Steps { get; init; }

    /// <summary>Classifier-free guidance; null takes the bundle's.</summary>
    public double? GuidanceScale { get; init; }

    /// <summary>Modality code; null takes the bundle's.</summary>
    public int? Modality { get; init; }

    /// <summary>Which grid the images lie on.</summary>
    public GridChoice Grid { get; init; }

    /// <summary>How latents are decoded.</summary>
    public DecodeMode Decode { get; init; }

    /// <summary>Bytes that decoding may use, the program included; null takes half of what is available.</summary>
    public long? Memory { get; init; }

    /// <summary>Runs everything.</summary>
    /// <exception cref="MaisiException">An input is wrong, or the output folder cannot be written.</exception>
    public RunManifest Execute(IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        var clock = Stopwatch.StartNew();
        var settings = BundleSettings.Read(bundle);
        var options = Resolve(settings);
        var condition = ConditionMask.Read(mask, settings, Grid, ModelBundle.DivisorOf(settings));
        using var staging = new StagingFolder(output);
        using var model = ModelBundle.Load(bundle, settings);
        var (plan, decode) = PlanDecode(model, condition, progress);
        var maskFile = HashedFile.Of(mask);
        var samples = new List<SampleRecord>();
        for (var i = 0; i < Count; i++)
            samples.Add(Sample(i, model, condition, maskFile, options, plan, staging, progress, cancellation));
        TensorRuntime.EmptyCache(CPU);
        var manifest = new RunManifest
        {
            Program = ProgramInfo.NameAndVersion,
            Versions = ProgramInfo.Versions(),
            Bundle = System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(bundle))),
            BundleFiles = model.Hashes(),
            Options = options,
            Decode = decode,
            Samples = samples,
            Seconds = Math.Round(clock.Elapsed.TotalSeconds, 3),
        };
        File.WriteAllText(staging.File(ManifestName), manifest.ToJson());
        staging.Publish();
        return manifest;
    }

    private GenerationOptions Resolve(BundleSettings settings)
    {
        if (Count < 1)
            throw new MaisiException($"At least one image must be asked for, not {Count}.", "--count");
        if (Steps is < 1 or > 1000)
            throw new MaisiException($"The number of denoising steps must be 1 to 1000, not {Steps}.", "--steps");
        if (GuidanceScale is { } scale && (scale < 0 || !double.IsFinite(scale)))
            throw new MaisiException($"The guidance scale must be 0 or more, not {scale}.", "--guidance");
        if (Modality is { } code && code != settings.Modality)
        {
            throw new MaisiException(
                $"The bundle was not trained on modality {code}; it was trained on {settings.Modality}.", "--modality",
                "Other codes would be ignored or give noise. Leave the option out, or take a bundle of that modality.");
        }
        return new GenerationOptions
        {
            Seed = Seed,
            Count = Count,
            Steps = Steps ?? settings.NumInferenceSteps,
            GuidanceScale = GuidanceScale ?? settings.CfgGuidanceScale,
            Modality = settings.Modality,
            Grid = Grid,
        };
    }

    private (SlabPlan? Plan, DecodeRecord Record) PlanDecode(ModelBundle model, ConditionMask condition, IProgress<WorkProgress>? progress)
    {
        if (Decode == DecodeMode.SlidingWindow)
            return (null, new DecodeRecord { Mode = Decode });
        var (labels, stride) = (condition.Labels, model.Autoencoder.Downsampling);
        var (plan, memory) = DecodePlanning.Plan(model.Autoencoder, [labels.SizeX / stride, labels.SizeY / stride, labels.SizeZ / stride], Memory);
        progress?.Report(new WorkProgress("plan", 1, 1, null, DecodePlanning.Describe(plan)));
        return (plan, new DecodeRecord
        {
            Mode = Decode,
            MemoryBytes = memory,
            PlannedPeakBytes = plan.PeakBytes,
            SpilledBytes = plan.SpilledBytes,
            Slabs = plan.Slabs,
        });
    }

    private SampleRecord Sample(
        int index, ModelBundle model, ConditionMask condition, HashedFile maskFile, GenerationOptions options, SlabPlan? plan, StagingFolder staging,
        IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        TensorRuntime.Memory(CPU, resetPeak: true);
        var settings = model.Settings;
        var labels = condition.Labels;
        var seed = SampleSeed.Of(Seed, index);
        var mask = tensor(labels.ToArray<byte>(), [1, 1, labels.SizeX, labels.SizeY, labels.SizeZ]);
        var stride = model.Autoencoder.Downsampling;
        var noise = PhiloxNoise.Normal(
            [1, model.UNet.Shape.InChannels, labels.SizeX / stride, labels.SizeY / stride, labels.SizeZ / stride], SampleSeed.Stream(seed, SeedStream.Latent));
        var watch = Stopwatch.StartNew();
        var latent = new LatentDiffusionSampler(model.UNet, model.ControlNet, model.Scheduler).Sample(
            new ImageConditions { Mask = mask, Spacing = [.. labels.Spacing], Modality = settings.Modality },
            noise, i => PhiloxNoise.Normal(noise.shape, SampleSeed.Stream(seed, SeedStream.Latent, i + 1)), options.Steps, options.GuidanceScale, progress, cancellation);
        var denoise = watch.Elapsed.TotalSeconds;
        watch.Restart();
        var range = new IntensityRange(settings.Intensity[0], settings.Intensity[1], ClipAbove: settings.Modality <= 7);
        // Without an envelope the unlabelled voxels are not known to be air.
        var decoded = ImageDecoder.Decode(
            model.Autoencoder, latent, model.ScaleFactor, range, condition.HasBody ? mask : null, plan is null ? settings.Windows() : null, plan, progress, cancellation);
        var image = decoded.round().to(ScalarType.Int16).cpu().data<short>().ToArray();
        var decode = watch.Elapsed.TotalSeconds;
        var volume = Volume.FromArray<short>(image, labels.Grid);
        var files = Write(volume, labels, settings, seed, index, staging);
        return new SampleRecord
        {
            Index = index,
            Seed = seed,
            Mask = maskFile,
            Files = files,
            MaskChanges = condition.Changes,
            Size = [labels.SizeX, labels.SizeY, labels.SizeZ],
            Spacing = [.. labels.Spacing],
            MedianHounsfield = LabelMedians(image, labels.ToArray<byte>(), settings),
            Seconds = new SampleTimings(Math.Round(denoise, 3), Math.Round(decode, 3)),
            PeakTensorBytes = TensorRuntime.Memory(CPU).Peak,
        };
    }

    private HashedFile[] Write(Volume image, Volume labels, BundleSettings settings, ulong seed, int index, StagingFolder staging)
    {
        var stem = $"{VolumeFile.Stem(mask)}_seed{Seed}{(Count > 1 ? $"_{index:D3}" : "")}";
        var names = settings.LabelDict.ToDictionary(l => l.Value, l => l.Key);
        VolumeFile.Write(image, staging.File($"{stem}_image.nii.gz"));
        VolumeFile.Write(labels, staging.File($"{stem}_label.nii.gz"));
        var sheet = new PreviewOptions
        {
            Window = new IntensityWindow(-160, 240),
            Hidden = new HashSet<int> { settings.BodyLabel },
            Naming = code => (names.GetValueOrDefault(code, $"label {code}"), LabelColors.For(code)),
            Caption = $"{stem}, sample seed {seed}",
        };
        PngFile.Write(PreviewSheet.Draw(image, sheet), staging.File($"{stem}_preview.png"));
        PngFile.Write(PreviewSheet.Draw(image, sheet with { Labels = labels }), staging.File($"{stem}_overlay.png"));
        return [.. new[] { "image.nii.gz", "label.nii.gz", "preview.png", "overlay.png" }.Select(end => HashedFile.Of(staging.File($"{stem}_{end}"), $"{stem}_{end}"))];
    }

    private static SortedDictionary<string, double> LabelMedians(short[] image, byte[] labels, BundleSettings settings)
    {
        var names = settings.LabelDict.ToDictionary(l => l.Value, l => l.Key);
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
