using System.Text.Json.Nodes;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Cli.Tests;

/// <summary><c>maisi quickstart</c> with the bundle that ships.</summary>
public sealed class QuickstartTests
{
    [Fact]
    public async Task The_shipped_bundle_makes_an_image_of_a_drawn_head()
    {
        using var temp = TestPaths.Temporary();
        var (code, output, error) = await Maisi.RunAsync(temp.Path, ["quickstart", "--output", "out", "--quiet"]);
        code.ShouldBe(0, error);
        error.ShouldContain("maisi_headneck_small");
        output.ShouldAllBe(file => File.Exists(file));
        var sample = JsonNode.Parse(File.ReadAllText(temp["out/manifest.json"]))!["samples"]![0]!;
        sample["size"]!.AsArray().Select(n => n!.GetValue<int>()).ShouldBe([64, 64, 64]);
        var medians = sample["median_hounsfield"]!;
        medians["background"]!.GetValue<double>().ShouldBe(-1000);
        // What the model must have learned at the very least: organs are soft tissue, between fat and bone.
        foreach (var organ in new[] { "body", "brainstem", "spinal cord", "right parotid" })
            medians[organ]!.GetValue<double>().ShouldBeInRange(-200, 200, organ);
    }
}
