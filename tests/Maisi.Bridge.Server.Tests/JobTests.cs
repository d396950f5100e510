using System.Net;
using System.Security.Cryptography;
using Maisi.Bridge.Client;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Server.Tests;

/// <summary>Jobs from their submission to their deletion.</summary>
public sealed class JobTests(TinyBundle bundle) : IClassFixture<TinyBundle>
{
    [Fact]
    public async Task A_job_is_watched_fetched_listed_and_deleted()
    {
        await using var service = await TinyService.StartAsync(bundle);
        var client = service.Client;
        var job = await client.SubmitAsync(TinyService.Image(7, 2));
        job.State.ShouldBeOneOf(JobState.Queued, JobState.Running);
        var states = new List<Job>();
        await foreach (var seen in client.WatchJobAsync(job.Id))
            states.Add(seen);
        var done = states[^1];
        done.State.ShouldBe(JobState.Succeeded);
        done.Files.Select(f => f.Role).Order(StringComparer.Ordinal).ShouldBe(["contact-sheet", "image", "image", "manifest", "preview", "preview"]);
        var image = done.Files.First(f => f.Role == "image");
        image.Name.ShouldBe("image_seed7_000_image.nii.gz");
        var bytes = await Bytes(await client.GetFileAsync(done.Id, image.Name));
        bytes.Length.ShouldBe((int)image.Bytes);
        Convert.ToHexStringLower(SHA256.HashData(bytes)).ShouldBe(image.Sha256);
        // A download goes on where it was cut.
        (await Bytes(await client.GetFileAsync(done.Id, image.Name, from: 100))).ShouldBe(bytes[100..]);
        (await Bytes(await client.GetArchiveAsync(done.Id))).Length.ShouldBeGreaterThan(bytes.Length);
        (await client.ListJobsAsync()).Jobs.Select(j => j.Id).ShouldBe([done.Id]);
        (await client.ListJobsAsync(JobState.Failed)).Jobs.ShouldBeEmpty();
        await client.DeleteJobAsync(done.Id);
        (await client.GetJobAsync(done.Id).ShouldThrowAsync<MaisiServiceException>()).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        Directory.EnumerateFileSystemEntries(Path.Combine(service.Data, "jobs")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Files_answer_HEAD_ranges_and_conditions()
    {
        await using var service = await TinyService.StartAsync(bundle);
        var job = await service.EndAsync(await service.Client.SubmitAsync(TinyService.Image(7)));
        var file = job.Files.First(f => f.Role == "image");
        var path = $"v1/jobs/{job.Id}/files/{file.Name}";
        var whole = await service.Http.GetByteArrayAsync(path);
        async Task<(HttpStatusCode Status, byte[] Body, long? Length)> Ask(HttpMethod method, string name, string value)
        {
            using var request = new HttpRequestMessage(method, path);
            request.Headers.TryAddWithoutValidation(name, value);
            using var response = await service.Http.SendAsync(request);
            return (response.StatusCode, await response.Content.ReadAsByteArrayAsync(), response.Content.Headers.ContentLength);
        }

        var head = await Ask(HttpMethod.Head, "X", "y");
        (head.Status, head.Length, head.Body.Length).ShouldBe((HttpStatusCode.OK, whole.Length, 0));
        (await Ask(HttpMethod.Get, "Range", "bytes=2-5")).Body.ShouldBe(whole[2..6]);
        (await Ask(HttpMethod.Get, "Range", "bytes=-5")).Body.ShouldBe(whole[^5..]);
        (await Ask(HttpMethod.Get, "Range", "bytes=999999999-")).Status.ShouldBe(HttpStatusCode.RequestedRangeNotSatisfiable);
        (await Ask(HttpMethod.Get, "Range", "lines=2-5")).Body.ShouldBe(whole);
        (await Ask(HttpMethod.Get, "If-None-Match", $"\"{file.Sha256}\"")).Status.ShouldBe(HttpStatusCode.NotModified);
        foreach (var open in new[] { "v1/health/live", "v1/health/ready", "" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Head, open);
            (await service.Http.SendAsync(request)).StatusCode.ShouldBe(HttpStatusCode.OK, open);
        }
    }

    [Fact]
    public async Task Requests_that_wait_are_no_jobs_of_the_list()
    {
        await using var service = await TinyService.StartAsync(bundle);
        var job = await service.EndAsync(await service.Client.SubmitAsync(TinyService.Image(7)));
        using var leave = new CancellationTokenSource();
        var run = service.Client.RunAsync(new RunRequest { NumOutputSamples = 100, BodyRegion = ["chest"], AnatomyList = ["liver"] }, leave.Token);
        while ((await service.Client.GetInfoAsync()).QueueLength == 0)
            await Task.Delay(10);
        (await service.Client.ListJobsAsync(limit: 1)).Jobs.Select(j => j.Id).ShouldBe([job.Id]);
        await leave.CancelAsync();
        await run.ShouldThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public async Task An_uploaded_label_map_becomes_an_image_on_its_grid()
    {
        await using var service = await TinyService.StartAsync(bundle);
        await using var mask = File.OpenRead(bundle.Mask);
        var done = await service.EndAsync(await service.Client.SubmitAsync(new JobRequest { Kind = JobKind.FromMask, Seed = 3 }, mask, "../../etc/x.nii.gz"));
        done.State.ShouldBe(JobState.Succeeded);
        done.Files.Select(f => f.Name).ShouldContain("mask_seed3_image.nii.gz");
        Directory.EnumerateFileSystemEntries(Path.Combine(service.Data, "uploads")).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_idempotency_key_gives_the_same_job_and_refuses_another_request()
    {
        await using var service = await TinyService.StartAsync(bundle);
        var (request, client) = (TinyService.Image(1), service.Client);
        var first = await client.SubmitAsync(request, idempotencyKey: "once");
        (await client.SubmitAsync(request, idempotencyKey: "once")).Id.ShouldBe(first.Id);
        (await client.SubmitAsync(TinyService.Image(2), idempotencyKey: "once").ShouldThrowAsync<MaisiServiceException>()).Problem.Type.ShouldEndWith("idempotency-key");
        (await client.ListJobsAsync()).Jobs.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Queued_and_running_jobs_are_cancelled()
    {
        await using var service = await TinyService.StartAsync(bundle);
        var client = service.Client;
        var (running, queued) = (await client.SubmitAsync(TinyService.Image(1, 100)), await client.SubmitAsync(TinyService.Image(2)));
        (await client.GetJobAsync(queued.Id)).Position.ShouldBe(1);
        (await client.CancelJobAsync(queued.Id)).State.ShouldBe(JobState.Cancelled);
        (await client.CancelJobAsync(running.Id)).State.ShouldBe(JobState.Cancelled);
        (await service.EndAsync(await client.SubmitAsync(TinyService.Image(3)))).State.ShouldBe(JobState.Succeeded);
    }

    [Fact]
    public async Task A_full_queue_refuses_and_says_when_to_come_again()
    {
        await using var service = await TinyService.StartAsync(bundle, o => o.QueueLimit = 1);
        var client = service.Client;
        var running = await client.SubmitAsync(TinyService.Image(1, 100));
        while ((await client.GetJobAsync(running.Id)).State == JobState.Queued)
            await Task.Delay(10);
        var waiting = await client.SubmitAsync(TinyService.Image(2));
        (await client.SubmitAsync(TinyService.Image(3)).ShouldThrowAsync<MaisiServiceException>()).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        await client.DeleteJobAsync(running.Id);
        (await service.EndAsync(waiting)).State.ShouldBe(JobState.Succeeded);
    }

    [Fact]
    public async Task A_stopped_server_leaves_its_jobs_to_the_next_which_makes_the_same_bytes()
    {
        using var data = TestPaths.Temporary();
        string[] ids;
        await using (var service = await TinyService.StartAsync(bundle, o => o.DrainTimeout = TimeSpan.Zero, data.Path))
        {
            var jobs = new List<Job>();
            foreach (var seed in new ulong[] { 11, 12, 13 })
                jobs.Add(await service.Client.SubmitAsync(TinyService.Image(seed, 2)));
            ids = [.. jobs.Select(j => j.Id)];
        }
        await using var next = await TinyService.StartAsync(bundle, data: data.Path);
        foreach (var (id, seed) in ids.Zip(new ulong[] { 11, 12, 13 }))
        {
            var resumed = await next.EndAsync(await next.Client.GetJobAsync(id));
            resumed.State.ShouldBe(JobState.Succeeded);
            var again = await next.EndAsync(await next.Client.SubmitAsync(TinyService.Image(seed, 2)));
            again.Files.Where(f => f.Sha256 is not null).ShouldBe(resumed.Files.Where(f => f.Sha256 is not null));
        }
    }

    [Fact]
    public async Task A_client_that_goes_away_ends_its_run()
    {
        await using var service = await TinyService.StartAsync(bundle);
        using var leave = new CancellationTokenSource();
        var run = service.Client.RunAsync(new RunRequest { NumOutputSamples = 100, BodyRegion = ["chest"], AnatomyList = ["liver"] }, leave.Token);
        while ((await service.Client.GetInfoAsync()).QueueLength == 0)
            await Task.Delay(10);
        await leave.CancelAsync();
        await run.ShouldThrowAsync<OperationCanceledException>();
        while ((await service.Client.GetInfoAsync()).QueueLength > 0)
            await Task.Delay(10);
        Directory.EnumerateFileSystemEntries(Path.Combine(service.Data, "jobs")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_run_that_takes_too_long_is_ended()
    {
        await using var service = await TinyService.StartAsync(bundle, o => o.RunTimeout = TimeSpan.FromMilliseconds(50));
        var run = new RunRequest { NumOutputSamples = 100, BodyRegion = ["chest"], AnatomyList = ["liver"] };
        (await service.Client.RunAsync(run).ShouldThrowAsync<MaisiServiceException>()).StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);
    }

    [Fact]
    public async Task A_second_server_on_the_same_folder_is_refused()
    {
        await using var service = await TinyService.StartAsync(bundle);
        (await Should.ThrowAsync<MaisiException>(() => TinyService.StartAsync(bundle, data: service.Data))).Message.ShouldContain("data folder");
    }

    private static async Task<byte[]> Bytes(Stream stream)
    {
        await using (stream)
        {
            var memory = new MemoryStream();
            await stream.CopyToAsync(memory);
            return memory.ToArray();
        }
    }
}
