using System.Collections.Concurrent;
using System.Text;
using Maisi.Bridge.Client;
using Maisi.Bridge.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Maisi.Bridge.Server.Tests;

/// <summary>What an OpenTelemetry collector gets.</summary>
public sealed class TelemetryTests(TinyBundle bundle) : IClassFixture<TinyBundle>
{
    [SkippableFact]
    public async Task A_collector_gets_the_spans_of_request_and_job_in_one_trace_and_the_meters()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "needs env and kill");
        var received = new ConcurrentQueue<(string Path, byte[] Body)>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using var collector = builder.Build();
        collector.Urls.Add("http://127.0.0.1:0");
        collector.MapPost("/{**path}", async (HttpContext context) =>
        {
            var memory = new MemoryStream();
            await context.Request.Body.CopyToAsync(memory);
            context.Request.ContentType.ShouldBe("application/x-protobuf");
            received.Enqueue((context.Request.Path, memory.ToArray()));
            return Results.Bytes([], "application/x-protobuf");
        });
        await collector.StartAsync();
        using var data = TestPaths.Temporary();
        using var process = await MaisiProcess.StartAsync("env",
        [
            $"OTEL_EXPORTER_OTLP_ENDPOINT={collector.Urls.First()}", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "dotnet", MaisiProcess.Program, "serve", "--bundle", bundle.Path, "--data", data.Path,
            "--urls", "http://127.0.0.1:0", "--min-free", "1",
        ]);
        const string Trace = "0af7651916cd43dd8448eb211c80319c";
        process.Http.DefaultRequestHeaders.Add("traceparent", $"00-{Trace}-b7ad6b7169203331-01");
        var job = await process.Client.SubmitAsync(TinyService.Image(1));
        process.Http.DefaultRequestHeaders.Remove("traceparent");
        (await process.EndAsync(job)).State.ShouldBe(JobState.Succeeded);
        // What has not gone yet goes at the end.
        (await process.EndAsync("TERM")).ShouldBe(0, await process.LogAsync());

        string Sent(string path) => string.Concat(received.Where(r => r.Path == path).Select(r => Encoding.Latin1.GetString(r.Body)));
        var (traces, metrics) = (Sent("/v1/traces"), Sent("/v1/metrics"));
        traces.ShouldContain("maisi.job");
        traces.ShouldContain("maisi.results");
        traces.ShouldContain(job.Id);
        traces.ShouldContain("/v1/jobs");
        // The request's own span, the job's, and what is under it.
        traces.Split(Encoding.Latin1.GetString(Convert.FromHexString(Trace))).Length.ShouldBeGreaterThan(3);
        foreach (var meter in new[] { "maisi_jobs", "maisi_samples", "maisi_job_seconds", "maisi_queue_length" })
            metrics.ShouldContain(meter);
    }
}
