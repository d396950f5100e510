using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Maisi.Bridge.Client;
using Xunit.Abstractions;

namespace Maisi.Bridge.Server.Tests;

/// <summary>
/// Requests that are damaged in every way: the server answers each with a problem of the client's making, or closes the connection, and
/// goes on. MAISI_FUZZ gives the count.
/// </summary>
public sealed class MalformedTests(SharedService shared, ITestOutputHelper output) : IClassFixture<SharedService>
{
    private static readonly string[] _fields =
    [
        "kind", "num_output_samples", "body_region", "anatomy_list", "output_size", "spacing", "controllable_anatomy_size", "pre_signed_url", "local_working_dir", "image_output_ext",
        "label_output_ext", "seed", "num_inference_steps", "guidance_scale", "modality", "retries", "grid", "mask_inference_steps", "__proto__", "\u0000", "x",
    ];

    private static readonly string[] _values =
    [
        "null", "true", "0", "-1", "1.5", "1e999", "-1e999", "1e-999", "99999999999999999999999999", "NaN", "Infinity", "\"\"", "\"NaN\"", "\"../../etc/passwd\"", "\"\\u0000\"", "\"\\ud800\"", "[]", "{}", "[[]]",
        "[1,2,3]", "[1,2,3,4]", "[null,null,null]", "[\"liver\"]", "[[\"liver\"]]", "[[\"liver\",0.5]]", "[[\"liver\",\"x\"]]", "[[0.5,\"liver\"]]", "[[[[[[[[[[1]]]]]]]]]]", "{\"a\":{\"a\":{\"a\":1}}}",
        "[2147483648,1,1]", "[16384,16384,16384]", "[-32,32,32]", "[0.1,0.2,1e308]", "\"https://localhost/a\"", "\"file:///etc/passwd\"", "\"/etc\"", "\".dcm\"", "\"\\r\\nX: 1\"", "[\"chest\",\"chest\"]", "18446744073709551616",
    ];

    // 0: closed without an answer, which raw requests may be. 2xx only where a damaged job happens to be whole; 403 where the host is gone.
    private static readonly int[] _expected = [0, 200, 202, 400, 403, 404, 405, 408, 411, 413, 414, 415, 422, 429, 431, 501, 505];

    private static int Count => int.TryParse(Environment.GetEnvironmentVariable("MAISI_FUZZ"), out var count) ? count : 150;

    [Fact]
    public async Task Damaged_requests_never_break_the_server()
    {
        var (service, random) = (shared.Service, new Random(7));
        var statuses = new SortedDictionary<int, int>();
        for (var i = 0; i < Count; i++)
        {
            var status = (i % 5) switch
            {
                0 => await Send(service, "v1/maisi/run", "application/json", Encoding.UTF8.GetBytes(Json(random, valid: false))),
                1 => await Send(service, "v1/jobs", "application/json", Damage(random, Encoding.UTF8.GetBytes(Json(random, valid: false)))),
                2 => await Send(service, "v1/jobs", Pick(random, "multipart/form-data; boundary=b", "multipart/form-data", "multipart/form-data; boundary=\"\"", "multipart/form-data; boundary=" + new string('b', 300)), Form(random)),
                3 => (await RawRequest.SendAsync(service.Http.BaseAddress!, Raw(random))).Status,
                _ => await Send(service, Pick(random, "v1/jobs", "v1/maisi/run"), Pick(random, "text/plain", "application/x-www-form-urlencoded", "", "application/json; charset=utf-7", ";;;", "application/json"), Noise(random)),
            };
            statuses[status] = statuses.GetValueOrDefault(status) + 1;
            status.ShouldBeOneOf(_expected);
        }
        output.WriteLine(string.Join(", ", statuses.Select(s => $"{s.Key}: {s.Value}")));
        statuses[422].ShouldBeGreaterThan(0);
        foreach (var job in (await service.Client.ListJobsAsync(limit: 200)).Jobs)
            await service.Client.DeleteJobAsync(job.Id);
        (await service.EndAsync(await service.Client.SubmitAsync(TinyService.Image(1)))).State.ShouldBe(JobState.Succeeded);
    }

