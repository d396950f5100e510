using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Tests.Bundles;

/// <summary>The bundles of this repository: they parse, their metadata are valid, their networks are what the variants are.</summary>
public sealed class ShippedBundleTests
{
    public static TheoryData<string> Names() => ["maisi_ct_rflow", "maisi_ct_ddpm", "maisi_mr_rflow", "maisi_mr_brain_rflow"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_config_parses_and_names_no_unknown_expression(string name)
    {
        var folder = Path.Combine(TestPaths.Root, "bundles", name);
        var registry = TargetRegistryBuilder.Standard();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(folder, "configs"), "*.json").Where(f => Path.GetFileName(f) is "inference.json" or ['t', 'r', 'a', 'i', 'n', ..]))
        {
            var parser = new ConfigParser(new ConfigParserOptions { Registry = registry, WorkingDirectory = folder });
            parser.ReadConfig(file);
            parser.ReadMeta(Path.Combine(folder, "configs", "metadata.json"));
            parser.Parse();
            var open = BundleExplainer.Explain(parser, registry, pythonAllowed: false).Where(e => e.Support != ItemSupport.Native).Select(e => e.Id);
            open.ShouldBeEmpty();
        }
    }

    [Theory]
    [InlineData("maisi_ct_rflow", new long[] { 4, 64, 64, 64 }, "RFlowScheduler", 30)]
    [InlineData("maisi_ct_ddpm", new long[] { 4, 64, 64, 64 }, "DDPMScheduler", 1000)]
    [InlineData("maisi_mr_rflow", new long[] { 4, 32, 64, 64 }, "RFlowScheduler", 30)]
    [InlineData("maisi_mr_brain_rflow", new long[] { 4, 64, 64, 32 }, "RFlowScheduler", 30)]
    public void Inference_resolves_to_the_variant(string name, long[] latent, string scheduler, int steps)
    {
        var folder = Path.Combine(TestPaths.Root, "bundles", name);
        var parser = new ConfigParser(new ConfigParserOptions { Registry = TargetRegistryBuilder.Standard(), WorkingDirectory = folder });
        parser.ReadConfig("configs/inference.json");
        ((ListValue)parser.GetParsedContent("latent_shape")!).Select(v => (long)v!).ShouldBe(latent);
        parser.GetParsedContent("noise_scheduler")!.GetType().Name.ShouldBe(scheduler);
        parser.GetParsedContent("num_inference_steps").ShouldBe((long)steps);
    }

    [Theory]
    [MemberData(nameof(Names))]
    [InlineData("maisi_headneck_small")]
    public async Task Metadata_are_valid(string name)
    {
        var report = await BundleMetadata.VerifyAsync([Path.Combine(TestPaths.Root, "bundles", name, "configs", "metadata.json")], null, null, "md5", null, default);
        report.Problems.ShouldBeEmpty();
    }

    [Fact]
    public async Task Invalid_metadata_are_named()
    {
        using var folder = TestPaths.Temporary();
        await File.WriteAllTextAsync(folder["metadata.json"], """{"version": "one", "monai_version": 1.5, "network_data_format": {"inputs": {}}}""");
        var report = await BundleMetadata.VerifyAsync([folder["metadata.json"]], null, null, "md5", null, default);
        report.Problems.ShouldContain(p => p.StartsWith("version: PatternMismatch", StringComparison.Ordinal));
        report.Problems.ShouldContain(p => p.StartsWith("monai_version: StringExpected", StringComparison.Ordinal));
        report.Problems.ShouldContain(p => p.Contains("copyright", StringComparison.Ordinal));
    }
}
