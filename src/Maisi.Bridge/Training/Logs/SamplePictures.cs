using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>What a diffusion UNet, or a ControlNet with it, makes at the end of its training: pictures for the report.</summary>
/// <param name="unet">The UNet.</param>
/// <param name="controlNet">The ControlNet; null samples of noise alone.</param>
/// <param name="scheduler">With all of its steps, or with 30 where it is rectified flow.</param>
/// <param name="scaleFactor">What latents were multiplied with.</param>
internal sealed class SamplePictures(DiffusionModelUNetMaisi unet, ControlNetMaisi? controlNet, Scheduler scheduler, double scaleFactor)
{
    private const int FlowSteps = 30;
    private const long CpuBudget = FlowSteps * 64L * 64 * 64, CudaBudget = FlowSteps * 256L * 256 * 256, MostDecoded = 32L * 32 * 32;

    /// <summary>
    /// A sample under the conditions of a training case, beside that case: as images where there is an autoencoder and they are small
    /// enough, otherwise the first channel of the latents. Nothing where sampling would take more than minutes.
    /// </summary>
    /// <param name="like">The training case.</param>
    /// <param name="device">Where the networks lie.</param>
    /// <param name="seed">Draws the noise.</param>
    /// <param name="autoencoder">Decodes; null where there is none.</param>
    public IReadOnlyList<ReportPicture> Of(LatentCase like, Device device, ulong seed, AutoencoderKlMaisi? autoencoder = null)
    {
        var voxels = like.Latent.shape[1..].Aggregate(1L, (a, b) => a * b);
        var steps = scheduler is RFlowScheduler ? FlowSteps : scheduler.NumTrainTimesteps;
        if (voxels * steps > (device.type == DeviceType.CUDA ? CudaBudget : CpuBudget))
            return [];
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        long[] shape = [1, .. like.Latent.shape];
        var sample = new LatentDiffusionSampler(unet, controlNet, scheduler).Sample(
            new ImageConditions
            {
                Mask = controlNet is null ? null : like.Labels!.unsqueeze(0).to(device),
                Spacing = [.. like.Spacing.Select(s => s / 100.0)],
                Modality = unet.Shape.ClassEmbeds is null ? null : like.Modality,
                TopRegion = like.Top,
                BottomRegion = like.Bottom,
            },
            Noise(0), step => Noise(step + 1), steps, 0);
        var decodes = autoencoder is not null && voxels <= MostDecoded;
        var spacing = like.Spacing.Select(s => s / 100.0).ToArray();
        var what = decodes ? "" : ", first channel of the latent";
        return
        [
            ReportPictures.Of($"training case{what}", Seen(like.Latent.unsqueeze(0).to(device)), spacing),
            ReportPictures.Of($"sampled {(controlNet is null ? "of noise alone" : "under its label map")}, {steps} steps{what}", Seen(sample / scaleFactor), spacing),
        ];

        Tensor Noise(int draw) => PhiloxNoise.Normal(shape, SampleSeed.Stream(seed, SeedStream.Latent, draw)).to(device);

        Tensor Seen(Tensor latent) => decodes ? autoencoder!.Decode(latent).clamp(0, 1).cpu() : Scaled(latent[.., ..1].to(ScalarType.Float32).cpu());
    }

    private static Tensor Scaled(Tensor channel) => (channel - channel.min()) / (channel.max() - channel.min() + 1e-6);
}
