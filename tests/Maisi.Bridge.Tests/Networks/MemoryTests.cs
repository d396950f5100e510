using Maisi.Bridge.Networks;
using Maisi.Bridge.Runtime;
using Maisi.Bridge.TestSupport;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Networks;

/// <summary>Runs alone, because it counts the bytes of every live tensor in the process.</summary>
[CollectionDefinition(nameof(MemoryTests), DisableParallelization = true)]
[Collection(nameof(MemoryTests))]
public class MemoryTests
{
    private const int DefaultCount = 20;

    /// <summary>MAISI_FUZZ sets the number of forward passes.</summary>
    private static readonly int Count = int.TryParse(Environment.GetEnvironmentVariable("MAISI_FUZZ"), out var count) ? count : DefaultCount;

    [Fact]
    public void Forward_passes_leave_nothing_behind()
    {
        using var noGrad = no_grad();
        using Golden golden = new("unet_rflow"), controlGolden = new("controlnet_rflow"), vae = new("vae_maisi");
        using var unet = golden.Network<DiffusionModelUNetMaisi>();
        using var control = controlGolden.Network<ControlNetMaisi>();
        using var autoencoder = vae.Network<AutoencoderKlMaisi>();
        using var inputs = NewDisposeScope();
        Tensor x = golden["in/x"], t = golden["in/timesteps"], condition = Golden.BitPlanes(controlGolden["in/label"]), z = vae["in/z"], image = vae["in/x"];
        var conditions = DiffusionUNetTests.Conditions(golden, "in/");
        Once();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long bytes = TensorRuntime.Memory(CPU).Allocated, rss = Environment.WorkingSet;
        for (var i = 0; i < Count; i++)
            Once();
        // no collection here: scopes alone must have freed everything
        TensorRuntime.Memory(CPU).Allocated.ShouldBeLessThanOrEqualTo(bytes);
        (Environment.WorkingSet - rss).ShouldBeLessThan(64L << 20, $"working set after {Count} passes");

        void Once()
        {
            using var scope = NewDisposeScope();
            var residuals = control.call(x, t, condition, new ControlNetConditions { ClassLabels = conditions.ClassLabels });
            unet.call(x, t, conditions with { DownBlockAdditionalResiduals = residuals.Down, MidBlockAdditionalResidual = residuals.Mid });
            autoencoder.Decode(z);
            autoencoder.Encode(image);
        }
    }
}
