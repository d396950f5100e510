using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Maisi.Bridge.Client;
using Maisi.Bridge.Generation;

namespace Maisi.Bridge.Benchmarks;

/// <summary>The warm service beside the command line on the same job, 64 clients at once, its start-up time and its idle memory.</summary>
internal sealed class ServiceBenchmark : IBenchmark
{
    public string Name => "service";

    public string Description => "the REST service: overhead over the pipeline, the CLI beside it, 64 clients, start-up, memory; --maisi artifacts/maisi/maisi.dll --bundle bundles/maisi_headneck_small --mask MASK --rounds 7 --steps 4";

    // One thread throughout: that of the pipeline's tensors.
    public int Run(BenchmarkOptions options)
    {
        var maisi = Path.GetFullPath(options.Text("maisi", "artifacts/maisi/maisi.dll"));
        var bundle = Path.GetFullPath(options.Text("bundle", "bundles/maisi_headneck_small"));
        var mask = Path.GetFullPath(options.Text("mask", "head_label.nii.gz"));
        var (rounds, steps) = (options.Number("rounds", 7), options.Number("steps", 4));
        var folder = Directory.CreateTempSubdirectory("maisi-service-").FullName;
        var clock = Stopwatch.StartNew();
        using var server = Process.Start(new ProcessStartInfo("dotnet", [maisi, "serve", "--bundle", bundle, "--data", Path.Combine(folder, "jobs"), "--urls", "http://127.0.0.1:0"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        try
        {
            server.ErrorDataReceived += (_, _) => { };
            server.BeginErrorReadLine();
            var url = server.StandardOutput.ReadLine()!["listening on ".Length..];
            var listening = clock.Elapsed;
            server.StandardOutput.ReadLine();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"start: listening after {listening.TotalSeconds:F2} s, ready (weights loaded) after {clock.Elapsed.TotalSeconds:F2} s"));
            Thread.Sleep(2000);
            Console.WriteLine($"idle memory, weights loaded: {MemorySize.Text(Resident(server.Id))}");
            using var http = new HttpClient { BaseAddress = new Uri(url), Timeout = TimeSpan.FromMinutes(10) };
            var client = new MaisiClient(http);
            var request = new JobRequest { Kind = JobKind.FromMask, Seed = 3, NumInferenceSteps = steps };
            using var model = ModelBundle.Load(bundle, BundleSettings.Read(bundle));
            var (service, warm, alone) = (new List<(double Wall, double Besides)>(), new List<(double Wall, double Besides)>(), new List<double>());
            for (var round = 0; round <= rounds; round++)
            {
                var job = JobAsync(client, request, mask).GetAwaiter().GetResult();
                // What the command does once its bundle is loaded: the same run, files and previews included.
                clock.Restart();
                var manifest = new SynthesisRun(bundle, new GenerationOptions { Kind = PipelineKind.FromMask, Seed = 3, Steps = steps }, Path.Combine(folder, $"own{round}")) { Masks = [mask], Model = model }.Execute();
                var run = (clock.Elapsed.TotalSeconds, clock.Elapsed.TotalSeconds - manifest.Seconds);
                if (round > rounds - 3)
                {
                    clock.Restart();
                    ChildProcess.Run("dotnet", [maisi, "generate", "--bundle", bundle, "--mask", mask, "--seed", "3", "--steps", $"{steps}", "--output", Path.Combine(folder, $"cli{round}"), "-q"], folder);
                    alone.Add(clock.Elapsed.TotalSeconds);
                }
                if (round == 0)
                    continue;
                service.Add(job);
                warm.Add(run);
            }
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"64³ from a label map, {steps} steps, {rounds} rounds in turn, medians: service {Wall(service):F0} ms from upload to image, the command's run with a loaded bundle {Wall(warm):F0} ms; besides making samples {Besides(service):F1} ms and {Besides(warm):F1} ms, which is {Besides(service) - Besides(warm):F1} ms more; the command from its start {Clock.Median(alone) * 1e3:F0} ms"));
            CrowdAsync(url, request with { NumInferenceSteps = 1 }, mask).GetAwaiter().GetResult();
            Console.WriteLine($"memory after that: {MemorySize.Text(Resident(server.Id))}");
            return 0;
        }
        finally
        {
            server.Kill();
            server.WaitForExit();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double Wall(List<(double Wall, double Besides)> runs) => Clock.Median([.. runs.Select(r => r.Wall)]) * 1e3;

    private static double Besides(List<(double Wall, double Besides)> runs) => Clock.Median([.. runs.Select(r => r.Besides)]) * 1e3;

    // From the first byte sent to the last byte of the image; and what of that the manifest does not have as the time of making samples.
    private static async Task<(double Wall, double Besides)> JobAsync(MaisiClient client, JobRequest request, string mask)
    {
        var clock = Stopwatch.StartNew();
        await using var file = File.OpenRead(mask);
        var job = await client.SubmitAsync(request, file);
        await foreach (var seen in client.WatchJobAsync(job.Id))
            job = seen;
        await using var image = await client.GetFileAsync(job.Id, job.Files.First(f => f.Role == "image").Name);
        await image.CopyToAsync(Stream.Null);
        var wall = clock.Elapsed.TotalSeconds;
        await using var manifest = await client.GetFileAsync(job.Id, "manifest.json");
        return (wall, wall - (await JsonNode.ParseAsync(manifest))!["seconds"]!.GetValue<double>());
    }

    private static async Task CrowdAsync(string url, JobRequest request, string mask)
    {
        const int Clients = 64;
        var clock = Stopwatch.StartNew();
        var jobs = await Task.WhenAll(Enumerable.Range(0, Clients).Select(async i =>
        {
            using var http = new HttpClient { BaseAddress = new Uri(url), Timeout = TimeSpan.FromHours(1) };
            var client = new MaisiClient(http);
            await using var file = File.OpenRead(mask);
            var job = await client.SubmitAsync(request with { Seed = (ulong)i }, file);
            var accepted = clock.Elapsed;
            await foreach (var seen in client.WatchJobAsync(job.Id))
                job = seen;
            return (job, accepted);
        }));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Clients} clients at once: {jobs.Count(j => j.job.State == JobState.Succeeded)} succeeded, all accepted after {jobs.Max(j => j.accepted).TotalSeconds:F2} s, all done after {clock.Elapsed.TotalSeconds:F1} s"));
    }

    private static long Resident(int process) =>
        long.Parse(File.ReadLines($"/proc/{process}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
}
