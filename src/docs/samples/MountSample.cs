using Maisi.Bridge.Client;
using Maisi.Bridge.Server;
using Microsoft.AspNetCore.Builder;

namespace Maisi.Bridge.Samples;

/// <summary>The service inside an ASP.NET Core application, and its typed client (docs/service.md).</summary>
internal static class MountSample
{
    /// <summary>Mounts the service under /ct.</summary>
    /// <param name="bundle">Folder of a bundle with weights.</param>
    public static WebApplication Build(string bundle)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Services.AddMaisi(options =>
        {
            options.Bundle = bundle;
            options.DataFolder = "maisi-jobs";
            options.ApiKeys["imaging"] = Environment.GetEnvironmentVariable("MAISI_KEY_HASH")
                ?? throw new MaisiException("No key was given.", "MAISI_KEY_HASH", "'maisi serve key imaging' makes one; its second word is the hash.");
        });
        var app = builder.Build();
        app.MapGroup("/ct").MapMaisi(page: false);
        return app;
    }

    /// <summary>Makes an image of a label map and saves it.</summary>
    public static async Task UseAsync(Uri server, string key, string mask)
    {
        using var http = new HttpClient { BaseAddress = server };
        http.DefaultRequestHeaders.Authorization = new("Bearer", key);
        var client = new MaisiClient(http);
        await using var file = File.OpenRead(mask);
        var job = await client.SubmitAsync(new JobRequest { Kind = JobKind.FromMask, Seed = 7 }, file);
        await foreach (var seen in client.WatchJobAsync(job.Id))
            job = seen;
        var image = job.Files.First(f => f.Role == "image");
        await using var target = File.Create(image.Name);
        await using var content = await client.GetFileAsync(job.Id, image.Name);
        await content.CopyToAsync(target);
    }
}
