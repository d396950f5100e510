using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using Maisi.Bridge.Tests.Support;
using Maisi.Bridge.Training;
using Microsoft.Extensions.DependencyInjection;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Generation;

public sealed class GenerationServicesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("maisi-services-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_container_hands_out_one_model_and_samples_with_it()
    {
        var config = TinyTraining.Config();
        var bundle = Path.Combine(_folder, "bundle");
        var report = new TrainingRun(config, bundle).Execute(TinyTraining.Cases(config), []);
        using var provider = new ServiceCollection().AddMaisiModel(bundle).BuildServiceProvider();
        var model = provider.GetRequiredService<ModelBundle>();
        provider.GetRequiredService<AutoencoderKlMaisi>().ShouldBeSameAs(model.Autoencoder);
        provider.GetRequiredService<DiffusionModelUNetMaisi>().ShouldBeSameAs(model.UNet);
        provider.GetRequiredService<ControlNetMaisi>().ShouldBeSameAs(model.ControlNet);
        provider.GetRequiredService<Scheduler>().ShouldBeOfType<RFlowScheduler>();
        model.ScaleFactor.ShouldBe(report.ScaleFactor, 1e-12);

        using var scope = NewDisposeScope();
        var conditions = new ImageConditions { Mask = zeros([1, 1, 16, 16, 16], ScalarType.Byte), Spacing = config.Data.Spacing, Modality = 1 };
        var noise = PhiloxNoise.Normal([1, 4, 4, 4, 4], 3);
        var latent = provider.GetRequiredService<LatentDiffusionSampler>().Sample(conditions, noise, _ => noise, 2, 0);
        latent.shape.ShouldBe([1L, 4, 4, 4, 4]);
        latent.isfinite().all().ToBoolean().ShouldBeTrue();
    }

    [Fact]
    public void A_bundle_without_weights_is_an_error_when_it_is_asked_for()
    {
        using var provider = new ServiceCollection().AddMaisiModel(Path.Combine(_folder, "nothing")).BuildServiceProvider();
        Should.Throw<MaisiException>(() => provider.GetRequiredService<ModelBundle>());
    }
}
