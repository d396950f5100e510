using System.Security.Cryptography;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Bundles.Modules;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Bundles;

/// <summary>Weights exported both ways, networks checked against their metadata, metadata against fetched and kept schemas.</summary>
public sealed class PackageTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestPaths.Temporary();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Weights_survive_the_way_to_safetensors_and_back(bool throughNetwork)
    {
        using var scope = NewDisposeScope();
        TinyBundle.SaveState(_folder, "a.pt", "vae_maisi", "unet_state_dict");
        var parser = throughNetwork ? Parser("{}") : null;
        var count = CheckpointExporter.Export(_folder["a.pt"], "unet_state_dict", _folder["b.safetensors"], parser, "autoencoder_def");
        CheckpointExporter.Export(_folder["b.safetensors"], null, _folder["c.pt"], parser, "autoencoder_def").ShouldBe(count);
        var original = TinyBundle.Weights("vae_maisi");
        count.ShouldBe(original.Count);
        using var file = CheckpointFile.Open(_folder["c.pt"]);
        var exported = file.StateDict(null);
        exported.Keys.Order().ShouldBe(original.Keys.Order());
        foreach (var (name, weights) in original)
            (exported[name].ToTensor() - weights).abs().sum().ToDouble().ShouldBe(0, name);
    }

    [Fact]
    public void Weights_of_another_network_are_not_exported()
    {
        TinyBundle.SaveState(_folder, "a.pt", "unet_rflow", null);
        Should.Throw<MaisiException>(() => CheckpointExporter.Export(_folder["a.pt"], null, _folder["b.safetensors"], Parser("{}"), "autoencoder_def"));
        Should.Throw<BundleException>(() => CheckpointExporter.Export(_folder["a.pt"], null, _folder["b.onnx"], null, "")).Message.ShouldContain(".onnx");
        Directory.EnumerateFiles(_folder.Path, "b*").ShouldBeEmpty();
    }

    [Fact]
    public void Networks_are_run_with_the_shapes_of_their_metadata()
    {
        var parser = Parser("""
            { "vae": { "inputs": {"image": {"num_channels": 1, "spatial_shape": ["*", "2**p*n", 16]}}, "outputs": {"pred": {"num_channels": 1, "spatial_shape": [16, 16, 16]}}},
              "wrong": { "inputs": {"image": {"num_channels": 1, "spatial_shape": [16, 16, 16]}}, "outputs": {"pred": {"num_channels": 3, "spatial_shape": [16, 16, 16]}}},
              "unet": { "inputs": {"latent": {"num_channels": 4, "spatial_shape": [16, 16, 16]}}, "outputs": {"pred": {"num_channels": 4, "spatial_shape": [16, 16, 16]}}}}
            """);
        var result = new NetworkCheck { NetId = "autoencoder_def", Prefix = "vae", P = 3, N = 2, Any = 16 }.Run(parser);
        (result.Input, result.Output).ShouldBe(("[1, 1, 16, 16, 16]", "[1, 1, 16, 16, 16]"));
        Should.Throw<BundleException>(() => new NetworkCheck { NetId = "autoencoder_def", Prefix = "wrong" }.Run(parser)).Message.ShouldContain("output channel number `1` doesn't match: `3`");
        Should.Throw<BundleException>(() => new NetworkCheck { NetId = "autoencoder_def", Prefix = "none" }.Run(parser)).Kind.ShouldBe(BundleErrorKind.KeyError);
        Should.Throw<BundleException>(() => new NetworkCheck { NetId = "noise_scheduler", Prefix = "vae" }.Run(parser)).Message.ShouldContain("is not a network");
        var arguments = (DictValue)CommandLiteral.Parse("{'timesteps': [10], 'class_labels': [1], 'spacing_tensor': [[100, 100, 100]]}")!;
        new NetworkCheck { NetId = "diffusion_unet_def", Prefix = "unet", ExtraForwardArguments = arguments }.Run(parser).Output.ShouldBe("[1, 4, 16, 16, 16]");
    }

    [Fact]
    public async Task The_schema_is_fetched_from_the_metadata_and_kept()
    {
        using var server = new LoopbackServer();
        using var http = new HttpClient();
        var schema = """{"type": "object", "required": ["version", "name"], "properties": {"version": {"type": "string"}, "name": {"type": "string"}}}"""u8.ToArray();
        server.Files["/schema.json"] = schema;
        await File.WriteAllTextAsync(_folder["metadata.json"], $$"""{"schema": "{{server.Url("schema.json")}}", "version": 1}""");
        for (var round = 0; round < 2; round++)
        {
            var report = await BundleMetadata.VerifyAsync([_folder["metadata.json"]], _folder["kept/schema.json"], Convert.ToHexString(MD5.HashData(schema)), "md5", http, default);
            report.Schema.ShouldBe(_folder["kept/schema.json"]);
            report.Problems.Order().ShouldBe(["name: PropertyRequired", "version: StringExpected"]);
        }
        server.Requests.Count.ShouldBe(1);
        (await File.ReadAllBytesAsync(_folder["kept/schema.json"])).ShouldBe(schema);
        var error = await Should.ThrowAsync<BundleException>(() => BundleMetadata.VerifyAsync([_folder["metadata.json"]], _folder["kept/schema.json"], "00", "md5", http, default));
        error.Message.ShouldContain("not 00");
    }

    [Fact]
    public async Task A_schema_that_cannot_be_fetched_leaves_no_file()
    {
        using var server = new LoopbackServer();
        using var http = new HttpClient();
        await File.WriteAllTextAsync(_folder["metadata.json"], $$"""{"schema": "{{server.Url("none.json")}}", "version": "1.0"}""");
        (await Should.ThrowAsync<BundleException>(() => BundleMetadata.VerifyAsync([_folder["metadata.json"]], _folder["s.json"], null, "md5", http, default))).Message.ShouldContain("404");
        File.Exists(_folder["s.json"]).ShouldBeFalse();
        await File.WriteAllTextAsync(_folder["metadata.json"], """{"version": "1.0"}""");
        (await Should.ThrowAsync<BundleException>(() => BundleMetadata.VerifyAsync([_folder["metadata.json"]], _folder["s.json"], null, "md5", http, default))).Message.ShouldContain("no 'schema' field");
    }

    private ConfigParser Parser(string metadata)
    {
        var image = TinyBundle.Definitions("pipeline_image_rflow");
        var config = new DictValue(new[] { ("autoencoder_def", "autoencoder"), ("diffusion_unet_def", "unet"), ("noise_scheduler", "noise_scheduler") }
            .Select(p => KeyValuePair.Create((object?)p.Item1, TinyBundle.Value(image[p.Item2]))));
        File.WriteAllText(_folder["c.json"], JsonText.Write(config, new TypeTable([])));
        File.WriteAllText(_folder["m.json"], metadata);
        var parser = new ConfigParser(new ConfigParserOptions { Registry = TargetRegistryBuilder.Standard(), WorkingDirectory = _folder.Path });
        parser.ReadConfig("c.json");
        parser.ReadMeta("m.json");
        return parser;
    }
}
