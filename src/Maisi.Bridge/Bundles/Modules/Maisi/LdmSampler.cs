// The class LDMSampler of NVIDIA's MAISI bundle (model-zoo maisi_ct_generative, scripts/sample.py) and of NV-Generate-CTMR.
using System.Globalization;
using System.Text.Json;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>
/// Samples CT images under masks of a database, which are varied as upstream does, or under synthesised masks where sizes of organs are
/// asked for (<c>controllable_anatomy_size</c>).
/// </summary>
public sealed class LdmSampler
{
    private QualityCheck? _check;
    private readonly LdmSamplerSettings _settings;
    private readonly TimeProvider _time;
    private readonly TextWriter _log;
    private readonly Func<string, string> _full;
    private readonly int[] _anatomy, _expected;
    private readonly double _scale;
    private readonly SizedMasks? _sized;
    private readonly Device _device;

    /// <param name="settings">The arguments of the bundle.</param>
    /// <param name="time">For the names of the files.</param>
    /// <param name="log">Hears about every sample.</param>
    /// <param name="full">The absolute form of a path of the bundle.</param>
    /// <exception cref="BundleException">An unknown structure, or sizes that cannot be asked for.</exception>
    public LdmSampler(LdmSamplerSettings settings, TimeProvider time, TextWriter log, Func<string, string> full)
    {
        (_settings, _time, _log, _full) = (settings, time, log, full);
        var codes = JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllText(full(settings.LabelDictJson)))!;
        _sized = settings.ControllableAnatomySize.Length > 0 ? new SizedMasks(settings, full) : null;
        _anatomy = [.. (_sized?.Names ?? settings.AnatomyList).Select(Code)];
        _expected = [.. (_sized?.Expected ?? settings.AnatomyList).Select(Code)];
        _scale = TensorBehaviour.Number(settings.ScaleFactor);
        _device = device(DeviceValue.Of(settings.Device ?? "cpu").Text);

