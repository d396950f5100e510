// What NV-Generate-CTMR computes between noise and image: scripts/sample.py (ldm_conditional_sample_one_image) with a label map,
// scripts/diff_model_infer.py without one. Guo et al., "MAISI", arXiv:2409.11169; Zhao et al., "MAISI-v2", arXiv:2508.05772.
using System.Diagnostics;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Generation;

/// <summary>What one image is made from.</summary>
public sealed record ImageRequest
{
    /// <summary>Where the image lies, axes RAS; every extent divisible by the strides of the networks.</summary>
    public required VolumeGrid Grid { get; init; }

    /// <summary>Label codes on the grid; null makes the image of noise alone.</summary>
    public Volume? Mask { get; init; }

    /// <summary>The map for the unconditional half of guidance: without tumours, as upstream has it; null takes the map itself.</summary>
    public Volume? UnconditionalMask { get; init; }

    /// <summary>Whether voxels without a label are air.</summary>
    public bool AirOutsideMask { get; init; } = true;

    /// <summary>Modality code.</summary>
    public required int Modality { get; init; }

    /// <summary>Highest and lowest body region (<see cref="LabelOperations.BodyRegions"/>), for networks that take them; null asks the label map.</summary>
    public (int Top, int Bottom)? Regions { get; init; }

    /// <summary>Denoising steps.</summary>
    public required int Steps { get; init; }

    /// <summary>Classifier-free guidance; 0 switches it off.</summary>
    public double Guidance { get; init; }

    /// <summary>The seed of the sample; noise has its stream <see cref="SeedStream.Latent"/>.</summary>
    public required ulong Seed { get; init; }

    /// <summary>What 0 and 1 stand for; null takes <see cref="IntensityRange.Of"/> the modality.</summary>
    public IntensityRange? Range { get; init; }

    /// <summary>Upstream's windows over the latent; null decodes without seams.</summary>
    public SlidingWindowOptions? Windows { get; init; }

    /// <summary>Slabs of the decode; null decodes in one piece.</summary>
    public SlabPlan? Plan { get; init; }

    /// <summary>The initial latent (draw 0) and the noise of step i (draw i + 1); null draws them from the seed.</summary>
    internal Func<int, Tensor>? Noise { get; init; }
}

/// <summary>An image and how long it took.</summary>
/// <param name="Image">[1, 1, X, Y, Z], float32, HU or MR intensity.</param>
/// <param name="Denoise">Time for the denoising steps.</param>
/// <param name="Decode">Time for the autoencoder.</param>
public sealed record SynthesizedImage(Tensor Image, TimeSpan Denoise, TimeSpan Decode);

/// <summary>From a seed, and a label map or none, to an image. Every pipeline, the bundle's samplers included, makes its images here.</summary>
/// <param name="model">The networks.</param>
/// <param name="device">Where they lie; the CPU when null.</param>
public sealed class ImageSynthesis(ImageModel model, Device? device = null)
{
    private readonly Device _device = device ?? CPU;

    /// <summary>Makes an image.</summary>
    /// <param name="request">What from.</param>
    /// <param name="progress">Told after every step and slab.</param>
    /// <param name="cancellation">Checked between steps, slabs and windows.</param>
    /// <exception cref="MaisiException">The networks take body regions and nothing tells them.</exception>
    public SynthesizedImage Sample(ImageRequest request, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var mask = request.Mask is { } labels ? ToTensor(labels) : null;
        var shape = model.LatentShape([request.Grid.SizeX, request.Grid.SizeY, request.Grid.SizeZ]);
        var clock = Stopwatch.StartNew();
        var latent = new LatentDiffusionSampler(model.UNet, mask is null ? null : model.ControlNet, model.Scheduler).Sample(
            Conditions(request, mask), Noise(0), step => Noise(step + 1), request.Steps, request.Guidance, progress, cancellation);
        var denoise = clock.Elapsed;
        clock.Restart();
        var image = ImageDecoder.Decode(
            model.Autoencoder, latent, model.ScaleFactor, request.Range ?? IntensityRange.Of(request.Modality), request.AirOutsideMask ? mask : null,
            request.Windows, request.Plan, progress, cancellation);
        return new SynthesizedImage(image.MoveToOuterDisposeScope(), denoise, clock.Elapsed);

        Tensor Noise(int draw) => request.Noise?.Invoke(draw) ?? PhiloxNoise.Normal(shape, SampleSeed.Stream(request.Seed, SeedStream.Latent, draw)).to(_device);
    }

    /// <summary>The image as a volume of float32.</summary>
    public static Volume ToVolume(Tensor image, VolumeGrid grid) => Volume.FromArray<float>(image.cpu().data<float>().ToArray(), grid);

    /// <summary>The image as a volume of int16.</summary>
    /// <param name="image">[1, 1, X, Y, Z].</param>
    /// <param name="grid">Where it lies.</param>
    /// <param name="truncate">Cuts decimals off, as upstream's image-only script does; otherwise they are rounded.</param>
    public static Volume ToInt16(Tensor image, VolumeGrid grid, bool truncate = false)
    {
        var values = new short[image.numel()];
        var plane = grid.SizeY * grid.SizeZ;
        var planes = Math.Max(1, (1 << 22) / plane);
        for (var x = 0; x < grid.SizeX; x += planes)
        {
            using var scope = NewDisposeScope();
            var part = image.narrow(2, x, Math.Min(planes, grid.SizeX - x));
            var whole = truncate ? part : part.round();
            whole.clamp(short.MinValue, short.MaxValue).to(ScalarType.Int16).cpu().contiguous().data<short>().CopyTo(values.AsSpan(x * plane));
        }
        return Volume.FromArray<short>(values, grid);
    }

    private ImageConditions Conditions(ImageRequest request, Tensor? mask)
    {
        var regions = model.TakesRegions ? request.Regions ?? RegionsOf(request.Mask) : ((int Top, int Bottom)?)null;
        return new ImageConditions
        {
            Mask = mask,
            UnconditionalMask = request is { Guidance: > 0, UnconditionalMask: { } map } ? ToTensor(map) : null,
            Spacing = request.Grid.Affine.Spacing,
            Modality = model.TakesModality ? request.Modality : null,
            TopRegion = OneHot(regions?.Top),
            BottomRegion = OneHot(regions?.Bottom),
        };
    }

    private Tensor ToTensor(Volume labels) => tensor(labels.ToArray<short>(), [1, 1, labels.SizeX, labels.SizeY, labels.SizeZ]).to(_device);

    private static (int Top, int Bottom) RegionsOf(Volume? mask) => mask is not null ? LabelOperations.FindBodyRegions([.. mask.CountLabels().Keys])
        : throw new MaisiException("These networks must be told the body regions.", "body regions", $"Name one or more of {string.Join(", ", LabelOperations.BodyRegions)}.");

    private static float[]? OneHot(int? region) => region is { } r ? [.. Enumerable.Range(0, 4).Select(i => i == r ? 100f : 0f)] : null;
}
