using System.Diagnostics;
using System.Text.Json.Nodes;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Tests.Bundles;

/// <summary>
/// The shipped bundles as MONAI's own parser sees them, next to ours. MAISI_MONAI names a MONAI checkout, MAISI_MONAI_PYTHON the Python
/// that can import it.
/// </summary>
public sealed class MonaiParsesBundlesTests
{
    private const string Script = """
        import glob, json, os, sys
        from monai.bundle import ConfigParser
        found = {}
        for file in sorted(glob.glob(sys.argv[1] + "/*/configs/*.json")):
            name = os.path.basename(file)
            several = name.startswith("multi_gpu_")
            if name != "inference.json" and not name.startswith("train") and not several:
                continue
            os.chdir(os.path.dirname(os.path.dirname(file)))
            parser = ConfigParser()
            parser.read_meta("configs/metadata.json")
            parser.read_config(["configs/" + name[len("multi_gpu_"):]] * several + ["configs/" + name])
            parser.parse(True)
            if "model_dir" not in parser.ref_resolver.items:
                continue  # settings of a small bundle, which name no objects
            found[os.path.relpath(file, sys.argv[1])] = {
                "ids": sorted(parser.ref_resolver.items), "model_dir": parser.get_parsed_content("model_dir"),
                "latent_shape": parser.get_parsed_content("latent_shape", default=None), "device": str(parser.get_parsed_content("device").type)}
        print(json.dumps(found))
        """;

    [SkippableFact]
    public async Task MONAI_finds_the_same_items_and_values()
    {
        var monai = Environment.GetEnvironmentVariable("MAISI_MONAI");
        Skip.If(string.IsNullOrEmpty(monai), "MAISI_MONAI names no MONAI checkout");
        var root = Path.Combine(TestPaths.Root, "bundles");
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("MAISI_MONAI_PYTHON") ?? "python3", ["-c", Script, root])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath(), Environment = { ["PYTHONPATH"] = monai },
        };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, await error);
        var found = JsonNode.Parse((await output).Trim().Split('\n')[^1])!.AsObject();
        found.Count.ShouldBe(18);
        foreach (var (file, items) in found)
        {
            var parser = new ConfigParser(new ConfigParserOptions { Registry = TargetRegistryBuilder.Standard(), WorkingDirectory = Path.Combine(root, file.Split('/')[0]) });
            parser.ReadMeta("configs/metadata.json");
            var name = Path.GetFileName(file);
            parser.ReadConfig(((string[])[name.Replace("multi_gpu_", "", StringComparison.Ordinal), name]).Distinct().Select(n => Path.Combine("configs", n)));
            parser.Items.Keys.Order(StringComparer.Ordinal).ShouldBe(items!["ids"]!.AsArray().Select(i => i!.GetValue<string>()).Order(StringComparer.Ordinal), file);
            parser.GetParsedContent("model_dir").ShouldBe(items["model_dir"]!.GetValue<string>());
            var latent = parser.GetParsedContent("latent_shape", new ResolveOptions { HasFallback = true }) as IEnumerable<object?>;
            latent?.Select(v => (long)v!).ShouldBe(items["latent_shape"]?.AsArray().Select(v => v!.GetValue<long>()));
        }
    }
}
