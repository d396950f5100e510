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
/// Samples CT images under masks of a database. Masks are used as they are, without upstream's random deformation, and are not generated:
/// sizes of organs (<c>controllable_anatomy_size</c>) are refused.
/// </summary>
public sealed class LdmSampler
{
    private readonly LdmSamplerSettings _settings;
    private readonly TimeProvider _time;
    private readonly TextWriter _log;
    private readonly Func<string, string> _full;
    private readonly int[] _anatomy;
    private readonly double _scale;

    /// <param name="settings">The arguments of the bundle.</param>
    /// <param name="time">For the names of the files.</param>
    /// <param name="log">Hears about every sample.</param>
    /// <param name="full">The absolute form of a path of the bundle.</param>
    /// <exception cref="BundleException">An unknown structure, or mask generation is asked for.</exception>
    public LdmSampler(LdmSamplerSettings settings, TimeProvider time, TextWriter log, Func<string, string> full)
    {
        if (settings.ControllableAnatomySize.Length > 0)
        {
            throw new BundleException(BundleErrorKind.ValueError, "controllable_anatomy_size needs generated masks, which this sampler does not make",
                hint: "leave it empty: masks then come from the database; or run the bundle with 'python -m monai.bundle'");
        }
        (_settings, _time, _log, _full) = (settings, time, log, full);
        var codes = JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllText(full(settings.LabelDictJson)))!;
        _anatomy = [.. settings.AnatomyList.Select(name => codes.TryGetValue(name, out var code) ? code
            : throw new BundleException(BundleErrorKind.ValueError, $"anatomy_list names '{name}', which is no label", hint: Suggestion.For(name, codes.Keys)))];
        _scale = TensorBehaviour.Number(settings.ScaleFactor);
    }

    /// <summary>
    /// Samples images, one per mask; an image that fails the quality check gives way to the next mask while there are enough.
    /// </summary>
    /// <param name="numImg">How many images.</param>
    /// <returns>The image and label file of each sample.</returns>
    /// <exception cref="MaisiException">No mask fits, or a file cannot be read or written.</exception>
    public IReadOnlyList<IReadOnlyList<string>> SampleMultipleImages(int numImg)
    {
        var database = MaskDatabase.Load(_full(_settings.AllMaskFilesJson));
        var request = new MaskRequest(_settings.BodyRegion, _anatomy, _settings.OutputSize, _settings.Spacing);
        var seed = _settings.RandomSeed ?? Random.Shared.NextInt64(int.MaxValue);
        var candidates = database.Find(request, exact: true);
        if (candidates.Count < numImg)
            candidates = database.FindClosest(request, numImg);
        candidates = Shuffle(candidates, seed);
        var check = Statistics();
        var saved = new List<IReadOnlyList<string>>();
        for (var i = 0; i < candidates.Count && saved.Count < numImg; i++)
        {
            using var scope = NewDisposeScope();
            if (Mask(candidates[i]) is not { } mask)
                continue;
            var image = Sample(mask, SampleSeed.Of(unchecked((ulong)seed), i));
            var outliers = check.Run(image, mask).Where(o => o.IsOutlier).Select(o => o.Organ).ToList();
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

    // The mask on the wanted grid; null when resampling lost a structure.
    private Volume? Mask(MaskRecord record)
    {
        var mask = VolumeFile.Read(Path.Combine(_full(_settings.AllMaskFilesBaseDir), record.PseudoLabelFilename)).Reorient(AxisCodes.RAS).Narrow();
        mask = mask.ToRequestedGrid(_settings.OutputSize, _settings.Spacing);
        return mask.Missing(_anatomy).Length == 0 ? mask : null;
    }

    private Volume Sample(Volume mask, ulong seed)
    {
        using var scope = NewDisposeScope();
        var overlap = _settings.AutoencoderSlidingWindowInferOverlap;
        var model = new ImageModel(_settings.Autoencoder, _settings.DiffusionUnet, _settings.Controlnet, _settings.NoiseScheduler, _scale);
        var image = new ImageSynthesis(model, device(DeviceValue.Of(_settings.Device ?? "cpu").Text)).Sample(new ImageRequest
        {
            Grid = mask.Grid,
            Mask = mask,
            UnconditionalMask = _settings.CfgGuidanceScale > 0 ? mask.RemoveTumours() : null,
            Modality = _settings.Modality ?? 1,
            Steps = _settings.NumInferenceSteps,
            Guidance = _settings.CfgGuidanceScale,
            Seed = seed,
            Windows = new SlidingWindowOptions(_settings.AutoencoderSlidingWindowInferSize, [overlap, overlap, overlap]),
        });
        return ImageSynthesis.ToVolume(image.Image, mask.Grid);
    }

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

    private QualityCheck Statistics() => _settings.RealImgMedianStatistics is { } file ? QualityCheck.Read(_full(file)) : QualityCheck.Maisi();

    private static MaskRecord[] Shuffle(IReadOnlyList<MaskRecord> records, long seed)
    {
        var shuffled = records.ToArray();
        new Random(unchecked((int)(seed ^ (seed >> 32)))).Shuffle(shuffled);
        return shuffled;
    }
}
