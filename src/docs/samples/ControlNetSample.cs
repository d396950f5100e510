using Maisi.Bridge.Bundles;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using static TorchSharp.torch;

namespace Maisi.Bridge.Samples;

/// <summary>A label map steers the UNet: it becomes eight bit planes, the ControlNet turns them into residuals.</summary>
internal static class ControlNetSample
{
    public static void Run(string bundle)
    {
        var config = Path.Combine(bundle, "configs", "inference.json");
        using var unet = DiffusionModelUNetMaisi.FromBundle(config);
        using var controlNet = ControlNetMaisi.FromBundle(config);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var labels = zeros([1, 1, 32, 32, 32], ScalarType.Byte);
        labels[0, 0].fill_(200); // body everywhere
        var modality = tensor(new[] { 1L });
        var timestep = tensor(new[] { 500f });
        var latent = randn([1, 4, 8, 8, 8]);
        var residuals = controlNet.call(latent, timestep, ConditionPlanes.Of(labels), new ControlNetConditions { ClassLabels = modality });
        var velocity = unet.call(latent, timestep, new UNetConditions
        {
            ClassLabels = modality,
            Spacing = tensor(new[] { 150f, 150f, 200f }).reshape(1, 3),
            DownBlockAdditionalResiduals = residuals.Down,
            MidBlockAdditionalResidual = residuals.Mid,
        });
        Console.WriteLine($"{residuals.Down.Count} residuals, velocity [{string.Join(", ", velocity.shape)}]");
    }
}
