using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Maisi.Bridge.Bundles;

/// <summary>Registers the bundle parser and its targets with Microsoft.Extensions.DependencyInjection.</summary>
public static class BundleServices
{
    /// <summary>Adds a <see cref="TargetRegistry"/> with the standard modules.</summary>
    /// <returns>A builder for further targets: <c>services.AddMaisiBundles().AddTarget&lt;T&gt;("monai....")</c>.</returns>
    public static BundleBuilder AddMaisiBundles(this IServiceCollection services)
    {
        services.TryAddSingleton(provider =>
        {
            var builder = new TargetRegistryBuilder { Services = provider }.AddStandard();
            foreach (var registration in provider.GetServices<TargetRegistration>())
                registration.Register(builder);
            return builder.Build();
        });
        return new BundleBuilder(services);
    }
}

/// <summary>A registration that waits for the registry to be made.</summary>
/// <param name="Register">Adds to the builder.</param>
public sealed record TargetRegistration(Action<TargetRegistryBuilder> Register);

/// <summary>Adds targets to the registry of a service collection.</summary>
/// <param name="Services">The service collection.</param>
public sealed record BundleBuilder(IServiceCollection Services)
{
    /// <summary>Adds a target type under its Python path.</summary>
    public BundleBuilder AddTarget<T>(string path) => Configure(b => b.AddTarget<T>(path));

    /// <summary>Adds anything else: functions, values, behaviours.</summary>
    public BundleBuilder Configure(Action<TargetRegistryBuilder> register)
    {
        Services.AddSingleton(new TargetRegistration(register));
        return this;
    }
}
