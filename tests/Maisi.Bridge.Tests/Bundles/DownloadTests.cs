using System.Security.Cryptography;
using System.Text;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Tests.Bundles;

/// <summary>Downloads from a server on the loopback interface that breaks connections, honours ranges and changes its files.</summary>
public sealed class DownloadTests : IDisposable
{
    private readonly LoopbackServer _server = new();
    private readonly HttpClient _http = new();
    private readonly TemporaryFolder _folder = TestPaths.Temporary();

    private static readonly byte[] Content = [.. Enumerable.Range(0, 3_000_000).Select(i => (byte)(i * 7 + i / 251))];

    public void Dispose()
    {
        _http.Dispose();
        _server.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_file_is_fetched_and_verified()
    {
        _server.Files["/w.pt"] = Content;
        var request = new FileRequest(_server.Url("w.pt"), _folder["models/w.pt"], Content.Length, Convert.ToHexString(SHA256.HashData(Content)));
        (await new FileDownloader(_http).DownloadAsync(request, null, default)).ShouldBeTrue();
        (await File.ReadAllBytesAsync(request.Path)).ShouldBe(Content);
        Directory.EnumerateFiles(_folder["models"]).ShouldBe([request.Path]);
        (await new FileDownloader(_http).DownloadAsync(request, null, default)).ShouldBeFalse();
        _server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_broken_connection_goes_on_where_it_stopped()
    {
        _server.Files["/w.pt"] = Content;
        _server.BreakAfter.Enqueue(1_000_000);
        _server.BreakAfter.Enqueue(500_000);
        var request = new FileRequest(_server.Url("w.pt"), _folder["w.pt"], Content.Length, Convert.ToHexString(SHA256.HashData(Content)));
        await new FileDownloader(_http).DownloadAsync(request, null, default);
        (await File.ReadAllBytesAsync(request.Path)).ShouldBe(Content);
        _server.Requests.Count.ShouldBe(3);
        _server.Requests[0].Range.ShouldBeNull();
        _server.Requests[1].Range!.ShouldStartWith("bytes=");
        _server.Requests[2].Range!.ShouldStartWith("bytes=");
    }

    [Fact]
    public async Task A_part_of_an_older_file_is_thrown_away()
    {
        _server.Files["/w.pt"] = Content;
        await File.WriteAllBytesAsync(_folder["w.pt.part"], new byte[1000]);
        await File.WriteAllTextAsync(_folder["w.pt.part.tag"], "\"older\"");
        var request = new FileRequest(_server.Url("w.pt"), _folder["w.pt"], Content.Length, Convert.ToHexString(SHA256.HashData(Content)));
        await new FileDownloader(_http).DownloadAsync(request, null, default);
        (await File.ReadAllBytesAsync(request.Path)).ShouldBe(Content);
    }

    [Theory]
    [InlineData("sha256", "00", null)]
    [InlineData("md5", "00", null)]
    [InlineData("sha256", null, 17L)]
    public async Task Wrong_content_leaves_no_file(string type, string? hash, long? size)
    {
        _server.Files["/w.pt"] = Content;
        var request = new FileRequest(_server.Url("w.pt"), _folder["w.pt"], size, hash, type);
        (await Should.ThrowAsync<BundleException>(() => new FileDownloader(_http).DownloadAsync(request, null, default))).Kind.ShouldBe(BundleErrorKind.ValueError);
        File.Exists(request.Path).ShouldBeFalse();
    }

    [Fact]
    public async Task A_missing_file_is_an_error_with_the_status()
    {
        var error = await Should.ThrowAsync<BundleException>(() => new FileDownloader(_http).DownloadAsync(new FileRequest(_server.Url("none"), _folder["x"]), null, default));
        error.Message.ShouldContain("404");
    }

    [Fact]
    public async Task A_repository_is_listed_with_sizes_and_hashes()
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Content));
        _server.Files["/api/models/nvidia/x/tree/main?recursive=true"] = Encoding.UTF8.GetBytes(
            $$"""
            [
              {"type": "directory", "path": "models"},
              {"type": "file", "path": "models/w.pt", "size": {{Content.Length}}, "lfs": {"oid": "{{hash}}" } },
              {"type": "file", "path": "README.md", "size": 2}
            ]
            """);
        _server.Files["/nvidia/x/resolve/main/models/w.pt"] = Content;
        _server.Files["/nvidia/x/resolve/main/README.md"] = "hi"u8.ToArray();
        var files = await new HubRepository(_http, _server.Url("")).FilesAsync("nvidia/x", "main", _folder.Path, default);
        files.Select(f => (f.Size, f.Hash)).ShouldBe([(Content.Length, hash), (2, null)]);
        foreach (var file in files)
            await new FileDownloader(_http).DownloadAsync(file, null, default);
        (await File.ReadAllTextAsync(_folder["README.md"])).ShouldBe("hi");
    }

    [Theory]
    [InlineData("../evil")]
    [InlineData("/etc/evil")]
    [InlineData("a/../../evil")]
    [InlineData("")]
    public async Task Names_that_lead_out_of_the_folder_are_refused(string path)
    {
        _server.Files["/api/models/nvidia/x/tree/main?recursive=true"] = Encoding.UTF8.GetBytes($$"""[{"type": "file", "path": "{{path}}", "size": 2}]""");
        (await Should.ThrowAsync<BundleException>(() => new HubRepository(_http, _server.Url("")).FilesAsync("nvidia/x", "main", _folder["in"], default))).Kind.ShouldBe(BundleErrorKind.PermissionError);
        await File.WriteAllTextAsync(_folder["large_files.yml"], $"large_files:\n- path: \"{path}\"\n  url: \"http://127.0.0.1/x\"\n");
        Should.Throw<BundleException>(() => LargeFiles.Read(_folder.Path, null, null)).Kind.ShouldBe(BundleErrorKind.PermissionError);
    }

    [Fact]
    public async Task Large_files_are_read_with_their_hashes_and_a_base_url()
    {
        await File.WriteAllTextAsync(_folder["large_files.yml"], "large_files:\n- path: models/w.pt\n  url: https://h/w.pt\n  hash_val: abc\n  hash_type: sha1\n  size: 5\n");
        LargeFiles.Read(_folder.Path, null, null).ShouldBe([new FileRequest(new Uri("https://h/w.pt"), _folder["models/w.pt"], 5, "abc", "sha1")]);
        LargeFiles.Read(_folder.Path, null, new Uri("https://mirror/b/"))[0].Url.ShouldBe(new Uri("https://mirror/b/models/w.pt"));
    }
}
