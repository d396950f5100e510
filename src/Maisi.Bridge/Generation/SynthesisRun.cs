using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Maisi.Bridge.Runtime;
using Maisi.Bridge.Volumes;
using static TorchSharp.torch;

namespace Maisi.Bridge.Generation;

/// <summary>
/// Samples of one pipeline in an output folder: everything is checked before any work, the bundle is loaded once, and each sample appears
/// whole or not at all, with a record of its own; the manifest, a page of previews and a datalist follow when all of them are there.
/// </summary>
/// <param name="bundle">Folder of a bundle with weights.</param>
/// <param name="options">What is asked for.</param>
/// <param name="output">Where the files go.</param>
public sealed class SynthesisRun(string bundle, GenerationOptions options, string output)
{
    /// <summary>The manifest's file name.</summary>
    public const string ManifestName = "manifest.json";

    /// <summary>The label maps, for <see cref="PipelineKind.FromMask"/>.</summary>
    public IReadOnlyList<string> Masks { get; init; } = [];

    /// <summary>Keeps the complete samples that lie in the output folder and were made from the same things.</summary>
    public bool Resume { get; init; }

    /// <summary>The share of the run that is made here.</summary>
    public Shard Shard { get; init; } = Shard.Whole;

    /// <summary>The bundle, open already; it stays the caller's. Null opens it for this run alone.</summary>
    public ModelBundle? Model { get; init; }

    /// <summary>Makes only these samples, by index; null makes all.</summary>
    internal IReadOnlySet<int>? Only { get; init; }

    /// <summary>Runs everything.</summary>
    /// <exception cref="MaisiException">An input is wrong, or the output folder cannot be written.</exception>
    public RunManifest Execute(IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        var clock = Stopwatch.StartNew();
        using var own = Model is null ? ModelBundle.Open(bundle, BundleSettings.Read(bundle), ComputeDevice.Parse(options.Device)) : null;
        var model = Model ?? own!;
        var settings = model.Settings;
        var pipeline = SynthesisPipelines.Create(options.Kind, model);
        if (options.Kind == PipelineKind.FromMask && Masks.Count == 0)
            throw new MaisiException("No label map was given.", "--mask");
        var stems = Stems();
        var resolved = pipeline.Resolve(options);
        if (resolved is { Parity: true, Kind: PipelineKind.Paired, UsesMaskModel: false } && Shard.Count > 1)
            throw new MaisiException("In parity mode samples share one list of label maps, so that a run cannot be shared out.", "--shard", "Leave out --shard or --parity.");
        foreach (var mask in Masks)
            FromMaskPipeline.Condition(VolumeFile.Read(mask), mask, resolved, settings);
        using var folder = new RunFolder(output, Shard);
        var (inputs, bundleFiles) = (Inputs(resolved, model), model.Hashes(options.Kind, resolved.UsesMaskModel));
        var writer = new SampleWriter(settings, resolved, model.Device);
        var tasks = Tasks(stems, resolved, [.. bundleFiles, .. inputs]);
        var samples = new List<SampleRecord>();
        var decode = new DecodeRecord { Mode = resolved.Decode!.Value };
        var runClock = new StageClock("sample", tasks.Count, progress);
        foreach (var task in tasks)
        {
            var record = Resume ? folder.Complete(task.Stem, task.Origin) : null;
            if (record is null)
            {
                using var scope = NewDisposeScope();
                TensorRuntime.Memory(model.Device, resetPeak: true);
                var sample = pipeline.Make(resolved, Input(task, samples), progress, cancellation);
                decode = sample.Decode.PlannedPeakBytes >= (decode.PlannedPeakBytes ?? 0) ? sample.Decode : decode;
                using var staging = folder.Stage(task.Stem);
                record = writer.Write(task, sample, staging);
                folder.Publish(staging, task.Stem, record);
            }
            samples.Add(record);
            runClock.Report(samples.Count, task.Stem);
        }
        TensorRuntime.EmptyCache(model.Device);
        var manifest = new RunManifest
        {
            Program = ProgramInfo.NameAndVersion,
            Versions = ProgramInfo.Versions(),
            Bundle = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(bundle))),
            BundlePath = bundle,
            BundleFiles = bundleFiles,
            Inputs = inputs,
            Options = resolved,
            Decode = decode,
            Samples = samples,
            Seconds = Math.Round(clock.Elapsed.TotalSeconds, 3),
        };
        folder.Write(Shard.NameOf(RunIndex.DatalistName), RunIndex.Datalist(manifest));
        folder.WriteContactSheet(Shard.NameOf(RunIndex.SheetName), samples);
        folder.Write(Shard.NameOf(RunIndex.PageName), RunIndex.Page(manifest, Shard.NameOf(RunIndex.SheetName)));
        folder.Write(Shard.NameOf(ManifestName), manifest.ToJson());
        return manifest;
    }

    private SampleInput Input(SampleTask task, List<SampleRecord> before) => new()
    {
        RunSeed = options.Seed,
        Index = task.Index,
        Mask = task.MaskFile is { } file ? VolumeFile.Read(file.Path) : null,
        MaskName = task.MaskFile?.Path,
        UsedCandidates = before.Sum(s => s.Attempts.Count),
    };

    private string[] Stems() => options.Kind == PipelineKind.FromMask
        ? MaskSource.Stems(Masks, options.Seed, options.Count)
        : [.. Enumerable.Range(0, options.Count).Select(i => $"{options.Kind.ToString().ToLowerInvariant()}_seed{options.Seed}_{i:D3}")];

    private static HashedFile[] Inputs(GenerationOptions options, ModelBundle model)
    {
        var settings = model.Settings;
        List<string?> files = [options.Statistics ?? (options.Kind is PipelineKind.FromMask or PipelineKind.Paired ? Own(settings.RealImgMedianStatisticsFile) : null)];
        if (options is { Kind: PipelineKind.Paired, UsesMaskModel: false })
            files.Add(CandidateMasks.DatabaseOf(options, settings, model.File));
        if (options.UsesMaskModel)
            files.AddRange([Own(settings.AllAnatomySizeCondtionsJson), Own(settings.LabelDictRemapJson)]);
        return [.. files.OfType<string>().Where(File.Exists).Select(file => HashedFile.Of(file))];

        string? Own(string? path) => path is null ? null : model.File(path);
    }

    private List<SampleTask> Tasks(string[] stems, GenerationOptions resolved, IReadOnlyList<HashedFile> files)
    {
        // How many samples the run has does not change one of them, but in parity mode.
        var common = JsonSerializer.Serialize(resolved with { Count = resolved.Parity ? resolved.Count : 0 }, ManifestJson.Default.GenerationOptions)
            + string.Concat(files.Select(f => f.Sha256)) + ProgramInfo.NameAndVersion;
        var masks = Masks.Select(mask => HashedFile.Of(mask)).ToArray();
        return [.. stems.Select((stem, index) => (stem, index)).Where(s => Shard.Has(s.index) && Only?.Contains(s.index) != false).Select(s =>
        {
            var (file, seed) = (masks.Length == 0 ? null : masks[s.index / options.Count], SampleSeed.Of(options.Seed, s.index));
            var origin = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{common}{file?.Sha256}{seed}")));
            return new SampleTask(s.index, s.stem, seed, origin, file);
        })];
    }
}
