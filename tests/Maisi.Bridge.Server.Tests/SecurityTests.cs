using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Maisi.Bridge.Client;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Maisi.Bridge.Server.Tests;

/// <summary>Keys, other machines and other sites, uploads that attack, and addresses that uploads must not reach.</summary>
public sealed class SecurityTests(TinyBundle bundle) : IClassFixture<TinyBundle>
{
    [Fact]
    public async Task With_keys_only_their_owners_come_in_and_see_their_own_jobs()
    {
        var (anna, ben) = (ApiKeyRing.Create(), ApiKeyRing.Create());
        await using var service = await TinyService.StartAsync(bundle, o => (o.ApiKeys["anna"], o.ApiKeys["ben"]) = (anna.Hash, ben.Hash));
        (await service.Http.GetAsync("v1/health/ready")).StatusCode.ShouldBe(HttpStatusCode.OK);
        foreach (var (scheme, key) in new[] { ("Bearer", ""), ("Bearer", "x"), ("Bearer", anna.Hash), ("Basic", anna.Key), ("Bearer", anna.Key + "0"), ("Bearer", new string('a', 10000)) })
        {
            service.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(scheme, key);
            var refused = await service.Http.GetAsync("v1/jobs");
            refused.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
            refused.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer");
        }
        service.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", anna.Key);
        var job = await service.EndAsync(await service.Client.SubmitAsync(TinyService.Image(1), idempotencyKey: "k"));
        service.Http.DefaultRequestHeaders.Authorization = null;
        service.Http.DefaultRequestHeaders.Add("X-API-Key", ben.Key);
        (await service.Client.ListJobsAsync()).Jobs.ShouldBeEmpty();
        foreach (var call in new Func<Task>[]
        {
            () => service.Client.GetJobAsync(job.Id), () => service.Client.DeleteJobAsync(job.Id), () => service.Client.CancelJobAsync(job.Id),
            () => service.Client.GetFileAsync(job.Id, job.Files[0].Name), () => service.Client.GetArchiveAsync(job.Id),
        })
            (await call.ShouldThrowAsync<MaisiServiceException>()).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await service.Client.SubmitAsync(TinyService.Image(1), idempotencyKey: "k")).Id.ShouldNotBe(job.Id);
        var audit = File.ReadAllLines(Path.Combine(service.Data, "audit.jsonl"));
        audit.Count(l => l.Contains("\"client\":\"anna\"") && l.Contains("\"status\":202")).ShouldBe(1);
        audit.Count(l => l.Contains("\"status\":401")).ShouldBe(6);
        audit.ShouldAllBe(l => !l.Contains(anna.Key) && !l.Contains(anna.Hash));
    }

    [Fact]
    public void Without_keys_no_other_machine_is_served_unless_that_is_wanted()
    {
        using var temp = TestPaths.Temporary();
        void Build(string url, bool anonymous) => MaisiServer.Build(o => (o.Bundle, o.DataFolder, o.AllowAnonymous, o.Preload) = (bundle.Path, temp.Path, anonymous, false), [url]).DisposeAsync().AsTask().Wait();
        Should.Throw<MaisiException>(() => Build("http://0.0.0.0:0", false)).Message.ShouldContain("Without keys");
        Should.Throw<MaisiException>(() => Build("http://*:0", false)).Message.ShouldContain("Without keys");
        Build("http://0.0.0.0:0", true);
        Build("http://[::1]:0", false);
    }

    [Theory]
    [InlineData("Origin", "http://evil.example", "origin")]
    [InlineData("Origin", "null", "origin")]
    [InlineData("Host", "rebound.example", "local-only")]
    public async Task Pages_of_other_sites_cannot_use_a_server_of_this_machine(string header, string value, string problem)
    {
        await using var service = await TinyService.StartAsync(bundle, o => o.Preload = false);
        using var request = new HttpRequestMessage(HttpMethod.Get, "v1/jobs");
        request.Headers.Add(header, value);
        using var response = await service.Http.SendAsync(request);
        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await response.Content.ReadAsStringAsync()).ShouldContain($"urn:maisi:problem:{problem}");
        response.Headers.Contains("Access-Control-Allow-Origin").ShouldBeFalse();
    }

    [Fact]
    public async Task Sites_that_are_allowed_and_no_others_may_read_answers()
    {
        await using var service = await TinyService.StartAsync(bundle, o => (o.Preload, _) = (false, Allow(o)));
        foreach (var (origin, isAllowed) in new[] { ("https://viewer.example", true), ("https://viewer.example.evil", false), ("http://viewer.example", false), ("null", false) })
        {
            using var preflight = new HttpRequestMessage(HttpMethod.Options, "v1/jobs");
            using var request = new HttpRequestMessage(HttpMethod.Get, "v1/jobs");
            preflight.Headers.Add("Access-Control-Request-Method", "POST");
            foreach (var message in new[] { preflight, request })
            {
                message.Headers.Add("Origin", origin);
                using var response = await service.Http.SendAsync(message);
                var allowed = response.Headers.TryGetValues("Access-Control-Allow-Origin", out var values) ? values.Single() : null;
                allowed.ShouldBe(isAllowed ? origin : null, $"{message.Method} {origin}");
            }
        }

        static bool Allow(MaisiServerOptions options)
        {
            options.CorsOrigins.Add("https://viewer.example");
            return true;
        }
    }

    [Fact]
    public async Task Paths_never_lead_out_of_a_job()
    {
        await using var service = await TinyService.StartAsync(bundle);
        var job = await service.EndAsync(await service.Client.SubmitAsync(TinyService.Image(1)));
        foreach (var name in new[] { "../../jobs.db", "..%2f..%2fjobs.db", "%2e%2e/%2e%2e/lock", "/etc/passwd", "..\\..\\jobs.db", "image_seed1_000.json", "index.html", "", "%00", "manifest.json%00.png", ".partial/lock" })
            await Status(service, $"v1/jobs/{job.Id}/files/{name}", HttpStatusCode.NotFound, HttpStatusCode.BadRequest);
        foreach (var id in new[] { "..", "%2e%2e", job.Id + "/..", job.Id.ToUpperInvariant() + "x", "' OR 1=1 --", "%27%20OR%201%3D1" })
            await Status(service, $"v1/jobs/{id}", HttpStatusCode.NotFound, HttpStatusCode.BadRequest, HttpStatusCode.OK);
        (await service.Client.ListJobsAsync(after: "' OR '1'='1")).Jobs.Count.ShouldBeLessThanOrEqualTo(1);
    }

    [Fact]
    public async Task Label_maps_that_attack_are_refused_and_leave_nothing()
    {
        await using var service = await TinyService.StartAsync(bundle, o => (o.MaxUploadBytes, o.MaxVoxels) = (1 << 20, 1 << 18));
        var nifti = Unzip(File.ReadAllBytes(bundle.Mask));
        byte[] Header(int at, params short[] sizes)
        {
            var copy = (byte[])nifti.Clone();
            Buffer.BlockCopy(sizes, 0, copy, at, sizes.Length * 2);
            return copy;
        }
        var detached = Encoding.ASCII.GetBytes("NRRD0004\ntype: uchar\ndimension: 3\nsizes: 32 32 32\nencoding: raw\ndata file: ../../../../etc/passwd\n\n");
        var cases = new Dictionary<string, (byte[] Bytes, string Name)>
        {
            ["not an image"] = ("hello"u8.ToArray(), "a.nii.gz"),
            ["empty"] = ([], "a.nii.gz"),
            ["cut"] = (File.ReadAllBytes(bundle.Mask)[..200], "a.nii.gz"),
            ["an ending that needs another file"] = (detached, "a.nhdr"),
            ["voxels in another file"] = (detached, "a.nrrd"),
            ["voxels in another file, MetaImage"] = (Encoding.ASCII.GetBytes("ObjectType = Image\nNDims = 3\nDimSize = 32 32 32\nElementType = MET_UCHAR\nElementDataFile = /etc/passwd\n"), "a.mha"),
            ["no ending"] = (nifti, "../../../etc/cron.d/x"),
            ["sizes of 32767"] = (Zip(Header(42, 32767, 32767, 32767)), "a.nii.gz"),
            ["negative sizes"] = (Zip(Header(42, -1, -1, -1)), "a.nii.gz"),
            ["a bomb"] = (Zip([.. Header(42, 1024, 1024, 200), .. new byte[200 << 20]]), "a.nii.gz"),
            ["another size"] = (Zip(Header(42, 30, 32, 32)), "a.nii.gz"),
            ["too large"] = (new byte[(1 << 20) + 1], "a.nii"),
        };
        foreach (var (what, (bytes, name)) in cases)
        {
            var refused = await Should.ThrowAsync<MaisiServiceException>(() => service.Client.SubmitAsync(new JobRequest { Kind = JobKind.FromMask }, new MemoryStream(bytes), name), what);
            (refused.Problem.Status is 413 or 422).ShouldBeTrue($"{what}: {refused.Problem}");
            refused.Message.ShouldNotContain(service.Data);
        }
        Directory.EnumerateFileSystemEntries(Path.Combine(service.Data, "uploads")).ShouldBeEmpty();
        Directory.EnumerateFileSystemEntries(Path.Combine(service.Data, "jobs")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("2606:4700:4700::1111", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("192.168.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("198.18.0.1", false)]
    [InlineData("::1", false)]
    [InlineData("::", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("::ffff:169.254.169.254", false)]
    [InlineData("::127.0.0.1", false)]
    [InlineData("64:ff9b::7f00:1", false)]
    [InlineData("2002:7f00:1::", false)]
    [InlineData("2001:0:7f00:1::", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fc00::1", false)]
    [InlineData("ff02::1", false)]
    public void Only_addresses_of_the_internet_are_public(string address, bool expected) => AddressRules.IsPublic(IPAddress.Parse(address)).ShouldBe(expected);

    [Theory]
    [InlineData("http://store.example/a", "https")]
    [InlineData("https://other.example/a", "not allowed")]
    [InlineData("https://store.example.evil.example/a", "not allowed")]
    [InlineData("https://evil.example@store.example/a", "not allowed")]
    [InlineData("https://store.example:8443/a", "not allowed")]
    [InlineData("https://127.0.0.1/a", "not allowed")]
    [InlineData("https://[::1]/a", "not allowed")]
    [InlineData("https://2130706433/a", "not allowed")]
    [InlineData("https://0x7f.1/a", "not allowed")]
    [InlineData("https://sub.bucket.example.evil/a", "not allowed")]
    [InlineData("file:///etc/passwd", "https")]
    [InlineData("gopher://store.example/a", "https")]
    [InlineData("https://store.example/a\r\nX-Injected: 1", "no URL")]
    [InlineData("store.example/a", "no URL")]
    [InlineData("", "no URL")]
    public void Uploads_go_to_allowed_hosts_alone(string url, string why)
    {
        var options = new MaisiServerOptions { UploadHosts = { "store.example", "*.bucket.example" } };
        using var upload = new UploadDelivery(options);
        Should.Throw<RequestProblem>(() => upload.Resolve(url)).Body.Errors![0].Detail.ShouldContain(why);
        upload.Resolve("https://store.example/a?sig=1").Host.ShouldBe("store.example");
        upload.Resolve("https://eu.bucket.example/a").Host.ShouldBe("eu.bucket.example");
    }

    [Fact]
    public async Task An_allowed_name_that_leads_to_a_private_address_and_a_redirect_are_refused()
    {
        await using var store = await Store.StartAsync();
        using var temp = TestPaths.Temporary();
        File.WriteAllText(temp["a.zip"], "content");
        using (var strict = new UploadDelivery(new MaisiServerOptions { UploadHosts = { $"localhost:{store.Port}" } }))
            (await Should.ThrowAsync<RequestProblem>(() => strict.SendAsync(new Uri($"https://localhost:{store.Port}/a"), temp["a.zip"], default))).Message.ShouldContain("not public");
        using var lenient = new UploadDelivery(new MaisiServerOptions { UploadHosts = { $"localhost:{store.Port}" }, AllowPrivateUploads = true });
        (await Should.ThrowAsync<RequestProblem>(() => lenient.SendAsync(new Uri($"http://localhost:{store.Port}/redirect"), temp["a.zip"], default))).Message.ShouldContain("302");
        store.Received.ShouldBeEmpty();
    }

    [Fact]
    public async Task Results_are_put_to_a_store_that_is_allowed()
    {
        await using var store = await Store.StartAsync();
        await using var service = await TinyService.StartAsync(bundle, o => (o.AllowPrivateUploads, _) = (true, Add(o, $"localhost:{store.Port}")));
        var delivery = await service.Client.DeliverAsync(new RunRequest { NumOutputSamples = 1, BodyRegion = ["chest"], AnatomyList = ["liver"], Seed = 9, PreSignedUrl = $"http://localhost:{store.Port}/out.zip?sig=abc" });
        delivery.Files.ShouldContain("paired_seed9_000_image.nii.gz");
        using var zip = new ZipArchive(new MemoryStream(store.Received["/out.zip"]));
        zip.Entries.Select(e => e.FullName).Order(StringComparer.Ordinal).ShouldBe(delivery.Files.Order(StringComparer.Ordinal));
        Directory.EnumerateFileSystemEntries(Path.Combine(service.Data, "uploads")).ShouldBeEmpty();
    }

    private static bool Add(MaisiServerOptions options, string host)
    {
        options.UploadHosts.Add(host);
        return true;
    }

    private static async Task Status(TinyService service, string path, params HttpStatusCode[] expected)
    {
        // Sent as it is: HttpClient would tidy the dots away.
        var (code, body) = await RawRequest.SendAsync(service.Http.BaseAddress!, $"GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        expected.Select(e => (int)e).ShouldContain(code, path);
        body.ShouldNotContain("root:");
        body.ShouldNotContain("SQLite format");
    }

    private static byte[] Zip(byte[] bytes)
    {
        var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Fastest))
            gzip.Write(bytes);
        return memory.ToArray();
    }

    private static byte[] Unzip(byte[] bytes)
    {
        using var gzip = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
        var memory = new MemoryStream();
        gzip.CopyTo(memory);
        return memory.ToArray();
    }
}

/// <summary>An object store: takes what is PUT.</summary>
internal sealed class Store : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Store(WebApplication app) => _app = app;

    public Dictionary<string, byte[]> Received { get; } = [];

    public int Port => new Uri(_app.Urls.First()).Port;

    public static async Task<Store> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var store = new Store(app);
        app.MapPut("/redirect", () => Results.Redirect("/elsewhere"));
        app.MapPut("/{**path}", async (HttpContext context) =>
        {
            context.Request.ContentLength.ShouldNotBeNull();
            var memory = new MemoryStream();
            await context.Request.Body.CopyToAsync(memory);
            store.Received[context.Request.Path] = memory.ToArray();
        });
        await app.StartAsync();
        return store;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}

/// <summary>Bytes over a connection of its own.</summary>
internal static class RawRequest
{
    /// <summary>Sends text and reads until the server closes; status 0 when it closed without an answer.</summary>
    public static async Task<(int Status, string Body)> SendAsync(Uri server, string text)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server.Host, server.Port);
        await using var stream = client.GetStream();
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(text));
            var answer = await new StreamReader(stream, Encoding.Latin1).ReadToEndAsync();
            return (answer.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? int.Parse(answer.AsSpan(9, 3)) : 0, answer);
        }
        catch (IOException)
        {
            return (0, "");
        }
    }
}
