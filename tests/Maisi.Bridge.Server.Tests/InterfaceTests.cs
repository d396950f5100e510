using System.Diagnostics;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Maisi.Bridge.Client;
using Maisi.Bridge.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace Maisi.Bridge.Server.Tests;

/// <summary>The OpenAPI document, the typed client, NIM's sample client, and the service inside another application.</summary>
public sealed class InterfaceTests(TinyBundle bundle) : IClassFixture<TinyBundle>
{
    [Fact]
    public async Task The_client_has_every_operation_and_every_field_of_the_document()
    {
        await using var service = await TinyService.StartAsync(bundle, o => o.Preload = false);
        var document = JsonNode.Parse(await service.Http.GetStringAsync("openapi/v1.json"))!;
        var operations = document["paths"]!.AsObject().SelectMany(p => p.Value!.AsObject()).Select(o => o.Value!["operationId"]!.ToString()).ToArray();
        operations.Length.ShouldBe(13);
        var methods = typeof(MaisiClient).GetMethods().Select(m => m.Name).ToHashSet();
        operations.ShouldAllBe(o => methods.Contains(o + "Async"));
        var schemas = document["components"]!["schemas"]!.AsObject();
        foreach (var name in new[] { "RunRequest", "JobRequest", "Job", "JobProgress", "JobFile", "JobList", "Problem", "FieldError", "ServiceInfo", "ServiceLimits", "ServiceDefaults", "License", "Health", "Delivery" })
        {
            var type = typeof(MaisiClient).Assembly.GetType("Maisi.Bridge.Client." + name)!;
            schemas[name]!["properties"]!.AsObject().Select(p => p.Key).Order(StringComparer.Ordinal).ShouldBe(
                type.GetProperties().Select(p => JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Name)).Order(StringComparer.Ordinal), name);
        }
        schemas["RunRequest"]!["required"]!.AsArray().Select(r => r!.ToString()).ShouldBe(["num_output_samples", "body_region"], ignoreOrder: true);
        schemas["JobState"]!["enum"]!.AsArray().Select(r => r!.ToString()).ShouldBe(["queued", "running", "succeeded", "failed", "cancelled"]);
    }

    [SkippableFact]
    public async Task A_client_as_NVIDIA_describes_it_works_unchanged()
    {
        const string Python = "/usr/bin/python3";
        Skip.IfNot(File.Exists(Python), "needs Python");
        await using var service = await TinyService.StartAsync(bundle);
        using var temp = TestPaths.Temporary();
        var sample = Path.Combine(TestPaths.Root, "src", "docs", "samples", "nim_client.py");
        using var process = Process.Start(new ProcessStartInfo(Python, [sample, service.Http.BaseAddress!.ToString().TrimEnd('/'), temp.Path, "--size", "32", "32", "64", "--spacing", "1.5", "1.5", "2.0"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var (text, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, await error);
        (await text).ShouldContain("_image.nii.gz");
        Directory.GetFiles(temp.Path, "*.zip").Length.ShouldBe(1);
    }

    [Fact]
    public async Task It_is_mounted_in_an_application_of_ones_own()
    {
        using var temp = TestPaths.Temporary();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddMaisi(o => (o.Bundle, o.DataFolder, o.MinFreeBytes) = (bundle.Path, temp.Path, 1));
        await using var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapGet("/", () => "the application");
        app.MapGroup("/ct").MapMaisi();
        await app.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        (await http.GetStringAsync("/")).ShouldBe("the application");
        (await http.GetStringAsync("/ct/")).ShouldContain("<h1>Maisi.Bridge</h1>");
        using var mounted = new HttpClient { BaseAddress = new Uri(http.BaseAddress, "/ct/") };
        var client = new MaisiClient(mounted);
        while ((await client.GetReadyAsync()).Status != "ready")
            await Task.Delay(20);
        var job = await client.SubmitAsync(TinyService.Image(1));
        await foreach (var seen in client.WatchJobAsync(job.Id))
            job = seen;
        job.State.ShouldBe(JobState.Succeeded);
    }

    [Fact]
    public async Task It_is_not_ready_until_the_weights_are_loaded_and_says_when_they_cannot_be()
    {
        using var temp = TestPaths.Temporary();
        foreach (var file in Directory.EnumerateFiles(bundle.Path, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(temp["bundle"], Path.GetRelativePath(bundle.Path, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        File.WriteAllText(temp["bundle/models/unet.pt"], "damaged");
        await using var app = MaisiServer.Build(o => (o.Bundle, o.DataFolder, o.MinFreeBytes) = (temp["bundle"], temp["data"], 1), ["http://127.0.0.1:0"]);
        await app.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        await MaisiServer.Ready(app.Services).ShouldThrowAsync<MaisiException>();
        using var ready = await http.GetAsync("v1/health/ready");
        ready.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await ready.Content.ReadAsStringAsync()).ShouldContain("\"status\":\"failed\"");
        (await new MaisiClient(http).SubmitAsync(TinyService.Image(1)).ShouldThrowAsync<MaisiServiceException>()).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }
}
