using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Maisi.Bridge.Client;
using Maisi.Bridge.Generation;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Server.Tests;

/// <summary>The interface of NVIDIA's NIM as its clients use it.</summary>
public sealed class NimTests(TinyBundle bundle, SharedService shared) : IClassFixture<TinyBundle>, IClassFixture<SharedService>
{
    private static readonly RunRequest _pair = new() { NumOutputSamples = 1, BodyRegion = ["chest"], AnatomyList = ["liver"], Seed = 4 };

    [Fact]
    public async Task Health_license_and_info_tell_what_is_served()
    {
        await using var service = await TinyService.StartAsync(bundle);
        (await service.Http.GetStringAsync("v1/health/ready")).ShouldBe("""{"status":"ready"}""");
        (await service.Client.GetLiveAsync()).Status.ShouldBe("live");
        (await service.Client.GetLicenseAsync()).Content.ShouldContain("licence");
        var info = await service.Client.GetInfoAsync();
        info.Kinds.ShouldBe([JobKind.FromMask, JobKind.Paired, JobKind.Mask, JobKind.Image]);
        info.Labels["liver"].ShouldBe(1);
        info.Defaults.OutputSize.ShouldBe([32, 32, 64]);
        info.Limits.SizesXY.ShouldBeNull();
        info.Limits.ControllableAnatomy.Count.ShouldBe(10);
    }

