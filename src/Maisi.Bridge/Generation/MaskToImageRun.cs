using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Runtime;
using Maisi.Bridge.Volumes;
using static TorchSharp.torch;

namespace Maisi.Bridge.Generation;

/// <summary>
/// Images of label maps: checks every map before any work, loads the bundle once, and samples. Each sample appears whole or not at all,
/// with a record of its own; the manifest, a page of previews and a datalist follow when all of them are there.
/// </summary>
public sealed class MaskToImageRun(string bundle, IReadOnlyList<string> masks, string output)
{
    /// <summary>The manifest's file name.</summary>
    public const string ManifestName = "manifest.json";

    /// <summary>Seed of the run.</summary>
    public ulong Seed { get; init; }

    /// <summary>How many images of each label map.</summary>
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

    /// <summary>Keeps the complete samples that lie in the output folder and were made from the same things.</summary>
    public bool Resume { get; init; }

    /// <summary>The share of the run that is made here.</summary>
    public Shard Shard { get; init; } = Shard.Whole;

    /// <summary>Makes only these samples, by index; null makes all.</summary>
    internal IReadOnlySet<int>? Only { get; init; }

    /// <summary>Runs everything.</summary>
    /// <exception cref="MaisiException">An input is wrong, or the output folder cannot be written.</exception>
    public RunManifest Execute(IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        var clock = Stopwatch.StartNew();
        var settings = BundleSettings.Read(bundle);
        var options = Resolve(settings);
        var stems = MaskSource.Stems(masks, Seed, Count);
        foreach (var mask in masks)
            Condition(mask, settings);
        using var folder = new RunFolder(output, Shard);
        using var model = ModelBundle.Load(bundle, settings);
        var bundleFiles = model.Hashes();
        var sampler = new MaskToImageSampler(model, options, progress);
        var samples = new List<SampleRecord>();
        var decode = new DecodeRecord { Mode = Decode };
        var tasks = Tasks(stems, options, bundleFiles);
        var runClock = new StageClock("sample", tasks.Count, progress);
        foreach (var task in tasks)
        {
            var record = Resume ? folder.Complete(task.Stem, task.Origin) : null;
            if (record is null)
            {
                var condition = Condition(masks[task.Index / Count], settings);
                var (plan, planned) = PlanDecode(model, condition, progress);
                decode = planned.PlannedPeakBytes >= (decode.PlannedPeakBytes ?? 0) ? planned : decode;
                using var staging = folder.Stage(task.Stem);
                record = sampler.Sample(task, condition, plan, staging, cancellation);
                folder.Publish(staging, task.Stem, record);
            }
            samples.Add(record);
            runClock.Report(samples.Count, task.Stem);
        }
        TensorRuntime.EmptyCache(CPU);
        var manifest = new RunManifest
        {
            Program = ProgramInfo.NameAndVersion,
            Versions = ProgramInfo.Versions(),
            Bundle = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(bundle))),
            BundlePath = bundle,
            BundleFiles = bundleFiles,
            Options = options,
            Decode = decode,
            Samples = samples,
            Seconds = Math.Round(clock.Elapsed.TotalSeconds, 3),
        };
        folder.Write(Shard.NameOf(RunIndex.DatalistName), RunIndex.Datalist(manifest));
        folder.Write(Shard.NameOf(RunIndex.PageName), RunIndex.Page(manifest));
        folder.Write(Shard.NameOf(ManifestName), manifest.ToJson());
        return manifest;
    }

    private ConditionMask Condition(string mask, BundleSettings settings) => ConditionMask.Read(mask, settings, Grid, ModelBundle.DivisorOf(settings));

    private List<SampleTask> Tasks(string[] stems, GenerationOptions options, IReadOnlyList<HashedFile> bundleFiles)
    {
        // How many samples the run has does not change one of them.
        var common = JsonSerializer.Serialize(options with { Count = 0 }, ManifestJson.Default.GenerationOptions)
            + string.Concat(bundleFiles.Select(f => f.Sha256)) + Decode + ProgramInfo.NameAndVersion;
        var files = masks.Select(mask => HashedFile.Of(mask)).ToArray();
        return [.. stems.Select((stem, index) => (stem, index)).Where(s => Shard.Has(s.index) && Only?.Contains(s.index) != false).Select(s =>
        {
            var (file, seed) = (files[s.index / Count], SampleSeed.Of(Seed, s.index));
            var origin = Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{common}{file.Sha256}{seed}")));
            return new SampleTask(s.index, s.stem, seed, origin, file);
        })];
    }

    private GenerationOptions Resolve(BundleSettings settings)
    {
        if (masks.Count == 0)
            throw new MaisiException("No label map was given.", "--mask");
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
}
