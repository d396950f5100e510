using Maisi.Bridge.Bundles;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using static TorchSharp.torch;

namespace Maisi.Bridge.Samples;

/// <summary>Denoising a latent with the diffusion UNet and a rectified-flow scheduler, step by step.</summary>
internal static class DiffusionUNetSample
{
    public static void Run(string bundle)
    {
        using var unet = DiffusionModelUNetMaisi.FromBundle(Path.Combine(bundle, "configs", "inference.json"));
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var scheduler = new RFlowScheduler(new RFlowSchedulerConfig { NumTrainTimesteps = 1000, UseDiscreteTimesteps = false });
        scheduler.SetTimesteps(2, 8 * 8 * 8);
        var conditions = new UNetConditions
        {
            ClassLabels = tensor(new[] { 1L }), // modality 1: CT
            Spacing = tensor(new[] { 150f, 150f, 200f }).reshape(1, 3), // 1.5 x 1.5 x 2 mm, times 100
        };
        var latent = randn([1, 4, 8, 8, 8]);
        for (var i = 0; i < scheduler.Timesteps.Count; i++)
        {
            var velocity = unet.call(latent, scheduler.TimestepTensor(i, 1, CPU), conditions);
            latent = scheduler.Step(velocity, i, latent).Previous;
        }
        Console.WriteLine($"latent [{string.Join(", ", latent.shape)}], mean {latent.mean().cpu().item<float>():F3}");
    }
}
