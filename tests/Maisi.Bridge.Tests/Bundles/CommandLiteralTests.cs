using System.Text.Json.Nodes;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Bundles.Modules;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Tests.Bundles;

/// <summary>Values of the command line, as Python Fire read them for MONAI.</summary>
public sealed class CommandLiteralTests
{
    [Fact]
    public void Values_are_read_as_recorded()
    {
        foreach (var golden in JsonNode.Parse(File.ReadAllText(TestPaths.Golden("config_cases.json")))!["cli_values"]!.AsArray())
        {
            var raw = golden!["raw"]!.GetValue<string>();
            var value = CommandLiteral.Parse(raw);
            PythonTypes.NameOf(value).ShouldBe(golden["type"]!.GetValue<string>(), raw);
            JsonNode.DeepEquals(JsonNode.Parse(JsonText.Write(value, new TypeTable([]))), golden["parsed"]).ShouldBeTrue(raw);
        }
    }
}
