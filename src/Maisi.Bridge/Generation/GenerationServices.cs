using Maisi.Bridge.Networks;
using Maisi.Bridge.Runtime;
using Maisi.Bridge.Schedulers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Maisi.Bridge.Generation;

/// <summary>Registers a bundle with weights with Microsoft.Extensions.DependencyInjection.</summary>
public static class GenerationServices
{
    /// <summary>
    /// Adds the bundle's <see cref="ModelBundle"/>, its networks, scheduler and <see cref="LatentDiffusionSampler"/>, and its pipelines as
    /// <see cref="ISynthesisPipeline"/> with their <see cref="PipelineKind"/> as key. Each network is loaded once, when it is first needed;
    /// the container disposes them.
    /// </summary>
    /// <param name="services">The service collection.</param>
    /// <param name="bundle">Folder of a bundle with configs/inference.json and weights.</param>
    /// <param name="device">Where the networks go: cpu, cuda or cuda:N.</param>
    public static IServiceCollection AddMaisiModel(this IServiceCollection services, string bundle, string device = "cpu")
    {
        ArgumentException.ThrowIfNullOrEmpty(bundle);
        services.TryAddSingleton(_ => ModelBundle.Open(bundle, BundleSettings.Read(bundle), ComputeDevice.Parse(device, nameof(device))));
        foreach (var kind in Enum.GetValues<PipelineKind>())
            services.TryAddKeyedSingleton(kind, (p, _) => SynthesisPipelines.Create(kind, Model(p)));
        services.TryAddTransient(p => new LatentDiffusionSampler(Model(p).UNet, Model(p).ControlNet, Model(p).Scheduler));
        services.TryAddSingleton(p => Model(p).Autoencoder);
        services.TryAddSingleton(p => Model(p).UNet);
        services.TryAddSingleton(p => Model(p).ControlNet);
        services.TryAddSingleton(p => Model(p).Scheduler);
        return services;

        static ModelBundle Model(IServiceProvider provider) => provider.GetRequiredService<ModelBundle>();
    }
}