    [Fact]
    public async Task A_run_answers_with_a_zip_of_pairs_and_equal_seeds_give_equal_bytes()
    {
        await using var service = await TinyService.StartAsync(bundle);
        var (first, second, other) = (await Zip(service, _pair), await Zip(service, _pair), await Zip(service, _pair with { Seed = 5 }));
        first.Keys.Order(StringComparer.Ordinal).ShouldBe(["manifest.json", "paired_seed4_000_image.nii.gz", "paired_seed4_000_label.nii.gz"]);
        first["paired_seed4_000_image.nii.gz"].ShouldBe(second["paired_seed4_000_image.nii.gz"]);
        first["paired_seed4_000_label.nii.gz"].ShouldBe(second["paired_seed4_000_label.nii.gz"]);
        other["paired_seed5_000_image.nii.gz"].ShouldNotBe(first["paired_seed4_000_image.nii.gz"]);
        var manifest = JsonNode.Parse(first["manifest.json"])!;
        manifest["options"]!["seed"]!.GetValue<int>().ShouldBe(4);
        // Nothing of the server's folders.
        Encoding.UTF8.GetString(first["manifest.json"]).ShouldNotContain(Path.GetTempPath());
        // Nothing is left of a run whose client has its answer.
        Directory.EnumerateFileSystemEntries(Path.Combine(service.Data, "jobs")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Sizes_of_anatomy_synthesise_the_label_map()
    {
        await using var service = await TinyService.StartAsync(bundle);
        var request = new RunRequest { NumOutputSamples = 1, BodyRegion = ["abdomen"], ControllableAnatomySize = [new("liver", 0.5), new("lung tumor", -1)], Seed = 1 };
        var files = await Zip(service, request);
        files.Keys.Count(k => k.EndsWith(".nii.gz", StringComparison.Ordinal)).ShouldBe(2);
        var sizes = JsonNode.Parse(files["manifest.json"])!["samples"]![0]!["anatomy_condition"]!.AsArray();
        (sizes[0]!.GetValue<double>(), sizes.Count).ShouldBe((0.5, 10));
    }

    [Theory]
    [InlineData(".nii")]
    [InlineData(".nrrd")]
    public async Task Other_formats_hold_the_same_voxels(string extension)
    {
        await using var service = await TinyService.StartAsync(bundle);
        using var temp = TestPaths.Temporary();
        var native = await Zip(service, _pair);
        var other = await Zip(service, _pair with { ImageOutputExt = extension, LabelOutputExt = extension });
        foreach (var part in new[] { "image", "label" })
        {
            File.WriteAllBytes(temp["a.nii.gz"], native[$"paired_seed4_000_{part}.nii.gz"]);
            File.WriteAllBytes(temp["b" + extension], other[$"paired_seed4_000_{part}{extension}"]);
            var (a, b) = (VolumeFile.Read(temp["a.nii.gz"]), VolumeFile.Read(temp["b" + extension]));
            b.ToFloats().ShouldBe(a.ToFloats());
            b.Affine.ShouldBe(a.Affine);
        }
    }

    [SkippableFact]
    public async Task Dicom_is_a_series_and_a_segmentation()
    {
        await using var service = await TinyService.StartAsync(bundle);
        Dictionary<string, byte[]> files;
        try
        {
            files = await Zip(service, _pair with { ImageOutputExt = ".dcm", LabelOutputExt = ".dcm" });
        }
        catch (MaisiServiceException e) when (e.Message.Contains("pydicom", StringComparison.Ordinal))
        {
            throw new SkipException("this machine's Python has no pydicom");
        }
        files.Keys.Count(k => k.StartsWith("paired_seed4_000_image/", StringComparison.Ordinal)).ShouldBe(64);
        Encoding.ASCII.GetString(files["paired_seed4_000_label.dcm"], 128, 4).ShouldBe("DICM");
    }

    [Theory]
    [InlineData("""{"body_region": ["chest"]}""", "num_output_samples")]
    [InlineData("""{"num_output_samples": 1}""", "body_region")]
    [InlineData("""{"num_output_samples": 0, "body_region": ["chest"]}""", "num_output_samples")]
    [InlineData("""{"num_output_samples": 1.5, "body_region": ["chest"]}""", "num_output_samples")]
    [InlineData("""{"num_output_samples": "1", "body_region": ["chest"]}""", "num_output_samples")]
    [InlineData("""{"num_output_samples": 1, "body_region": ["chest", "arm"]}""", "body_region[1]")]
    [InlineData("""{"num_output_samples": 1, "body_region": "chest"}""", "body_region")]
    [InlineData("""{"num_output_samples": 1, "body_region": ["chest"], "anatomy_list": ["liver", "wing"]}""", "anatomy_list[1]")]
    [InlineData("""{"num_output_samples": 1, "body_region": ["chest"], "output_size": [32, 33, 64]}""", "output_size[1]")]
    [InlineData("""{"num_output_samples": 1, "body_region": ["chest"], "output_size": [32, 32]}""", "output_size")]
    [InlineData("""{"num_output_samples": 1, "body_region": ["chest"], "spacing": [1, 1, 1e999]}""", "spacing[2]")]
    [InlineData("""{"num_output_samples": 1, "body_region": ["chest"], "spacing": [1, 1, -1]}""", "spacing[2]")]
    [InlineData("""{"num_output_samples": 1, "body_region": ["chest"], "controllable_anatomy_size": [["liver", 2]]}""", "controllable_anatomy_size[0][1]")]
    [InlineData("""{"num_output_samples": 1, "body_region": ["chest"], "controllable_anatomy_size": [["spleen", 0.5]]}""", "controllable_anatomy_size[0][0]")]
    [InlineData("""{"num_output_samples": 1, "body_region": ["chest"], "controllable_anatomy_size": [["lung tumor", 0.5], ["bone lesion", 0.5]]}""", "controllable_anatomy_size")]
    [InlineData("""{"num_output_samples": 1, "body_region": ["chest"], "image_output_ext": ".png"}""", "image_output_ext")]
    [InlineData("""{"num_output_samples": 1, "body_region": ["chest"], "seed": -1}""", "seed")]
    [InlineData("""{"num_output_samples": 1, "body_region": ["chest"], "num_inference_steps": 1001}""", "num_inference_steps")]
    [InlineData("""{"num_output_samples": 1, "body_region": ["chest"], "anatomy_lst": ["liver"]}""", "anatomy_lst")]
    [InlineData("""{"num_output_samples": 1, "body_region": ["chest"], "pre_signed_url": "https://example.com/a"}""", "pre_signed_url")]
    [InlineData("""{"num_output_samples": 1, "body_region": ["chest"], "local_working_dir": "/tmp"}""", "local_working_dir")]
    public async Task A_field_that_does_not_fit_is_named(string body, string field)
    {
        using var response = await shared.Service.Http.PostAsync("v1/maisi/run", new StringContent(body, Encoding.UTF8, "application/json"));
        response.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        problem["errors"]!.AsArray().Select(e => e!["field"]!.ToString()).ShouldContain(field);
        problem["type"]!.ToString().ShouldBe("urn:maisi:problem:invalid-request");
    }

    [Fact]
    public async Task Numbers_are_whole_when_their_values_are_and_limits_are_allowed()
    {
        const string Body = """{"num_output_samples": 1.0, "body_region": ["chest"], "anatomy_list": ["liver"], "num_inference_steps": 1e0, "seed": 4.0, "output_size": [32.0, 32, 64], "spacing": [0.1, 20, 1]}""";
        await using var service = await TinyService.StartAsync(bundle);
        using var response = await service.Http.PostAsync("v1/maisi/run", new StringContent(Body, Encoding.UTF8, "application/json"));
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
        response.Headers.GetValues("X-Maisi-Seed").ShouldBe(["4"]);
    }

    [Fact]
    public void MAISI_networks_have_the_sizes_and_spacings_of_NVIDIA()
    {
        var limits = new BundleLimits(BundleSettings.Read(Path.Combine(TestPaths.Root, "bundles", "maisi_ct_rflow")), new MaisiServerOptions(), []);
        limits.HasNimSizes.ShouldBeTrue();
        foreach (var (axis, allowed) in new[] { (0, new[] { 256, 384, 512 }), (1, [256, 384, 512]), (2, [128, 256, 384, 512, 640, 768]) })
            Enumerable.Range(1, 1024).Where(n => limits.Size(axis, n) is null).ShouldBe(allowed);
        limits.Spacing.ShouldBe((0.5, 5.0));
        BundleLimits.Regions.ShouldBe(["head", "chest", "thorax", "abdomen", "pelvis", "lower"]);
        limits.Anatomy("liver", synthesised: false).ShouldBeNull();
        limits.Anatomy("wing", synthesised: true)!.ShouldContain("not a structure");
    }

    [Fact]
    public async Task Files_go_to_an_allowed_folder_alone()
    {
        using var temp = TestPaths.Temporary();
        var allowed = Directory.CreateDirectory(temp["allowed"]).FullName;
        Directory.CreateDirectory(temp["secret"]);
        Directory.CreateSymbolicLink(Path.Combine(allowed, "link"), temp["secret"]);
        await using var service = await TinyService.StartAsync(bundle, o => o.LocalFolders.Add(allowed));
        var delivery = await service.Client.DeliverAsync(_pair with { LocalWorkingDir = allowed + "/a/b" });
        delivery.Seed.ShouldBe(4ul);
        Directory.EnumerateFiles(Path.Combine(allowed, "a", "b")).Select(Path.GetFileName).Order(StringComparer.Ordinal).ShouldBe(delivery.Files.Order(StringComparer.Ordinal));
        delivery.Files.Count.ShouldBe(3);
        foreach (var path in new[] { temp["secret"], allowed + "/../secret", allowed + "/link", allowed + "/a/../../secret", allowed + "x", "relative", "/", allowed + "/./..", allowed + "/a\0b", allowed + "/.hidden", "", "//" })
            (await Refused(() => service.Client.DeliverAsync(_pair with { LocalWorkingDir = path }))).Errors![0].Field.ShouldBe("local_working_dir");
        Directory.EnumerateFileSystemEntries(temp["secret"]).ShouldBeEmpty();
    }

    private static async Task<Problem> Refused(Func<Task> call) => (await call.ShouldThrowAsync<MaisiServiceException>()).Problem;

    private static async Task<Dictionary<string, byte[]>> Zip(TinyService service, RunRequest request)
    {
        await using var stream = await service.Client.RunAsync(request);
        var memory = new MemoryStream();
        await stream.CopyToAsync(memory);
        using var zip = new ZipArchive(memory);
        return zip.Entries.ToDictionary(e => e.FullName, e =>
        {
            using var content = e.Open();
            var bytes = new MemoryStream();
            content.CopyTo(bytes);
            return bytes.ToArray();
        }, StringComparer.Ordinal);
    }
}
