using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Evaluation;

/// <summary>How images are made comparable before features are taken, as in upstream's compute_fid_2-5d_ct.py.</summary>
public sealed record FidPreprocessing
{
    /// <summary>Spacing in mm to resample to, three numbers; null keeps each image's own.</summary>
    public IReadOnlyList<double>? Spacing { get; init; }

    /// <summary>Size to pad to (with -1000) and to crop to at the centre, three numbers; null keeps each image's own. Upstream's default is 512³.</summary>
    public IReadOnlyList<int>? Size { get; init; }

    /// <summary>Which slices count.</summary>
    public SliceChoice Slices { get; init; } = new();

    /// <summary>One line for reports and for the keys of the cache.</summary>
    public string Describe() => string.Join(", ", new[]
    {
        "RAS",
        Spacing is { } s ? string.Create(CultureInfo.InvariantCulture, $"resampled to {s[0]}×{s[1]}×{s[2]} mm") : "own spacing",
        Size is { } n ? $"padded with -1000 and cropped to {n[0]}×{n[1]}×{n[2]}" : "own size",
        "clipped to [-1000, 1000] HU",
        Slices.CentreRatio is { } r ? string.Create(CultureInfo.InvariantCulture, $"slices of the central {r:0.###}, every {Slices.Step}") : "all slices",
    });

    /// <summary>Reads an image and prepares it: [X, Y, Z] float32 in HU.</summary>
    /// <exception cref="MaisiException">The file cannot be read, or has several channels or voxels that are no numbers.</exception>
    public Tensor Load(string path)
    {
        Check();
        var volume = VolumeFile.Read(path);
        if (volume.Channels != 1)
            throw new MaisiException($"the image has {volume.Channels} channels", path, "give images of one channel");
        try
        {
            ImageMetrics.RequireNumbers(volume, "the image");
        }
        catch (MaisiException e)
        {
            throw new MaisiException(e.Message, path, e.Hint, e);
        }
        return Prepare(volume);
    }

    /// <summary>As <see cref="Load"/>, for a volume in memory.</summary>
    public Tensor Prepare(Volume volume)
    {
        using var scope = NewDisposeScope();
        var image = volume.Reorient(AxisCodes.RAS).ToTensor();
        if (Spacing is { } spacing)
            image = new Spacing([.. spacing]).Apply(image);
        if (Size is { } size)
            image = new CenterSpatialCrop([.. size]).Apply(new SpatialPad([.. size], value: -1000).Apply(image));
        return image.Data[0].to(ScalarType.Float32).clamp(-1000, 1000).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Where the features of a file are cached: its content, this preparation and the network decide.</summary>
    internal string Key(string path, FeatureNetwork network)
    {
        using var stream = VolumeFile.Open(path);
        var content = Convert.ToHexStringLower(SHA256.HashData(stream));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"1\n{content}\n{Describe()}\n{network.Name}\n{network.Fingerprint}")))[..40];
    }

    private void Check()
    {
        if (Spacing is { } s && (s.Count != 3 || s.Any(v => !double.IsFinite(v) || v <= 0)))
            throw new MaisiException($"[{string.Join(", ", s)}] is no spacing", "--spacing", "give three positive numbers of mm");
        if (Size is { } n && (n.Count != 3 || n.Any(v => v < 1)))
            throw new MaisiException($"[{string.Join(", ", n)}] is no size", "--size", "give three positive numbers of voxels");
        if (Slices.CentreRatio is not (null or (> 0 and <= 1)) || Slices.Every < 1)
            throw new MaisiException($"the central {Slices.CentreRatio} of the slices, every {Slices.Every}, is not possible", "--centre", "give a share in (0, 1] and a step of 1 or more");
    }
}

/// <summary>How FID and its relatives are computed from features.</summary>
public sealed record FidOptions
{
    /// <summary>Preparation of the images.</summary>
    public FidPreprocessing Preprocessing { get; init; } = new();

    /// <summary>Folder of cached features; null keeps them for this run only.</summary>
    public string? Cache { get; init; }

    /// <summary>Resamples of the volumes for the interval; 0 for none.</summary>
    public int Resamples { get; init; } = 200;

    /// <summary>Seed of the resamples and of the slices that are chosen.</summary>
    public int Seed { get; init; }

    /// <summary>Most slices per set and plane for KID, precision, recall, density and coverage, chosen at random; FID takes all.</summary>
    public int SampledSlices { get; init; } = 2000;

    /// <summary>Neighbours for precision, recall, density and coverage.</summary>
    public int Neighbours { get; init; } = 5;
}
