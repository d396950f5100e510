using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Maisi.Bridge.Client;

/// <summary>
/// The operations of the service's OpenAPI document. Give the <see cref="HttpClient"/> the service's base address, an infinite timeout for
/// <see cref="RunAsync"/>, and the key, where one is needed, as <c>Authorization: Bearer KEY</c>.
/// </summary>
/// <param name="http">The connection; it stays the caller's.</param>
public sealed class MaisiClient(HttpClient http)
{
    private static readonly ClientJson Json = ClientJson.Default;

    /// <summary>GET /v1/health/live</summary>
    public Task<Health> GetLiveAsync(CancellationToken token = default) => GetAsync("v1/health/live", Json.Health, token);

    /// <summary>GET /v1/health/ready; an answer, too, while the service is not ready.</summary>
    public async Task<Health> GetReadyAsync(CancellationToken token = default)
    {
        using var response = await http.GetAsync("v1/health/ready", token);
        if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable))
            await RequireAsync(response, token);
        return (await response.Content.ReadFromJsonAsync(Json.Health, token))!;
    }

    /// <summary>GET /v1/license</summary>
    public Task<License> GetLicenseAsync(CancellationToken token = default) => GetAsync("v1/license", Json.License, token);

    /// <summary>GET /v1/maisi/info</summary>
    public Task<ServiceInfo> GetInfoAsync(CancellationToken token = default) => GetAsync("v1/maisi/info", Json.ServiceInfo, token);

    /// <summary>POST /v1/maisi/run: makes pairs and gives the ZIP of their files; the stream is the answer as it arrives.</summary>
    /// <exception cref="MaisiServiceException">The service refused it.</exception>
    public async Task<Stream> RunAsync(RunRequest request, CancellationToken token = default)
    {
        var response = await SendAsync(HttpMethod.Post, "v1/maisi/run", JsonContent.Create(request, Json.RunRequest), token);
        return await response.Content.ReadAsStreamAsync(token);
    }

    /// <summary>POST /v1/maisi/run with a folder or a URL for the files.</summary>
    /// <exception cref="MaisiServiceException">The service refused it.</exception>
    public async Task<Delivery> DeliverAsync(RunRequest request, CancellationToken token = default)
    {
        using var response = await SendAsync(HttpMethod.Post, "v1/maisi/run", JsonContent.Create(request, Json.RunRequest), token);
        return (await response.Content.ReadFromJsonAsync(Json.Delivery, token))!;
    }

    /// <summary>POST /v1/jobs</summary>
    /// <param name="request">What to make.</param>
    /// <param name="mask">The label map, for <see cref="JobKind.FromMask"/>.</param>
    /// <param name="maskName">Its name; the ending says the format.</param>
    /// <param name="idempotencyKey">Sent again after a lost connection it gives the same job.</param>
    /// <param name="token">Ends the request.</param>
    /// <exception cref="MaisiServiceException">The service refused it.</exception>
    public async Task<Job> SubmitAsync(JobRequest request, Stream? mask = null, string maskName = "mask.nii.gz", string? idempotencyKey = null, CancellationToken token = default)
    {
        HttpContent content = JsonContent.Create(request, Json.JobRequest);
        if (mask is not null)
            content = new MultipartFormDataContent { { content, "request" }, { new StreamContent(mask), "mask", maskName } };
        using var response = await SendAsync(HttpMethod.Post, "v1/jobs", content, token, idempotencyKey);
        return (await response.Content.ReadFromJsonAsync(Json.Job, token))!;
    }

    /// <summary>GET /v1/jobs/{id}</summary>
    public Task<Job> GetJobAsync(string id, CancellationToken token = default) => GetAsync($"v1/jobs/{Uri.EscapeDataString(id)}", Json.Job, token);

    /// <summary>GET /v1/jobs: newest first.</summary>
    /// <param name="state">Only jobs that stand so.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="after">Older than this job.</param>
    /// <param name="token">Ends the request.</param>
    public Task<JobList> ListJobsAsync(JobState? state = null, int limit = 50, string? after = null, CancellationToken token = default) =>
        GetAsync($"v1/jobs?limit={limit}{(state is { } s ? $"&state={s.ToString().ToLowerInvariant()}" : "")}{(after is null ? "" : $"&after={Uri.EscapeDataString(after)}")}", Json.JobList, token);

    /// <summary>POST /v1/jobs/{id}/cancel</summary>
    public async Task<Job> CancelJobAsync(string id, CancellationToken token = default)
    {
        using var response = await SendAsync(HttpMethod.Post, $"v1/jobs/{Uri.EscapeDataString(id)}/cancel", null, token);
        return (await response.Content.ReadFromJsonAsync(Json.Job, token))!;
    }

    /// <summary>DELETE /v1/jobs/{id}: also ends it when it waits or runs.</summary>
    public async Task DeleteJobAsync(string id, CancellationToken token = default) =>
        (await SendAsync(HttpMethod.Delete, $"v1/jobs/{Uri.EscapeDataString(id)}", null, token)).Dispose();

    /// <summary>GET /v1/jobs/{id}/files/{name}</summary>
    /// <param name="id">The job.</param>
    /// <param name="name">The file.</param>
    /// <param name="from">The first byte that is wanted, to go on with a download.</param>
    /// <param name="token">Ends the request.</param>
    public async Task<Stream> GetFileAsync(string id, string name, long from = 0, CancellationToken token = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"v1/jobs/{Uri.EscapeDataString(id)}/files/{Uri.EscapeDataString(name)}");
        if (from > 0)
            request.Headers.Range = new RangeHeaderValue(from, null);
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
        await RequireAsync(response, token);
        return await response.Content.ReadAsStreamAsync(token);
    }

    /// <summary>GET /v1/jobs/{id}/archive: a ZIP of the files in the formats that were asked for.</summary>
    public async Task<Stream> GetArchiveAsync(string id, CancellationToken token = default) =>
        await (await SendAsync(HttpMethod.Get, $"v1/jobs/{Uri.EscapeDataString(id)}/archive", null, token)).Content.ReadAsStreamAsync(token);

    /// <summary>GET /v1/jobs/{id}/events: the job whenever it has come further, until it has ended.</summary>
    public async IAsyncEnumerable<Job> WatchJobAsync(string id, [EnumeratorCancellation] CancellationToken token = default)
    {
        using var response = await SendAsync(HttpMethod.Get, $"v1/jobs/{Uri.EscapeDataString(id)}/events", null, token);
        await using var stream = await response.Content.ReadAsStreamAsync(token);
        await foreach (var item in SseParser.Create(stream, (_, data) => JsonSerializer.Deserialize(data, Json.Job)!).EnumerateAsync(token))
            yield return item.Data;
    }

    private async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken token)
    {
        using var response = await SendAsync(HttpMethod.Get, path, null, token);
        return (await response.Content.ReadFromJsonAsync(type, token))!;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken token, string? idempotencyKey = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        if (idempotencyKey is not null)
            request.Headers.Add("Idempotency-Key", idempotencyKey);
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
        await RequireAsync(response, token);
        return response;
    }

    private static async Task RequireAsync(HttpResponseMessage response, CancellationToken token)
    {
        if (response.IsSuccessStatusCode)
            return;
        using (response)
        {
            var status = (int)response.StatusCode;
            var problem = response.Content.Headers.ContentType?.MediaType == "application/problem+json"
                ? await response.Content.ReadFromJsonAsync(Json.Problem, token) : null;
            throw new MaisiServiceException(problem ?? new Problem { Status = status, Title = $"The service answered {status} {response.ReasonPhrase}." });
        }
    }
}
