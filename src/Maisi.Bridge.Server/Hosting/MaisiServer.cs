using Maisi.Bridge.Client;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Maisi.Bridge.Server;

/// <summary>The service as a program of its own.</summary>
public static class MaisiServer
{
    /// <summary>Builds it; nothing is listening yet.</summary>
    /// <param name="configure">The service's options.</param>
    /// <param name="urls">Where it listens, for instance http://127.0.0.1:8000.</param>
    /// <param name="logging">Where its log goes; null is silent.</param>
    /// <exception cref="MaisiException">Options do not fit, the bundle or the data folder cannot be used, or it would be open to all.</exception>
    public static WebApplication Build(Action<MaisiServerOptions> configure, IReadOnlyList<string> urls, Action<ILoggingBuilder>? logging = null)
    {
        var options = new MaisiServerOptions();
        configure(options);
        options.Check();
        RequireSafe(options, urls);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        logging?.Invoke(builder.Logging);
        builder.WebHost.UseKestrelHttpsConfiguration().UseUrls([.. urls]).ConfigureKestrel(kestrel => Limit(kestrel, options));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.DrainTimeout + TimeSpan.FromSeconds(20));
        builder.Services.Configure<JsonOptions>(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = System.Text.Json.JsonNamingPolicy.SnakeCaseLower;
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, ClientJson.Default);
        });
        builder.Services.AddMaisi(configure);
        builder.Services.AddOpenApi("v1", document => document.AddMaisiDescription());
        if (options.CorsOrigins.Count > 0)
            builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy.WithOrigins([.. options.CorsOrigins]).AllowAnyHeader().WithMethods("GET", "POST", "DELETE").WithExposedHeaders("Location", "X-Maisi-Seed")));
        AddTelemetry(builder);
        var app = builder.Build();
        app.UseStatusCodePages(context => WriteProblemAsync(context.HttpContext));
        if (options.CorsOrigins.Count > 0)
            app.UseCors();
        app.MapOpenApi("/openapi/{documentName}.json").WithMetadata(new OpenToAll()).AddEndpointFilter(app.Services.GetRequiredService<RequestFilter>());
        app.MapMaisi();
        if (!options.AllowAnonymous && options.ApiKeys.Count > 0)
        {
            foreach (var url in urls.Where(u => !IsLoopback(u) && u.StartsWith("http:", StringComparison.OrdinalIgnoreCase)))
                ServerLog.ClearText(app.Logger, url);
        }
        return app;
    }

    /// <summary>Done when the weights are loaded; failed when they cannot be.</summary>
    public static Task Ready(IServiceProvider services) => services.GetRequiredService<LoadedBundle>().Ready;

    private static void Limit(KestrelServerOptions kestrel, MaisiServerOptions options)
    {
        kestrel.AddServerHeader = false;
        var limits = kestrel.Limits;
        limits.MaxRequestBodySize = options.MaxUploadBytes + options.MaxJsonBytes + (64 << 10);
        limits.MaxConcurrentConnections = 1024;
        limits.MaxRequestHeadersTotalSize = 16 << 10;
        limits.MaxRequestHeaderCount = 64;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
        limits.MinRequestBodyDataRate = new MinDataRate(240, TimeSpan.FromSeconds(5));
        limits.MinResponseDataRate = new MinDataRate(240, TimeSpan.FromSeconds(30));
    }

    // Without keys only this machine may come in, unless the operator says otherwise.
    private static void RequireSafe(MaisiServerOptions options, IReadOnlyList<string> urls)
    {
        if (options.ApiKeys.Count == 0 && !options.AllowAnonymous && urls.FirstOrDefault(u => !IsLoopback(u)) is { } open)
            throw new MaisiException("Without keys the server would be open to other machines.", open, "Give --keys FILE ('maisi serve key NAME' makes keys), listen on 127.0.0.1, or pass --allow-anonymous.");
    }

    private static bool IsLoopback(string url) => BindingAddress.Parse(url).Host is "localhost" or "127.0.0.1" or "[::1]";

    // Exporters are configured by OpenTelemetry's own environment variables.
    private static void AddTelemetry(WebApplicationBuilder builder)
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT")))
            return;
        builder.Services.AddOpenTelemetry().ConfigureResource(r => r.AddService("maisi"))
            .WithTracing(t => t.AddSource(ServerMetrics.Name).AddSource("Microsoft.AspNetCore").AddOtlpExporter())
            .WithMetrics(m => m.AddMeter(ServerMetrics.Name).AddOtlpExporter());
    }

    // What no endpoint has answered: wrong paths and methods.
    private static Task WriteProblemAsync(HttpContext context)
    {
        var status = context.Response.StatusCode;
        var problem = new Problem { Status = status, Title = Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status), TraceId = context.TraceIdentifier };
        return Results.Json(problem, ClientJson.Default.Problem, "application/problem+json", status).ExecuteAsync(context);
    }
}
