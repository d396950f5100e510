// The transforms of MAISI's autoencoder training (NV-Generate-CTMR, scripts/transforms.py; MONAI tutorials, generation/maisi).
using Maisi.Bridge.Generation;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>Reads images for the autoencoder, and cuts augmented patches out of them.</summary>
/// <param name="options">The config's data_option.</param>
/// <param name="patchSize">Voxels of a training patch.</param>
/// <param name="validationSize">Voxels of a validation volume; null is the whole one, padded to multiples of <paramref name="divisor"/>.</param>
/// <param name="divisor">What the network can halve.</param>
/// <param name="parity">As upstream, where a scale factor of 0.9 to 1.1 multiplies by 1.9 to 2.1.</param>
internal sealed class AutoencoderTransforms(AugmentationSection options, int[] patchSize, int[]? validationSize, int divisor, bool parity)
{
    /// <summary>CT or MR: by the word that the modality's name contains.</summary>
    /// <exception cref="MaisiException">Neither.</exception>
    public static bool IsMr(string modality, string where) => modality.Contains("mr", StringComparison.OrdinalIgnoreCase)
        || (modality.Contains("ct", StringComparison.OrdinalIgnoreCase) ? false
            : throw new MaisiException($"The modality '{modality}' is neither CT nor MR.", where, "Name it ct or mri."));

    /// <summary>The image in RAS with intensities in [0, 1]: CT by −1000 to 1000 HU, MR by its percentiles.</summary>
    public VolumeTensor Load(string path, string modality)
    {
        using var scope = NewDisposeScope();
        var image = Normalised(path, modality, options.SelectChannel);
        if (options.SpacingType == "fixed")
            image = new Spacing(options.Spacing ?? throw new MaisiException("spacing_type 'fixed' needs a spacing.", "data_option.spacing")).Apply(image);
        return image with { Data = image.Data.DetachFromDisposeScope() };
    }

    /// <summary>An image in RAS with normalised intensities.</summary>
    /// <exception cref="MaisiException">The modality is neither CT nor MR.</exception>
    public static VolumeTensor Normalised(string path, string modality, int channel)
    {
        using var scope = NewDisposeScope();
        var image = new Orientation("RAS").Apply(VolumeFile.Read(path).ToTensor());
        if (IsMr(modality, path))
        {
            image = image with { Data = image.Data.narrow(0, channel, 1) };
            image = new ScaleIntensityRangePercentiles(0, 99.5, 0, 1).Apply(image);
        }
        else
        {
            image = new ScaleIntensityRange(-1000, 1000, 0, 1, clip: true).Apply(image);
        }
        return image with { Data = image.Data.MoveToOuterDisposeScope() };
    }

    /// <summary>An augmented patch [1, 1, X, Y, Z] of an image.</summary>
    public Tensor Patch(VolumeTensor image, string modality, ulong seed)
    {
        using var scope = NewDisposeScope();
        var draws = 0;
        if (options.RandomAug)
        {
            foreach (var transform in Augmentation(IsMr(modality, "modality")))
            {
                transform.SetRandomState(SampleSeed.Of(seed, draws++));
                image = transform.Apply(image);
            }
        }
        var crop = new RandSpatialCrop(patchSize);
        crop.SetRandomState(SampleSeed.Of(seed, draws));
        return crop.Apply(new SpatialPad(patchSize).Apply(image)).Data.unsqueeze(0).contiguous().DetachFromDisposeScope();
    }

    /// <summary>A validation volume [1, 1, X, Y, Z] of an image.</summary>
    public Tensor Whole(VolumeTensor image)
    {
        using var scope = NewDisposeScope();
        IVolumeTransform fit = validationSize is null ? new DivisiblePad([divisor, divisor, divisor]) : new ResizeWithPadOrCrop(validationSize);
        return fit.Apply(image).Data.unsqueeze(0).MoveToOuterDisposeScope();
    }

    private IEnumerable<RandomTransform> Augmentation(bool mr)
    {
        if (mr)
        {
            yield return new RandBiasField(low: 0, high: 0.3, prob: 0.3);
            yield return new RandGibbsNoise(0.5, 1, prob: 0.3);
            yield return new RandAdjustContrast(prob: 0.3, low: 0.5, high: 2);
            yield return new RandHistogramShift(points: 10, prob: 0.05);
        }
        for (var axis = 0; axis < 3; axis++)
            yield return new RandFlip(0.5, axis);
        foreach (int[] plane in new int[][] { [0, 1], [1, 2], [0, 2] })
            yield return new RandRotate90(0.5, spatialAxes: plane);
        yield return parity ? new RandScaleIntensity(0.9, 1.1, prob: 0.3) : new RandScaleIntensity(-0.1, 0.1, prob: 0.3);
        yield return new RandShiftIntensity(-0.05, 0.05, prob: 0.3);
        if (options.SpacingType != "rand_zoom")
            yield break;
        yield return new RandZoom(0.3, 0.5, 1.5, InterpolationMode.Trilinear, keepSize: false);
        yield return new RandRotate([0.1, 0.1, 0.1], prob: 0.3);
    }
}
