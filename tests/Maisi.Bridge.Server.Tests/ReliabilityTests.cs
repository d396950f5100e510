using System.Diagnostics;
using Maisi.Bridge.Client;
using Maisi.Bridge.TestSupport;
using Xunit.Abstractions;

namespace Maisi.Bridge.Server.Tests;

/// <summary>Kills, signals, full disks and crowds. MAISI_FUZZ above 0 makes it 20 kills of a queue of 30 jobs.</summary>
public sealed class ReliabilityTests(TinyBundle bundle, ITestOutputHelper output) : IClassFixture<TinyBundle>
{
    private static readonly bool _isWhole = int.TryParse(Environment.GetEnvironmentVariable("MAISI_FUZZ"), out var count) && count > 0;

    [SkippableFact]
    public async Task Killed_at_random_moments_every_job_ends_with_the_bytes_of_an_undisturbed_run()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "needs kill -9");
        var (jobs, kills) = _isWhole ? (30, 20) : (5, 2);
        using var data = TestPaths.Temporary();
        var random = new Random(5);
        var ids = new List<string>();
        var process = await MaisiProcess.ServeAsync(bundle, data.Path);
        try
        {
            for (var i = 0; i < jobs; i++)
                ids.Add((await process.Client.SubmitAsync(Request(i), idempotencyKey: $"job {i}")).Id);
            for (var kill = 1; kill <= kills; kill++)
            {
                var delay = random.Next(100, 2000);
                await Task.Delay(delay);
                var before = await Ended(process.Client);
                await process.KillAsync();
                process.Dispose();
                process = await MaisiProcess.ServeAsync(bundle, data.Path);
                output.WriteLine($"kill {kill}: {delay} ms after the start, {before} of {jobs} jobs had ended");
                before.ShouldBeLessThan(jobs, "the queue was empty before all kills were made");
            }
            await using var undisturbed = await TinyService.StartAsync(bundle);
            for (var i = 0; i < jobs; i++)
            {
                var survived = await process.EndAsync(await process.Client.GetJobAsync(ids[i]));
                survived.State.ShouldBe(JobState.Succeeded, survived.Problem?.Detail);
                var expected = await undisturbed.EndAsync(await undisturbed.Client.SubmitAsync(Request(i)));
                survived.Files.Where(f => f.Sha256 is not null).ShouldBe(expected.Files.Where(f => f.Sha256 is not null));
                // Sent again by a client that never had its answer: the same job.
                (await process.Client.SubmitAsync(Request(i), idempotencyKey: $"job {i}")).Id.ShouldBe(ids[i]);
            }
        }
        finally
        {
            process.Dispose();
        }
    }

    [SkippableFact]
    public async Task Told_to_stop_it_ends_what_runs_and_leaves_the_rest_to_the_next_start()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "needs kill -TERM");
        using var data = TestPaths.Temporary();
        string[] ids;
        using (var process = await MaisiProcess.ServeAsync(bundle, data.Path))
        {
            ids = [.. (await Task.WhenAll(Enumerable.Range(0, 3).Select(i => process.Client.SubmitAsync(TinyService.Image((ulong)i, 2))))).Select(j => j.Id).Order(StringComparer.Ordinal)];
            while ((await process.Client.GetJobAsync(ids[0])).State == JobState.Queued)
                await Task.Delay(20);
            (await process.EndAsync("TERM")).ShouldBe(0, await process.LogAsync());
            (await process.LogAsync()).ShouldContain($"job {ids[0]} Succeeded");
        }
        using var next = await MaisiProcess.ServeAsync(bundle, data.Path);
        foreach (var id in ids)
            (await next.EndAsync(await next.Client.GetJobAsync(id))).State.ShouldBe(JobState.Succeeded);
    }

    [SkippableFact]
    public async Task A_full_disk_fails_jobs_and_not_the_server()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "needs Linux mount namespaces");
        using var temp = TestPaths.Temporary();
        var data = Directory.CreateDirectory(temp["data"]).FullName;
        var mount = $"mount -t tmpfs -o size=1500k none {data}";
        using (var probe = Process.Start(new ProcessStartInfo("unshare", ["--mount", "sh", "-c", mount]) { RedirectStandardError = true })!)
        {
            await probe.WaitForExitAsync();
            Skip.IfNot(probe.ExitCode == 0, "this user cannot mount in a namespace of his own");
        }
        using var process = await MaisiProcess.StartAsync("unshare", ["--mount", "sh", "-c", $"{mount} && exec dotnet {MaisiProcess.Program} serve --bundle {bundle.Path} --data {data} --urls http://127.0.0.1:0 --min-free 1"]);
        var (done, refused) = (new List<Job>(), 0);
        for (var i = 0; i < 30 && refused < 3; i++)
        {
            try
            {
                var job = await process.EndAsync(await process.Client.SubmitAsync(TinyService.Image((ulong)i)));
                if (job.State == JobState.Succeeded)
                    done.Add(job);
                else
                    refused += job.Problem!.Type == "urn:maisi:problem:storage" ? 1 : throw new InvalidOperationException($"{job.Problem}");
            }
            catch (MaisiServiceException e)
            {
                e.Problem.Status.ShouldBe(507);
                refused++;
            }
        }
        refused.ShouldBe(3);
        done.ShouldNotBeEmpty();
        foreach (var job in done)
            await process.Client.DeleteJobAsync(job.Id);
        (await process.EndAsync(await process.Client.SubmitAsync(TinyService.Image(99)))).State.ShouldBe(JobState.Succeeded);
    }

    [Fact]
    public async Task Sixty_four_clients_at_once_are_queued_and_none_is_lost()
    {
        await using var service = await TinyService.StartAsync(bundle);
        var request = new JobRequest { Kind = JobKind.Image, OutputSize = [32, 32, 32], Spacing = [2, 2, 2], NumInferenceSteps = 1 };
        var jobs = await Task.WhenAll(Enumerable.Range(0, 64).Select(async i =>
        {
            using var http = new HttpClient { BaseAddress = service.Http.BaseAddress };
            var client = new MaisiClient(http);
            var job = await client.SubmitAsync(request with { Seed = (ulong)i });
            await foreach (var seen in client.WatchJobAsync(job.Id))
                job = seen;
            return job;
        }));
        jobs.ShouldAllBe(j => j.State == JobState.Succeeded);
        jobs.Select(j => j.Files.First(f => f.Role == "image").Sha256).Distinct().Count().ShouldBe(64);
        // Begun in the order in which they were accepted.
        jobs.OrderBy(j => j.Id, StringComparer.Ordinal).Select(j => j.StartedAt).ShouldBeInOrder();
        var metrics = await service.Http.GetStringAsync("metrics");
        metrics.ShouldContain("maisi_jobs_total{kind=\"image\",state=\"succeeded\"} ");
        metrics.ShouldContain("maisi_queue_length 0");
        metrics.ShouldContain("maisi_job_seconds_bucket{kind=\"image\",le=\"+Inf\"}");
    }

    private static JobRequest Request(int i) => TinyService.Image((ulong)(100 + i), _isWhole ? 3 : 2);

    private static async Task<int> Ended(MaisiClient client) => (await client.ListJobsAsync(JobState.Succeeded, 200)).Jobs.Count;
}
