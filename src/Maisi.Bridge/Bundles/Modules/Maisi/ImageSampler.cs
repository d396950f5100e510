// Images without masks, as NV-Generate-CTMR's scripts/diff_model_infer.py makes them; Guo et al., "MAISI", arXiv:2409.11169.
using System.Globalization;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Volumes;
using static TorchSharp.torch;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>Samples images from noise alone: the diffusion UNet without a ControlNet. CT is written in HU, MR from 0.</summary>
public sealed class ImageSampler
{
    private readonly ImageSamplerSettings _settings;
    private readonly TimeProvider _time;
    private readonly TextWriter _log;
    private readonly Func<string, string> _full;
    private readonly double _scale;

    /// <param name="settings">The arguments of the bundle.</param>
    /// <param name="time">For the names of the files.</param>
    /// <param name="log">Hears about every sample.</param>
    /// <param name="full">The absolute form of a path of the bundle.</param>
    /// <exception cref="BundleException">A UNet that takes body regions, or a size that the autoencoder cannot halve.</exception>
    public ImageSampler(ImageSamplerSettings settings, TimeProvider time, TextWriter log, Func<string, string> full)
    {
        (_settings, _time, _log, _full) = (settings, time, log, full);
        if (settings.OutputSize.Length != 3 || settings.Spacing.Length != 3)
            throw new BundleException(BundleErrorKind.ValueError, "output_size and spacing need three numbers each");
        var stride = settings.Autoencoder.Downsampling;
        if (settings.OutputSize.Any(s => s < stride || s % stride != 0))
            throw new BundleException(BundleErrorKind.ValueError, $"output_size is [{string.Join(", ", settings.OutputSize)}], but each number must be a multiple of {stride}");
        if (settings.DiffusionUnet.named_children().Any(c => c.name == "top_region_index_layer"))
            throw new BundleException(BundleErrorKind.ValueError, "a UNet with body regions needs a mask that shows them", hint: "use scripts.sample.LDMSampler");
        _scale = TensorBehaviour.Number(settings.ScaleFactor);
    }

    /// <summary>Samples images.</summary>
    /// <param name="numImg">How many.</param>
    /// <returns>The file of each image.</returns>
    public IReadOnlyList<string> SampleMultipleImages(int numImg)
    {
        var seed = _settings.RandomSeed ?? Random.Shared.NextInt64(int.MaxValue);
        return [.. Enumerable.Range(0, numImg).Select(i => Save(Sample(SampleSeed.Of(unchecked((ulong)seed), i)), seed, i))];
    }

    private Volume Sample(ulong seed)
    {
        using var scope = NewDisposeScope();
        var (size, spacing) = (_settings.OutputSize, _settings.Spacing);
        var overlap = _settings.AutoencoderSlidingWindowInferOverlap;
        var grid = new VolumeGrid(size[0], size[1], size[2], Affine.Diagonal(spacing[0], spacing[1], spacing[2]));
        var model = new ImageModel(_settings.Autoencoder, _settings.DiffusionUnet, null, _settings.NoiseScheduler, _scale);
        var image = new ImageSynthesis(model, device(DeviceValue.Of(_settings.Device ?? "cpu").Text)).Sample(new ImageRequest
        {
            Grid = grid,
            Modality = _settings.Modality,
            Steps = _settings.NumInferenceSteps,
            Guidance = _settings.CfgGuidanceScale,
            Seed = seed,
            Windows = new SlidingWindowOptions(_settings.AutoencoderSlidingWindowInferSize, [overlap, overlap, overlap]),
        });
        return ImageSynthesis.ToInt16(image.Image, grid, truncate: true);
    }

    private string Save(Volume image, long seed, int index)
    {
        var folder = Directory.CreateDirectory(_full(_settings.OutputDir)).FullName;
        var (size, spacing) = (string.Join('x', _settings.OutputSize), string.Join('x', _settings.Spacing.Select(s => s.ToString("F2", CultureInfo.InvariantCulture))));
        var time = _time.GetLocalNow().ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture);
        var file = Path.Combine(folder, $"image_seed{seed}_{index}_size{size}_spacing{spacing}_{time}_modality{_settings.Modality}{_settings.ImageOutputExt}");
        VolumeFile.Write(image, file);
        _log.WriteLine($"saved {file}");
        return file;
    }
}
