using System.Security.Cryptography;
using System.Text.Json;
using Maisi.Bridge.Client;
using Maisi.Bridge.Generation;
using Microsoft.AspNetCore.Http.Features;

namespace Maisi.Bridge.Server;

/// <summary>The interface of NVIDIA's MAISI NIM 1.0.1 (docs.nvidia.com/nim/medical/maisi), with a seed and the number of steps beside its fields.</summary>
internal sealed class NimEndpoints(
    MaisiServerOptions options, LoadedBundle bundle, OrderReader reader, JobService jobs, DataFolder folder, LocalDelivery local, UploadDelivery upload)
{
    private const string SeedHeader = "X-Maisi-Seed", Zip = "application/zip";

    private readonly Lazy<License> _license = new(() => ReadLicense(bundle.Path));

    /// <summary>Adds the endpoints.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        // Load balancers ask by HEAD.
        routes.MapMethods("/v1/health/live", [HttpMethods.Head], Live).WithMetadata(new OpenToAll()).ExcludeFromDescription();
        routes.MapMethods("/v1/health/ready", [HttpMethods.Head], Ready).WithMetadata(new OpenToAll()).ExcludeFromDescription();
        routes.MapGet("/v1/health/live", Live).WithMetadata(new OpenToAll())
            .WithName("GetLive").WithSummary("Whether the process answers.").Produces<Health>();
        routes.MapGet("/v1/health/ready", Ready).WithMetadata(new OpenToAll())
            .WithName("GetReady").WithSummary("Whether the weights are loaded and jobs are taken.").Produces<Health>().Produces<Health>(StatusCodes.Status503ServiceUnavailable);
        routes.MapGet("/v1/license", () => Results.Json(_license.Value, ClientJson.Default.License))
            .WithName("GetLicense").WithSummary("The licence of the weights.").Produces<License>();
        routes.MapGet("/v1/maisi/info", Info).WithName("GetInfo").WithSummary("The bundle, its labels, limits and defaults.").Produces<ServiceInfo>();
        routes.MapPost("/v1/maisi/run", (Delegate)RunAsync).WithName("Run").WithSummary("Makes pairs of image and label map and answers with a ZIP.")
            .Accepts<RunRequest>("application/json").Produces(StatusCodes.Status200OK, contentType: Zip).Produces<Delivery>().ProducesProblems();
    }

    private static IResult Live() => Results.Json(new Health { Status = "live" }, ClientJson.Default.Health);

    private IResult Ready()
    {
        var (status, detail) = jobs.IsDraining ? ("draining", "The server is stopping.")
            : bundle.Ready.IsFaulted ? ("failed", "The weights could not be loaded; the server's log says why.")
            : !bundle.Ready.IsCompleted ? ("loading", "The weights are being loaded.") : ("ready", (string?)null);
        return Results.Json(new Health { Status = status, Detail = detail }, ClientJson.Default.Health, statusCode: detail is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    private IResult Info()
    {
        var settings = bundle.Settings;
        return Results.Json(new ServiceInfo
        {
            Program = ProgramInfo.NameAndVersion,
            Version = ReadVersion(bundle.Path),
            Bundle = bundle.Name,
            Kinds = bundle.Kinds,
            Labels = settings.LabelDict,
            Limits = bundle.Limits.Describe(),
            Defaults = new ServiceDefaults { OutputSize = settings.OutputSize, Spacing = settings.Spacing, NumInferenceSteps = settings.NumInferenceSteps, Modality = settings.Modality },
            QueueLength = jobs.Active,
        }, ClientJson.Default.ServiceInfo);
    }

    private async Task<IResult> RunAsync(HttpContext context)
    {
        var gone = context.RequestAborted;
        using var body = await JsonBody.ReadAsync(context.Request, options.MaxJsonBytes, gone);
        var order = reader.Run(body.RootElement);
        // Where the files go is checked before any work.
        var (target, url) = (order.LocalFolder is { } asked ? local.Resolve(asked) : null, order.Url is { } given ? upload.Resolve(given) : null);
        var (record, entry, _) = jobs.Submit(order, RequestFilter.ClientOf(context), transient: true);
        try
        {
            record = await WaitAsync(entry!, gone);
            context.Response.Headers[SeedHeader] = record.Options.Seed.ToString(System.Globalization.CultureInfo.InvariantCulture);
            if (target is not null)
                await AnswerAsync(context, record, $"The files were written to {order.LocalFolder}.", LocalDelivery.Copy(record, folder.Run(record.Id), target));
            else if (url is not null)
                await UploadAsync(context, record, url);
            else
                await SendAsync(context, record);
            return Results.Empty;
        }
        finally
        {
            jobs.Delete(entry!.Record);
        }
    }

    private async Task<JobRecord> WaitAsync(JobEntry entry, CancellationToken gone)
    {
        try
        {
            await entry.Completion.WaitAsync(options.RunTimeout, gone);
        }
        catch (TimeoutException)
        {
            jobs.Cancel(entry, StopReason.TimedOut);
            throw new RequestProblem(StatusCodes.Status504GatewayTimeout, "timeout", "The run took too long.", $"It was ended after {options.RunTimeout.TotalSeconds:F0} s.",
                "Ask for fewer or smaller samples, or submit it as a job (POST /v1/jobs).");
        }
        return entry.Record switch
        {
            { State: JobState.Succeeded } done => done,
            { Problem: { } problem } => throw new RequestProblem(problem.Status, problem.Type.Split(':')[^1], problem.Title, problem.Detail, problem.Hint),
            _ => throw new RequestProblem(StatusCodes.Status503ServiceUnavailable, "cancelled", "The run was cancelled."),
        };
    }

    private async Task SendAsync(HttpContext context, JobRecord record)
    {
        context.Response.ContentType = Zip;
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"maisi_{record.Id}.zip\"";
        // ZipArchive still writes its end by an ordinary write.
        if (context.Features.Get<IHttpBodyControlFeature>() is { } control)
            control.AllowSynchronousIO = true;
        await ResultArchive.WriteAsync(record, folder.Run(record.Id), context.Response.Body, context.RequestAborted);
    }

    private async Task UploadAsync(HttpContext context, JobRecord record, Uri url)
    {
        var file = folder.Upload(".zip");
        try
        {
            await using (var stream = new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16, useAsync: true))
                await ResultArchive.WriteAsync(record, folder.Run(record.Id), stream, context.RequestAborted);
            await upload.SendAsync(url, file, context.RequestAborted);
        }
        finally
        {
            File.Delete(file);
        }
        await AnswerAsync(context, record, $"The ZIP was uploaded to {url.Host}.", [.. ResultFiles.Asked(record).Select(f => f.Name)]);
    }

    private static Task AnswerAsync(HttpContext context, JobRecord record, string message, IReadOnlyList<string> files) =>
        Results.Json(new Delivery { Message = message, Seed = record.Options.Seed, Files = files }, ClientJson.Default.Delivery).ExecuteAsync(context);

    private static License ReadLicense(string path)
    {
        var file = new[] { "LICENSE", "LICENSE.txt", Path.Combine("docs", "LICENSE") }.Select(name => Path.Combine(path, name)).FirstOrDefault(File.Exists);
        var text = file is null ? "The bundle names no licence of its weights." : File.ReadAllText(file);
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        return new License(file is null ? "" : Path.GetFileName(file), bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)), text);
    }

    private static string? ReadVersion(string path)
    {
        var file = Path.Combine(path, "configs", "metadata.json");
        if (!File.Exists(file))
            return null;
        using var json = JsonDocument.Parse(File.ReadAllBytes(file));
        return json.RootElement.TryGetProperty("version", out var version) ? version.ToString() : null;
    }
}
