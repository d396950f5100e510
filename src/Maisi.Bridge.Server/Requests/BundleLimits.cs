using Maisi.Bridge.Client;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Server;

/// <summary>What can be asked of a bundle: MAISI's own sizes and spacings for its networks, otherwise what the bundle declares.</summary>
internal sealed class BundleLimits(BundleSettings settings, MaisiServerOptions options, IReadOnlyList<JobKind> kinds)
{
    /// <summary>Endings of files.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [".nii.gz", ".nii", ".nrrd", ".dcm"];

    /// <summary>Body regions.</summary>
    public static IReadOnlyList<string> Regions { get; } = ["head", "chest", "thorax", "abdomen", "pelvis", "lower"];

    private static readonly int[] _sizesXY = [256, 384, 512], _sizesZ = [128, 256, 384, 512, 640, 768];

    private readonly LabelVocabulary _maisi = LabelVocabulary.Load("maisi");

    /// <summary>Whether size and spacing must be those of NVIDIA's table, which is for CT.</summary>
    public bool HasNimSizes { get; } = settings is { HasMaisiRules: true, Modality: <= 7 };

    /// <summary>Lowest and highest spacing.</summary>
    public (double Low, double High) Spacing => HasNimSizes ? (0.5, 5.0) : (0.1, 20.0);

    /// <summary>What is wrong with an extent; null when nothing is.</summary>
    public string? Size(int axis, int voxels)
    {
        var allowed = axis == 2 ? _sizesZ : _sizesXY;
        if (HasNimSizes)
            return allowed.Contains(voxels) ? null : $"must be one of {string.Join(", ", allowed)}";
        var divisor = ModelBundle.DivisorOf(settings);
        return voxels % divisor == 0 ? null : $"must be divisible by {divisor}; the bundle's own is {settings.OutputSize[axis]}";
    }

    /// <summary>What is wrong with a body region; null when nothing is.</summary>
    public static string? Region(string name) => Regions.Contains(name) ? null : $"must be one of {string.Join(", ", Regions)}";

    /// <summary>What is wrong with a structure; null when nothing is.</summary>
    /// <param name="name">The structure.</param>
    /// <param name="synthesised">Whether label maps are synthesised, which have MAISI's names.</param>
    public string? Anatomy(string name, bool synthesised) =>
        (synthesised ? _maisi.Has(name) : settings.LabelDict.Keys.Contains(name, StringComparer.OrdinalIgnoreCase)) ? null : "is not a structure of this bundle; GET /v1/maisi/info lists them";

    /// <summary>What a client is told.</summary>
    public ServiceLimits Describe() => new()
    {
        MaxOutputSamples = options.MaxSamples,
        MaxVoxels = options.MaxVoxels,
        Divisor = ModelBundle.DivisorOf(settings),
        SizesXY = HasNimSizes ? _sizesXY : null,
        SizesZ = HasNimSizes ? _sizesZ : null,
        Spacing = [Spacing.Low, Spacing.High],
        Modalities = settings.TrainedModalities ?? [settings.Modality],
        BodyRegions = Regions,
        ControllableAnatomy = kinds.Contains(JobKind.Mask) ? settings.SizedStructures : [],
        OutputExtensions = Extensions,
        MaxUploadBytes = options.MaxUploadBytes,
    };
}
