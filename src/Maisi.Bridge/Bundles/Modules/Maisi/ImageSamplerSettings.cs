using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>The arguments of <c>maisi_bridge.ImageSampler</c>.</summary>
public sealed record ImageSamplerSettings
{
    /// <summary>Between images and latents.</summary>
    public required AutoencoderKlMaisi Autoencoder { get; init; }

    /// <summary>Predicts the noise or the velocity.</summary>
    public required DiffusionModelUNetMaisi DiffusionUnet { get; init; }

    /// <summary>What latents were multiplied with: a number or a tensor of one element.</summary>
    public required object ScaleFactor { get; init; }

    /// <summary>Timesteps and update rule.</summary>
    public required Scheduler NoiseScheduler { get; init; }

    /// <summary>Voxels along x, y, z.</summary>
    public required int[] OutputSize { get; init; }

    /// <summary>Millimetres along x, y, z.</summary>
    public required double[] Spacing { get; init; }

    /// <summary>Modality code: 1 to 7 is CT, 8 and more is MR.</summary>
    public required int Modality { get; init; }

    /// <summary>Where images go.</summary>
    public required string OutputDir { get; init; }

    /// <summary>Denoising steps.</summary>
    public int NumInferenceSteps { get; init; } = 30;

    /// <summary>Classifier-free guidance; 0: none.</summary>
    public double CfgGuidanceScale { get; init; }

    /// <summary>Seed of the run; null: a new one.</summary>
    public long? RandomSeed { get; init; }

    /// <summary>Where to compute.</summary>
    public object? Device { get; init; }

    /// <summary>Window of the decoder, in latent voxels.</summary>
    public long[] AutoencoderSlidingWindowInferSize { get; init; } = [80, 80, 80];

    /// <summary>Overlap of the windows.</summary>
    public double AutoencoderSlidingWindowInferOverlap { get; init; } = 0.4;

    /// <summary>Ending of image files.</summary>
    public string ImageOutputExt { get; init; } = ".nii.gz";
}
