using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maisi.Bridge.Python;

/// <summary>Registration of Python.</summary>
public static class PythonServices
{
    /// <summary>Adds <see cref="IPythonRuntime"/> as a singleton.</summary>
    public static IServiceCollection AddMaisiPython(this IServiceCollection services, Action<PythonOptions>? configure = null)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IPythonRuntime>(provider =>
        {
            var options = new PythonOptions();
            configure?.Invoke(options);
            return new PythonRuntime(options, provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance, provider.GetRequiredService<TimeProvider>());
        });
        return services;
    }
}