        int Code(string name) => codes.TryGetValue(name, out var code) ? code
            : throw new BundleException(BundleErrorKind.ValueError, $"anatomy_list names '{name}', which is no label", hint: Suggestion.For(name, codes.Keys));
    }

    /// <summary>
    /// Samples images, one per mask; an image that fails the quality check gives way to the next mask while there are enough. Of a
    /// synthesised mask every image is kept, as upstream does it, and the check only told.
    /// </summary>
    /// <param name="numImg">How many images.</param>
    /// <returns>The image and label file of each sample.</returns>
    /// <exception cref="MaisiException">No mask fits, or a file cannot be read or written.</exception>
    public IReadOnlyList<IReadOnlyList<string>> SampleMultipleImages(int numImg)
    {
        var seed = _settings.RandomSeed ?? Random.Shared.NextInt64(int.MaxValue);
        return _sized is null ? FromDatabase(numImg, seed) : [.. Enumerable.Range(0, numImg).Select(i => OfSizes(_sized, SampleSeed.Of(unchecked((ulong)seed), i)))];
    }

    private string[] OfSizes(SizedMasks masks, ulong seed)
    {
        using var scope = NewDisposeScope();
        var mask = masks.Make(seed, _device, Windows());
        var missing = mask.Missing(_expected);
        if (missing.Length > 0)
        {
            throw new BundleException(BundleErrorKind.RuntimeError, $"the synthesised mask lacks the labels {string.Join(", ", missing)} once it is resampled",
                hint: "ask for a larger output or size, or take another random_seed");
        }
        var image = Sample(mask, seed);
        foreach (var organ in Outliers(image, mask))
            _log.WriteLine($"{organ} is outside the range of real images");
        return Save(image, mask);
    }

    private List<IReadOnlyList<string>> FromDatabase(int numImg, long seed)
    {
        var database = MaskDatabase.Load(_full(_settings.AllMaskFilesJson));
        var request = new MaskRequest(_settings.BodyRegion, _anatomy, _settings.OutputSize, _settings.Spacing);
        var candidates = database.Find(request, exact: true);
        if (candidates.Count < numImg)
            candidates = database.FindClosest(request, numImg);
        candidates = Shuffle(candidates, seed);
        var saved = new List<IReadOnlyList<string>>();
        for (var i = 0; i < candidates.Count && saved.Count < numImg; i++)
        {
            using var scope = NewDisposeScope();
            var own = SampleSeed.Of(unchecked((ulong)seed), i);
            if (Mask(candidates[i], own) is not { } mask)
                continue;
            var image = Sample(mask, own);
            var outliers = Outliers(image, mask);
            // Upstream's rule: with too few masks left the image is kept all the same.
            if (outliers.Count > 0 && numImg - saved.Count < candidates.Count - i)
            {
                _log.WriteLine($"{candidates[i].PseudoLabelFilename}: {string.Join(", ", outliers)} outside the range of real images; trying another mask");
                continue;
            }
            saved.Add(Save(image, mask));
        }
        return saved.Count == numImg ? saved
            : throw new BundleException(BundleErrorKind.RuntimeError, $"only {saved.Count} of {numImg} images could be made: resampled masks lack the wanted structures", hint: "add masks of that size and spacing to the database");
    }

    // The mask on the wanted grid, varied; null when resampling lost a structure.
    private Volume? Mask(MaskRecord record, ulong seed)
    {
        var mask = VolumeFile.Read(Path.Combine(_full(_settings.AllMaskFilesBaseDir), record.PseudoLabelFilename)).Reorient(AxisCodes.RAS).Narrow();
        mask = mask.ToRequestedGrid(_settings.OutputSize, _settings.Spacing);
        return mask.Missing(_expected).Length == 0 ? mask.Augment(SampleSeed.Stream(seed, SeedStream.Augmentation)) : null;
    }

    private Volume Sample(Volume mask, ulong seed)
    {
        using var scope = NewDisposeScope();
        var model = new ImageModel(_settings.Autoencoder, _settings.DiffusionUnet, _settings.Controlnet, _settings.NoiseScheduler, _scale);
        var image = new ImageSynthesis(model, _device).Sample(new ImageRequest
        {
            Grid = mask.Grid,
            Mask = mask,
            UnconditionalMask = _settings.CfgGuidanceScale > 0 ? mask.RemoveTumours() : null,
            Modality = _settings.Modality ?? 1,
            Steps = _settings.NumInferenceSteps,
            Guidance = _settings.CfgGuidanceScale,
            Seed = seed,
            Windows = Windows(),
        });
        return ImageSynthesis.ToVolume(image.Image, mask.Grid);
    }

    private SlidingWindowOptions Windows()
    {
        var overlap = _settings.AutoencoderSlidingWindowInferOverlap;
        return new SlidingWindowOptions(_settings.AutoencoderSlidingWindowInferSize, [overlap, overlap, overlap]);
    }

    private List<string> Outliers(Volume image, Volume mask) =>
        [.. (_check ??= _settings.RealImgMedianStatistics is { } file ? QualityCheck.Read(_full(file)) : QualityCheck.Maisi()).Run(image, mask).Where(o => o.IsOutlier).Select(o => o.Organ)];

    private string[] Save(Volume image, Volume mask)
    {
        var folder = Directory.CreateDirectory(_full(_settings.OutputDir)).FullName;
        var stem = Path.Combine(folder, $"sample_{_time.GetLocalNow().ToString("yyyyMMdd_HHmmss_ffffff", CultureInfo.InvariantCulture)}");
        string[] files = [$"{stem}_image{_settings.ImageOutputExt}", $"{stem}_label{_settings.LabelOutputExt}"];
        VolumeFile.Write(image, files[0]);
        VolumeFile.Write(mask.KeepOrgans(_anatomy).ConvertTo<float>(), files[1]);
        _log.WriteLine($"saved {files[0]} and {Path.GetFileName(files[1])}");
        return files;
    }

    private static MaskRecord[] Shuffle(IReadOnlyList<MaskRecord> records, long seed)
    {
        var shuffled = records.ToArray();
        new Random(unchecked((int)(seed ^ (seed >> 32)))).Shuffle(shuffled);
        return shuffled;
    }
}