    [Fact]
    public async Task Slow_and_half_open_clients_do_not_keep_others_waiting()
    {
        var service = shared.Service;
        var clients = new List<TcpClient>();
        try
        {
            for (var i = 0; i < 100; i++)
            {
                var client = new TcpClient();
                await client.ConnectAsync(service.Http.BaseAddress!.Host, service.Http.BaseAddress.Port);
                clients.Add(client);
                var start = (i % 4) switch
                {
                    0 => "",
                    1 => "POST /v1/jobs HT",
                    2 => "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
                    _ => "GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\nX: ",
                };
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(start));
                if (i % 8 == 2)
                    client.Client.Shutdown(SocketShutdown.Send);
            }
            (await service.EndAsync(await service.Client.SubmitAsync(TinyService.Image(2)))).State.ShouldBe(JobState.Succeeded);
            (await service.Client.GetLiveAsync()).Status.ShouldBe("live");
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
        }
    }

    private static async Task<int> Send(TinyService service, string path, string type, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        using var response = await service.Http.PostAsync(path, content);
        if ((int)response.StatusCode >= 400)
        {
            var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
            problem["status"]!.GetValue<int>().ShouldBe((int)response.StatusCode);
            problem["title"]!.ToString().ShouldNotBeEmpty();
        }
        return (int)response.StatusCode;
    }

    private static string Json(Random random, bool valid)
    {
        var parts = new List<string> { "\"num_output_samples\": 1", "\"body_region\": [\"chest\"]" };
        if (random.Next(2) == 0)
            parts.Add("\"kind\": \"image\"");
        for (var i = valid ? 0 : random.Next(1, 4); i > 0; i--)
            parts.Add($"\"{Pick(random, _fields).Replace("\0", "\\u0000", StringComparison.Ordinal)}\": {Pick(random, _values)}");
        return $"{{{string.Join(", ", parts.Skip(random.Next(3)))}}}";
    }

    private static byte[] Damage(Random random, byte[] bytes)
    {
        var cut = bytes[..random.Next(bytes.Length + 1)];
        for (var i = random.Next(4); i > 0 && cut.Length > 0; i--)
            cut[random.Next(cut.Length)] = (byte)random.Next(256);
        return random.Next(10) == 0 ? [.. cut, .. new byte[100_000]] : random.Next(10) == 1 ? Encoding.ASCII.GetBytes(new string('[', 50_000)) : cut;
    }

    private static byte[] Form(Random random)
    {
        var text = new StringBuilder();
        for (var i = random.Next(4); i >= 0; i--)
        {
            text.Append("--b\r\nContent-Disposition: ").Append(Pick(random, "form-data; name=request", "form-data; name=\"mask\"; filename=\"a.nii.gz\"", "form-data; name=mask", "form-data", "attachment", "form-data; name=mask; filename=\"../../x.nii\"", ""));
            text.Append("\r\n\r\n").Append(Pick(random, Json(random, false), "{}", "", "\u0001\u0002", new string('x', 5000), "{\"kind\": \"from-mask\"}")).Append("\r\n");
        }
        return Damage(random, Encoding.Latin1.GetBytes(text.Append(Pick(random, "--b--\r\n", "--b", "")).ToString()));
    }

    private static string Raw(Random random)
    {
        var line = Pick(random, "GET /v1/jobs HTTP/1.1", "POST /v1/jobs HTTP/1.1", "GET / HTTP/9.9", "FROB /v1/jobs HTTP/1.1", "GET /" + new string('a', 20_000) + " HTTP/1.1", "GET /%%% HTTP/1.1", "GET http:// HTTP/1.1", "\0\0\0", "GET /v1/jobs/../../../etc/passwd HTTP/1.1", "OPTIONS * HTTP/1.1");
        var header = Pick(random, "Host: localhost", "Host: localhost\r\nHost: other", "Host: \r\nX: y", "X", "Host: localhost\r\nContent-Length: -1", "Host: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", "Host: localhost\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json",
            "Host: localhost\r\nX: " + new string('y', 40_000), "Host: localhost\r\n" + string.Concat(Enumerable.Repeat("A: b\r\n", 200)) + "C: d", "Host: localhost\r\nRange: bytes=9999999999999999999-", "Host: localhost\r\nIdempotency-Key: \u0001");
        var body = Pick(random, "", "ffffffffffffffff\r\n", "5\r\nabc", "zz\r\n\r\n", "{}", "0\r\n\r\n");
        return $"{line}\r\n{header}\r\nConnection: close\r\n\r\n{body}"[..^random.Next(4)] + (random.Next(3) > 0 ? "\r\n\r\n" : "\r\n\r\n\r\n\r\n");
    }

    private static byte[] Noise(Random random)
    {
        var bytes = new byte[random.Next(2000)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static T Pick<T>(Random random, params T[] choices) => choices[random.Next(choices.Length)];
}
