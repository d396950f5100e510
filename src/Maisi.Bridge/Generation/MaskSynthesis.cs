// What NV-Generate-CTMR computes between noise and label map: scripts/sample.py (ldm_conditional_sample_one_mask) and its
// remap of classes (scripts/utils.py); Guo et al., "MAISI", arXiv:2409.11169.
using System.Text.Json;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Generation;

/// <summary>From noise and the relative sizes of ten organs and tumours to a label map.</summary>
/// <param name="model">The networks.</param>
/// <param name="codes">The label code of each class; a class that is not there keeps its number.</param>
public sealed class MaskSynthesis(MaskModel model, IReadOnlyDictionary<int, int> codes)
{
    /// <summary>The label codes of a mask model's classes: those of a file where there is one, otherwise of MAISI's mask model.</summary>
    /// <param name="path">The file (<see cref="ReadCodes"/>); null, or one that is not there, takes MAISI's.</param>
    public static IReadOnlyDictionary<int, int> CodesOf(string? path) => path is not null && File.Exists(path) ? ReadCodes(path) : LabelVocabulary.Load("maisi-mask").ToMaisi;

    /// <summary>Reads the codes of classes, as upstream keeps them: {"name": [class, code]}.</summary>
    /// <exception cref="MaisiException">Another form.</exception>
    public static IReadOnlyDictionary<int, int> ReadCodes(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            return json.RootElement.EnumerateObject().ToDictionary(p => p.Value[0].GetInt32(), p => p.Value[1].GetInt32());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or IndexOutOfRangeException or ArgumentException)
        {
            throw new MaisiException($"The label codes of the mask model's classes cannot be read: {e.Message}", path, "It needs {\"name\": [class, code]}, each class once.", e);
        }
    }

    /// <summary>Denoises the latent of a label map.</summary>
    /// <param name="condition">Ten sizes in the order of <see cref="AnatomySizeConditions.Order"/>.</param>
    /// <param name="noise">Standard normal [1, C, x, y, z]; rounded to half precision first, as upstream does.</param>
    /// <param name="stepNoise">Noise of the latent's shape for step i.</param>
    /// <param name="steps">Denoising steps.</param>
    /// <param name="progress">Told after every step.</param>
    /// <param name="cancellation">Checked before every step.</param>
    public Tensor Denoise(
        IReadOnlyList<double> condition, Tensor noise, Func<int, Tensor> stepNoise, int steps, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var told = new UNetConditions { Context = tensor(condition.Select(c => (float)c).ToArray(), [1, 1, condition.Count]).to(noise.device) };
        var start = noise.to(ScalarType.Float16).to(ScalarType.Float32);
        return DenoisingLoop.Run(model.Scheduler, start, stepNoise, steps,
            (latent, i) => model.UNet.call(latent, model.Scheduler.TimestepTensor(i, 1, latent.device), told), progress, cancellation).MoveToOuterDisposeScope();
    }

    /// <summary>Decodes a latent and takes the likeliest class of each voxel: the label map before it is cleaned.</summary>
    /// <param name="latent">[1, C, x, y, z], scaled.</param>
    /// <param name="spacing">Millimetres along x, y, z.</param>
    /// <param name="windows">Upstream's windows over the latent; null decodes without seams.</param>
    /// <param name="plan">Slabs of the decode, which never holds all classes of the whole volume; null decodes in one piece.</param>
    /// <param name="progress">Told after every slab.</param>
    /// <param name="cancellation">Checked between windows and slabs.</param>
    /// <returns>Label codes, RAS.</returns>
    public Volume Decode(
        Tensor latent, IReadOnlyList<double> spacing, SlidingWindowOptions? windows, SlabPlan? plan, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var unscaled = latent / model.ScaleFactor;
        int[] size = [.. latent.shape[2..].Select(n => (int)n * model.Autoencoder.Downsampling)];
        var classes = new int[size[0] * size[1] * size[2]];
        if (windows is null && plan is not null)
            new SlabCodec(model.Autoencoder).DecodeSlabs(unscaled, plan, (slab, start) => Take(slab, classes, start * size[1] * size[2]), progress, cancellation);
        else
            Take(windows is null ? model.Autoencoder.Decode(unscaled) : DynamicInference.Run(unscaled, model.Autoencoder.Decode, windows, null, cancellation), classes, 0);
        for (var i = 0; i < classes.Length; i++)
            classes[i] = codes.TryGetValue(classes[i], out var code) ? code : classes[i];
        return Volume.FromArray<int>(classes, new VolumeGrid(size[0], size[1], size[2], Affine.Diagonal(spacing[0], spacing[1], spacing[2]))).Narrow();
    }

    private static void Take(Tensor logits, int[] classes, long start)
    {
        using var scope = NewDisposeScope();
        logits.argmax(1).to(ScalarType.Int32).cpu().data<int>().ToArray().CopyTo(classes, start);
    }
}
