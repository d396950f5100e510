using System.Net.ServerSentEvents;
using System.Security.Cryptography;
using Maisi.Bridge.Client;
using Maisi.Bridge.Generation;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Net.Http.Headers;

namespace Maisi.Bridge.Server;

/// <summary>Jobs that go on while nobody waits: submitted, watched, fetched, cancelled, deleted.</summary>
internal sealed class JobEndpoints(
    MaisiServerOptions options, OrderReader reader, MaskUpload uploads, JobService jobs, DataFolder folder, IHostApplicationLifetime lifetime)
{
    private const string KeyHeader = "Idempotency-Key";
    private const int LongestKey = 255, LargestPage = 200;

    private static readonly TimeSpan _pace = TimeSpan.FromMilliseconds(100), _heartbeat = TimeSpan.FromSeconds(10);

    /// <summary>Adds the endpoints.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/jobs", (Delegate)SubmitAsync).WithName("Submit").WithSummary("Submits a job; a form with the parts request and mask for kind from-mask.")
            .Accepts<JobRequest>("application/json", "multipart/form-data").Produces<Job>(StatusCodes.Status202Accepted).Produces<Job>().ProducesProblems();
        routes.MapGet("/v1/jobs", List).WithName("ListJobs").WithSummary("The client's jobs, newest first.").Produces<JobList>().ProducesProblems();
        routes.MapGet("/v1/jobs/{id}", (HttpContext c, string id) => Show(Find(c, id))).WithName("GetJob").WithSummary("A job.").Produces<Job>().ProducesProblems();
        routes.MapDelete("/v1/jobs/{id}", Delete).WithName("DeleteJob").WithSummary("Deletes a job and its files; one that runs is stopped.").Produces(StatusCodes.Status204NoContent).ProducesProblems();
        routes.MapPost("/v1/jobs/{id}/cancel", CancelAsync).WithName("CancelJob").WithSummary("Stops a job that waits or runs.").Produces<Job>().ProducesProblems();
        routes.MapGet("/v1/jobs/{id}/events", Watch).WithName("WatchJob").WithSummary("The job whenever it has come further (server-sent events), until it has ended.")
            .Produces<Job>(contentType: "text/event-stream").ProducesProblems();
        routes.MapMethods("/v1/jobs/{id}/files/{**name}", [HttpMethods.Head], Download).ExcludeFromDescription();
        routes.MapGet("/v1/jobs/{id}/files/{**name}", Download).WithName("GetFile").WithSummary("A file of a job; ranges are answered.").Produces(StatusCodes.Status200OK, contentType: "application/octet-stream")
            .Produces(StatusCodes.Status206PartialContent, contentType: "application/octet-stream").ProducesProblems();
        routes.MapGet("/v1/jobs/{id}/archive", ArchiveAsync).WithName("GetArchive").WithSummary("A ZIP of the files in the formats that were asked for.").Produces(StatusCodes.Status200OK, contentType: "application/zip").ProducesProblems();
    }

    private async Task<IResult> SubmitAsync(HttpContext context)
    {
        var (request, token) = (context.Request, context.RequestAborted);
        string? mask = null;
        try
        {
            ReadOnlyMemory<byte> json;
            if (request.ContentType?.StartsWith("multipart/form-data", StringComparison.OrdinalIgnoreCase) == true)
                (json, mask) = await uploads.ReadAsync(request, token);
            else
                json = await ReadJsonAsync(request, token);
            using var body = JsonBody.Parse(json);
            var order = reader.Job(body.RootElement, mask);
            if (mask is not null)
                await uploads.CheckAsync(mask, order.Options, token);
            var (record, _, isNew) = jobs.Submit(order, RequestFilter.ClientOf(context), transient: false, Key(request, json, mask));
            if (!isNew)
                return Show(record);
            mask = null;
            return Results.Json(jobs.View(record), ClientJson.Default.Job, statusCode: StatusCodes.Status202Accepted).With($"{request.PathBase}{request.Path}/{record.Id}", context);
        }
        finally
        {
            MaskUpload.Remove(mask);
        }
    }

    private async Task<ReadOnlyMemory<byte>> ReadJsonAsync(HttpRequest request, CancellationToken token)
    {
        using var body = await JsonBody.ReadAsync(request, options.MaxJsonBytes, token);
        return System.Text.Encoding.UTF8.GetBytes(body.RootElement.GetRawText());
    }

    private IResult List(HttpContext context, string? state, string? after, int? limit)
    {
        JobState? wanted = state is null ? null : Names.State(state) ?? throw RequestProblem.Field("state", $"must be one of {string.Join(", ", Enum.GetValues<JobState>().Select(s => Names.Of(s)))}");
        if (limit is < 1 or > LargestPage)
            throw RequestProblem.Field("limit", $"must be a whole number from 1 to {LargestPage}");
        var count = limit ?? 50;
        var found = jobs.List(RequestFilter.ClientOf(context), wanted, after, count);
        return Results.Json(new JobList([.. found.Select(jobs.View)], found.Count == count ? found[^1].Id : null), ClientJson.Default.JobList);
    }

    private async Task<IResult> CancelAsync(HttpContext context, string id)
    {
        var record = Find(context, id);
        if (jobs.Entry(id) is { } entry)
        {
            jobs.Cancel(entry);
            // Usually a step or a slab; a client that will not wait so long sees the end later.
            await Task.WhenAny(entry.Completion, Task.Delay(TimeSpan.FromSeconds(5), context.RequestAborted));
            record = Find(context, id);
        }
        return Show(record);
    }

    private IResult Delete(HttpContext context, string id)
    {
        jobs.Delete(Find(context, id));
        return Results.NoContent();
    }

    private IResult Watch(HttpContext context, string id)
    {
        Find(context, id);
        return TypedResults.ServerSentEvents(Events(context, id));
    }

    private async IAsyncEnumerable<SseItem<string>> Events(HttpContext context, string id)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        var token = ends.Token;
        while (true)
        {
            var changed = jobs.Entry(id)?.Changed;
            Job job;
            try
            {
                job = jobs.View(Find(context, id));
            }
            catch (RequestProblem)
            {
                yield break;
            }
            var ended = job.State is not (JobState.Queued or JobState.Running);
            yield return new SseItem<string>(System.Text.Json.JsonSerializer.Serialize(job, ClientJson.Default.Job), ended ? "end" : "progress");
            if (ended || changed is null)
                yield break;
            // Not more often than anybody can see, but at once when it has ended.
            await Task.WhenAny(Task.Delay(_pace, token), jobs.Entry(id)?.Completion ?? Task.CompletedTask);
            await Task.WhenAny(changed, Task.Delay(_heartbeat, token));
            if (token.IsCancellationRequested)
                yield break;
        }
    }

    private IResult Download(HttpContext context, string id, string name)
    {
        var record = Find(context, id);
        // Looked up among the job's own files: no part of the path is the client's.
        var file = record.Files.FirstOrDefault(f => f.Name == name) ?? throw RequestProblem.NotFound("The job has no file of this name.");
        var path = Path.Combine(folder.Run(id), file.Name);
        if (!File.Exists(path))
            throw RequestProblem.NotFound("The job is being deleted.");
        var type = file.Name.EndsWith(".png", StringComparison.Ordinal) ? "image/png" : file.Name.EndsWith(".json", StringComparison.Ordinal) ? "application/json" : "application/octet-stream";
        var tag = file.Sha256 is { } hash ? new EntityTagHeaderValue($"\"{hash}\"") : null;
        context.Response.Headers.CacheControl = "private, no-cache";
        // Ranges of other units are passed over (RFC 9110, 14.2).
        var range = context.Request.Headers.Range.ToString();
        var isRange = range.Length == 0 || range.StartsWith("bytes=", StringComparison.OrdinalIgnoreCase);
        return Results.File(path, type, Path.GetFileName(file.Name), record.Finished, tag, enableRangeProcessing: isRange);
    }

    private async Task<IResult> ArchiveAsync(HttpContext context, string id)
    {
        var record = Find(context, id);
        if (record.State != JobState.Succeeded)
            throw new RequestProblem(StatusCodes.Status409Conflict, "not-finished", "The job has no files.", $"It is {Names.Of(record.State)}.");
        context.Response.ContentType = "application/zip";
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"maisi_{id}.zip\"";
        if (context.Features.Get<IHttpBodyControlFeature>() is { } control)
            control.AllowSynchronousIO = true;
        await ResultArchive.WriteAsync(record, folder.Run(id), context.Response.Body, context.RequestAborted);
        return Results.Empty;
    }

    private static (string, string)? Key(HttpRequest request, ReadOnlyMemory<byte> json, string? mask)
    {
        var key = request.Headers[KeyHeader].ToString();
        if (key.Length == 0)
            return null;
        if (key.Length > LongestKey || key.Any(c => c is < ' ' or > '~'))
            throw RequestProblem.Field(KeyHeader, $"must be at most {LongestKey} printable characters");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(json.Span);
        if (mask is not null)
            hash.AppendData(Convert.FromHexString(HashedFile.Of(mask).Sha256));
        return (key, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private JobRecord Find(HttpContext context, string id) => jobs.Find(id, RequestFilter.ClientOf(context));

    private IResult Show(JobRecord record) => Results.Json(jobs.View(record), ClientJson.Default.Job);
}
