using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Maisi.Bridge.Generation;

/// <summary>Registers a bundle with weights with Microsoft.Extensions.DependencyInjection.</summary>
public static class GenerationServices
{
    /// <summary>
    /// Adds the bundle's <see cref="ModelBundle"/>, its networks, scheduler and <see cref="LatentDiffusionSampler"/>. The weights are
    /// loaded once, when the first of them is asked for; the container disposes them.
    /// </summary>
    /// <param name="services">The service collection.</param>
    /// <param name="bundle">Folder of a bundle with configs/inference.json and weights.</param>
    public static IServiceCollection AddMaisiModel(this IServiceCollection services, string bundle)
    {
        ArgumentException.ThrowIfNullOrEmpty(bundle);
        services.TryAddSingleton(_ => ModelBundle.Load(bundle, BundleSettings.Read(bundle)));
        services.TryAddTransient(p => new LatentDiffusionSampler(Model(p).UNet, Model(p).ControlNet, Model(p).Scheduler));
        services.TryAddSingleton(p => Model(p).Autoencoder);
        services.TryAddSingleton(p => Model(p).UNet);
        services.TryAddSingleton(p => Model(p).ControlNet);
        services.TryAddSingleton(p => Model(p).Scheduler);
        return services;

        static ModelBundle Model(IServiceProvider provider) => provider.GetRequiredService<ModelBundle>();
    }
}
