// The latents of NV-Generate-CTMR, scripts/diff_model_create_training_data.py; Guo et al., arXiv:2409.11169.
using System.Text.Json;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>What lies beside a latent: the conditions that belong to it.</summary>
internal sealed record LatentSidecar
{
    /// <summary>Voxels of the resized image.</summary>
    public int[]? Dim { get; set; }

    /// <summary>Millimetres of its voxels.</summary>
    public required float[] Spacing { get; init; }

    /// <summary>A name of the modality mapping.</summary>
    public string? Modality { get; set; }

    /// <summary>One-hot index of the uppermost body region.</summary>
    public float[]? TopRegionIndex { get; set; }

    /// <summary>One-hot index of the lowest body region.</summary>
    public float[]? BottomRegionIndex { get; set; }
}

/// <summary>
/// Encodes images: resized to multiples of a size, a sample of their latent as NIfTI [X, Y, Z, C] and the conditions as JSON beside it.
/// </summary>
/// <param name="network">The autoencoder, with its weights.</param>
/// <param name="multiple">Extents become the nearest multiple of this, at least one.</param>
/// <param name="parity">As upstream, which takes the extents before the image is turned to RAS.</param>
/// <param name="device">Where to compute.</param>
/// <param name="seed">Seed of the samples.</param>
internal sealed class LatentExtraction(AutoencoderKlMaisi network, int multiple, bool parity, Device device, ulong seed)
{
    private static readonly long[] Window = [320, 320, 160];
    private const double Overlap = 0.4;

    /// <summary>The file of an image's latent, as upstream names it.</summary>
    public static string FileOf(string name, string folder)
    {
        var stem = name.EndsWith(".gz", StringComparison.Ordinal) ? name[..^3] : name;
        return Path.GetFullPath((stem.EndsWith(".nii", StringComparison.Ordinal) ? stem[..^4] : stem) + "_emb.nii.gz", folder);
    }

    /// <summary>Encodes the images that have no latent yet; one that fails is reported and left out.</summary>
    /// <returns>Latents written, and failures by file.</returns>
    public (int Written, IReadOnlyList<(string File, string Error)> Failed) Run(
        IReadOnlyList<TrainingRecord> records, string modality, string folder, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var clock = new StageClock("latents", records.Count, progress);
        var failed = new List<(string, string)>();
        var written = 0;
        network.eval();
        for (var i = 0; i < records.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var target = FileOf(records[i].Name, folder);
            try
            {
                if (!File.Exists(target) || !File.Exists(target + ".json"))
                {
                    Encode(records[i], records[i].Modality ?? modality, target, SampleSeed.Of(seed, i));
                    written++;
                }
            }
            catch (MaisiException e)
            {
                failed.Add((records[i].Image, e.Message));
            }
            clock.Report(i + 1, Path.GetFileName(target));
        }
        return (written, failed);
    }

    /// <summary>The nearest multiple, half to even, at least one.</summary>
    internal int Rounded(int extent) => (int)Math.Max(Math.Round(extent / (double)multiple, MidpointRounding.ToEven), 1) * multiple;

    private void Encode(TrainingRecord record, string modality, string target, ulong sampleSeed)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var image = AutoencoderTransforms.Normalised(record.Image, modality, 0);
        var original = parity ? Extents(record.Image) : image.Size;
        image = new Volumes.Resize([.. original.Select(Rounded)], InterpolationMode.Trilinear).Apply(image);
        var draw = 0;
        var latent = DynamicInference.Run(image.Data.unsqueeze(0).to(device), window =>
        {
            long[] shape = [1, network.Shape.LatentChannels, .. window.shape[2..].Select(n => n / network.Downsampling)];
            return network.EncodeStage2Inputs(window, PhiloxNoise.Normal(shape, SampleSeed.Of(sampleSeed, draw++)).to(device));
        }, new SlidingWindowOptions(Window, [Overlap, Overlap, Overlap]));
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        var sidecar = new LatentSidecar
        {
            Dim = image.Size,
            Spacing = [.. image.Affine.Spacing.Select(s => (float)s)],
            Modality = modality,
            TopRegionIndex = record.TopRegion,
            BottomRegionIndex = record.BottomRegion,
        };
        VolumeFile.Write(new VolumeTensor(latent[0], image.Affine).ToVolume(), target);
        AtomicFile.Write(target + ".json", stream => JsonSerializer.Serialize(stream, sidecar, SectionJson.Default.LatentSidecar));
    }

    private static int[] Extents(string path)
    {
        var volume = VolumeFile.Read(path);
        return [volume.SizeX, volume.SizeY, volume.SizeZ];
    }
}
