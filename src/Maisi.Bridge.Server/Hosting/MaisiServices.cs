using Maisi.Bridge.Python;
using Maisi.Bridge.Volumes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Maisi.Bridge.Server;

/// <summary>Mounts the service in an ASP.NET Core application.</summary>
public static class MaisiServices
{
    /// <summary>Adds the bundle, the queue, the threads of the devices and the store of jobs.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets at least <see cref="MaisiServerOptions.Bundle"/> and <see cref="MaisiServerOptions.DataFolder"/>.</param>
    public static IServiceCollection AddMaisi(this IServiceCollection services, Action<MaisiServerOptions> configure)
    {
        services.Configure(configure);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(p =>
        {
            var options = p.GetRequiredService<IOptions<MaisiServerOptions>>().Value;
            options.Check();
            return options;
        });
        services.AddMaisiPython(python =>
        {
            foreach (var module in DicomFiles.Modules)
                python.Modules.Add(module);
        });
        services.AddSingleton(p => new Lazy<DicomFiles>(() => new DicomFiles(p.GetRequiredService<IPythonRuntime>(), p.GetRequiredService<TimeProvider>())));
        services.AddSingleton<LoadedBundle>().AddSingleton<DataFolder>().AddSingleton<JobQueue>().AddSingleton<DurationEstimate>();
        services.AddSingleton(p => new JobStore(p.GetRequiredService<DataFolder>().Database));
        services.AddSingleton<ServerMetrics>().AddSingleton<PrometheusText>().AddSingleton<Access>().AddSingleton<AuditLog>().AddSingleton<RequestFilter>();
        services.AddSingleton<JobService>().AddSingleton<JobRunner>().AddSingleton<ResultFiles>().AddSingleton<LocalDelivery>().AddSingleton<UploadDelivery>();
        services.AddSingleton<OrderReader>().AddSingleton<MaskUpload>().AddSingleton<NimEndpoints>().AddSingleton<JobEndpoints>();
        services.AddHostedService<DeviceThreads>().AddHostedService<Retention>();
        return services;
    }

    /// <summary>Adds the endpoints, NIM's interface, jobs, metrics and the page.</summary>
    /// <param name="routes">The application, or a group of it.</param>
    /// <param name="page">Whether the web page is served, too.</param>
    /// <returns>The endpoints, for policies of the application's own.</returns>
    /// <exception cref="MaisiException">The options do not fit, or the bundle or the data folder cannot be used.</exception>
    public static IEndpointConventionBuilder MapMaisi(this IEndpointRouteBuilder routes, bool page = true)
    {
        var services = routes.ServiceProvider;
        var filter = services.GetRequiredService<RequestFilter>();
        var metrics = services.GetRequiredService<PrometheusText>();
        var group = routes.MapGroup("").AddEndpointFilter(filter);
        services.GetRequiredService<NimEndpoints>().Map(group);
        services.GetRequiredService<JobEndpoints>().Map(group);
        group.MapGet("/metrics", () => Results.Text(metrics.Write(), "text/plain; version=0.0.4")).ExcludeFromDescription();
        if (page)
            PageEndpoints.Map(group);
        return group;
    }
}
