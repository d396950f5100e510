using System.Diagnostics;
using System.Text.Json;
using Maisi.Bridge.Client;
using Microsoft.Data.Sqlite;
using Microsoft.Net.Http.Headers;

namespace Maisi.Bridge.Server;

/// <summary>Marks endpoints that need no key.</summary>
internal sealed record OpenToAll;

/// <summary>Round every endpoint: access, headers, problem details, audit and counting.</summary>
internal sealed class RequestFilter(Access access, AuditLog audit, ServerMetrics metrics, ILogger<RequestFilter> log) : IEndpointFilter
{
    private const int ClientGone = 499;

    private static readonly object _client = new();

    /// <summary>The client of a request.</summary>
    public static string ClientOf(HttpContext context) => (string)context.Items[_client]!;

    /// <inheritdoc/>
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        var headers = context.Response.Headers;
        (headers[HeaderNames.XContentTypeOptions], headers["Referrer-Policy"], headers["Cross-Origin-Resource-Policy"]) = ("nosniff", "no-referrer", "same-origin");
        headers[HeaderNames.CacheControl] = "no-store";
        var (client, status) = ("", 0);
        try
        {
            client = access.Require(context, context.GetEndpoint()!.Metadata.GetMetadata<OpenToAll>() is not null);
            context.Items[_client] = client;
            var result = await next(invocation);
            if (result is IResult answer)
                await answer.ExecuteAsync(context);
            status = context.Response.StatusCode;
        }
        catch (Exception e)
        {
            status = await RefuseAsync(context, e);
        }
        var method = context.Request.Method;
        var route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "";
        metrics.Answered(route, method, status);
        Describe(Activity.Current, route, method, status);
        if (!(HttpMethods.IsGet(method) || HttpMethods.IsHead(method)) || status is StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden)
            audit.Write(context, client, status);
        return Results.Empty;
    }

    private async Task<int> RefuseAsync(HttpContext context, Exception e)
    {
        var problem = Describe(context, e);
        var (method, path) = (context.Request.Method, context.Request.Path.Value ?? "");
        if (problem.Status == ClientGone)
            return ClientGone;
        if (problem.Status == StatusCodes.Status500InternalServerError)
            ServerLog.RequestFailed(log, method, path, e);
        else if (log.IsEnabled(LogLevel.Warning))
            ServerLog.Refused(log, method, path, problem.Status, problem.Body.Detail ?? problem.Body.Title);
        if (context.Response.HasStarted)
        {
            // Half an answer must not look like a whole one.
            context.Abort();
            return problem.Status;
        }
        context.Response.Clear();
        context.Response.StatusCode = problem.Status;
        context.Response.ContentType = "application/problem+json";
        context.Response.Headers[HeaderNames.XContentTypeOptions] = "nosniff";
        // What is left of a body that was not read would be taken for the next request.
        if (!HttpMethods.IsGet(method) && context.Request.ContentLength != 0)
            context.Response.Headers.Connection = "close";
        if (problem.RetryAfter is { } seconds)
            context.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (problem.Status == StatusCodes.Status401Unauthorized)
            context.Response.Headers.WWWAuthenticate = "Bearer";
        var body = problem.Body with { TraceId = Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier };
        try
        {
            await context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(body, ClientJson.Default.Problem));
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            return ClientGone;
        }
        return problem.Status;
    }

    // ASP.NET Core's own span of a request says no more than that there was one. The names are OpenTelemetry's conventions.
    private static void Describe(Activity? span, string route, string method, int status)
    {
        if (span is null)
            return;
        span.DisplayName = $"{method} {route}";
        span.SetTag("http.route", route).SetTag("http.request.method", method).SetTag("http.response.status_code", status);
        if (status >= StatusCodes.Status500InternalServerError)
            span.SetStatus(ActivityStatusCode.Error);
    }

    private static RequestProblem Describe(HttpContext context, Exception e) => e switch
    {
        RequestProblem problem => problem,
        _ when context.RequestAborted.IsCancellationRequested => new RequestProblem(ClientGone, "gone", "The client has gone."),
        BadHttpRequestException bad => new RequestProblem(bad.StatusCode, bad.StatusCode == StatusCodes.Status413PayloadTooLarge ? "too-large" : "malformed-request", "The request cannot be read.", bad.Message),
        SqliteException or IOException => new RequestProblem(StatusCodes.Status507InsufficientStorage, "no-space", "The server's disk refused."),
        _ => new RequestProblem(StatusCodes.Status500InternalServerError, "defect", "An unexpected error.", "The server's log has it under the trace id."),
    };
}
