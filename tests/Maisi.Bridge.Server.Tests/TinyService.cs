using Maisi.Bridge.Client;
using Maisi.Bridge.Tests.Support;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;
using Microsoft.AspNetCore.Builder;

namespace Maisi.Bridge.Server.Tests;

/// <summary>A bundle with small golden networks and a database of two label maps, for every test of a class.</summary>
public sealed class TinyBundle : IDisposable
{
    private readonly TemporaryFolder _temp = TestPaths.Temporary();

    public TinyBundle()
    {
        TinyMaisi.Write(Path, "rflow");
        TinyMaisi.WriteDatabase(_temp["masks"], TinyMaisi.Trunk(0), TinyMaisi.Trunk(1, tumour: true));
        VolumeFile.Write(TinyMaisi.Trunk(2, [32, 32, 32]), Mask);
    }

    public string Path => _temp["bundle"];

    public string Database => _temp["masks.json"];

    /// <summary>A label map of 32³ voxels.</summary>
    public string Mask => _temp["mask.nii.gz"];

    public void Dispose() => _temp.Dispose();
}

/// <summary>The service in this process, on a port of its own.</summary>
internal sealed class TinyService : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TemporaryFolder? _own;

    private TinyService(WebApplication app, TemporaryFolder? own, string data)
    {
        (_app, _own, Data) = (app, own, data);
        Http = new HttpClient { BaseAddress = new Uri(app.Urls.First()), Timeout = TimeSpan.FromMinutes(2) };
        Client = new MaisiClient(Http);
    }

    public HttpClient Http { get; }

    public MaisiClient Client { get; }

    public string Data { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>Starts a server; with a data folder of its own unless one is given.</summary>
    public static async Task<TinyService> StartAsync(TinyBundle bundle, Action<MaisiServerOptions>? change = null, string? data = null)
    {
        var own = data is null ? TestPaths.Temporary() : null;
        var app = MaisiServer.Build(options =>
        {
            (options.Bundle, options.DataFolder, options.MaskDatabase, options.MinFreeBytes) = (bundle.Path, data ?? own!.Path, bundle.Database, 1);
            change?.Invoke(options);
        }, ["http://127.0.0.1:0"]);
        await app.StartAsync();
        await MaisiServer.Ready(app.Services);
        return new TinyService(app, own, data ?? own!.Path);
    }

    public Task StopAsync() => _app.StopAsync();

    /// <summary>Waits until a job has ended.</summary>
    public async Task<Job> EndAsync(Job job)
    {
        await foreach (var seen in Client.WatchJobAsync(job.Id))
            job = seen;
        return job;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _own?.Dispose();
    }

    /// <summary>A small image job of 32³ voxels.</summary>
    public static JobRequest Image(ulong seed, int count = 1) =>
        new() { Kind = JobKind.Image, Seed = seed, NumOutputSamples = count, OutputSize = [32, 32, 32], Spacing = [2, 2, 2] };
}

/// <summary>One service for all tests of a class that only ask.</summary>
public sealed class SharedService : IAsyncLifetime
{
    private readonly TinyBundle _bundle = new();

    internal TinyService Service { get; private set; } = null!;

    public async Task InitializeAsync() => Service = await TinyService.StartAsync(_bundle, o => o.Preload = false);

    public async Task DisposeAsync()
    {
        await Service.DisposeAsync();
        _bundle.Dispose();
    }
}
