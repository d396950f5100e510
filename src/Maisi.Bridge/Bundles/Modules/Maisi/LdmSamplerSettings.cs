using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>The arguments of <c>scripts.sample.LDMSampler</c>, under NVIDIA's names (spelling included).</summary>
public sealed record LdmSamplerSettings
{
    /// <summary>Body regions that the mask must show.</summary>
    public required string[] BodyRegion { get; init; }

    /// <summary>Structures that the mask must show, and that are saved.</summary>
    public required string[] AnatomyList { get; init; }

    /// <summary>The mask database.</summary>
    public required string AllMaskFilesJson { get; init; }

    /// <summary>The folder of its masks.</summary>
    public required string AllMaskFilesBaseDir { get; init; }

    /// <summary>Names and codes of the labels.</summary>
    public required string LabelDictJson { get; init; }

    /// <summary>Between images and latents.</summary>
    public required AutoencoderKlMaisi Autoencoder { get; init; }

    /// <summary>Predicts the noise or the velocity.</summary>
    public required DiffusionModelUNetMaisi DiffusionUnet { get; init; }

    /// <summary>Steers the UNet by the mask.</summary>
    public required ControlNetMaisi Controlnet { get; init; }

    /// <summary>What latents were multiplied with: a number or a tensor of one element.</summary>
    public required object ScaleFactor { get; init; }

    /// <summary>Timesteps and update rule.</summary>
    public required Scheduler NoiseScheduler { get; init; }

    /// <summary>Voxels along x, y, z.</summary>
    public required int[] OutputSize { get; init; }

    /// <summary>Millimetres along x, y, z.</summary>
    public required double[] Spacing { get; init; }

    /// <summary>Where images and label maps go.</summary>
    public required string OutputDir { get; init; }

    /// <summary>Denoising steps.</summary>
    public int NumInferenceSteps { get; init; } = 1000;

    /// <summary>Where to compute.</summary>
    public object? Device { get; init; }

    /// <summary>Channels and extents of the latent; follows from the output size.</summary>
    public int[]? LatentShape { get; init; }

    /// <summary>Seed of the run; null: a new one.</summary>
    public long? RandomSeed { get; init; }

    /// <summary>Modality code; taken by networks with a class embedding.</summary>
    public int? Modality { get; init; }

    /// <summary>Classifier-free guidance; 0: none.</summary>
    public double CfgGuidanceScale { get; init; }

    /// <summary>Window of the decoder, in latent voxels.</summary>
    public long[] AutoencoderSlidingWindowInferSize { get; init; } = [96, 96, 96];

    /// <summary>Overlap of the windows.</summary>
    public double AutoencoderSlidingWindowInferOverlap { get; init; } = 0.6667;

    /// <summary>Ending of image files.</summary>
    public string ImageOutputExt { get; init; } = ".nii.gz";

    /// <summary>Ending of label files.</summary>
    public string LabelOutputExt { get; init; } = ".nii.gz";

    /// <summary>HU statistics for the quality check; null: those of MAISI.</summary>
    public string? RealImgMedianStatistics { get; init; }

    /// <summary>Wanted sizes of organs and tumours, each [name, size]; any makes the masks synthesised ones.</summary>
    public object[] ControllableAnatomySize { get; init; } = [];

    /// <summary>For mask generation.</summary>
    public string? AllAnatomySizeCondtionsJson { get; init; }

    /// <summary>For mask generation.</summary>
    public string? LabelDictRemapJson { get; init; }

    /// <summary>For mask generation.</summary>
    public AutoencoderKlMaisi? MaskGenerationAutoencoder { get; init; }

    /// <summary>For mask generation.</summary>
    public DiffusionModelUNet? MaskGenerationDiffusionUnet { get; init; }

    /// <summary>For mask generation.</summary>
    public object? MaskGenerationScaleFactor { get; init; }

    /// <summary>For mask generation.</summary>
    public Scheduler? MaskGenerationNoiseScheduler { get; init; }

    /// <summary>For mask generation.</summary>
    public int[]? MaskGenerationLatentShape { get; init; }

    /// <summary>For mask generation.</summary>
    public int? MaskGenerationNumInferenceSteps { get; init; }
}
