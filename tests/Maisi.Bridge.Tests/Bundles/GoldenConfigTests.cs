using System.Text.Json.Nodes;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Bundles.Modules;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Tests.Bundles;

/// <summary>The recorded behaviour of MONAI 1.5.0's ConfigParser: every case gives the recorded value or kind of error.</summary>
public sealed class GoldenConfigTests
{
    private static readonly JsonObject Golden = JsonNode.Parse(File.ReadAllText(TestPaths.Golden("config_cases.json")))!.AsObject();

    public static TheoryData<string> CaseNames() => [.. Golden["cases"]!.AsArray().Select(c => c!["name"]!.GetValue<string>())];

    [Fact]
    public void The_fixture_has_196_cases() => CaseNames().Count.ShouldBe(196);

    [Theory]
    [MemberData(nameof(CaseNames))]
    public void Case_gives_the_recorded_value_or_error(string name)
    {
        var golden = Golden["cases"]!.AsArray().Single(c => c!["name"]!.GetValue<string>() == name)!.AsObject();
        using var folder = TestPaths.Temporary();
        var registry = TargetRegistryBuilder.Standard();
        if (golden["error"] is { } error)
        {
            var thrown = Should.Throw<BundleException>(() => Run(golden, folder.Path, registry));
            thrown.Kind.ToString().ShouldBe(error.GetValue<string>());
            return;
        }
        var value = Run(golden, folder.Path, registry);
        Text(value, registry).ShouldBe(Text(golden["expected"]));
        if (golden["same_object"] is { } same)
        {
            var pair = value is ListValue list ? list : [.. ((DictValue)value!).Values];
            ReferenceEquals(pair[0], pair[1]).ShouldBe(same.GetValue<bool>());
        }
    }

    [Fact]
    public void Relative_ids_are_made_absolute()
    {
        foreach (var golden in Golden["resolve_relative_ids"]!.AsArray())
        {
            var (id, value) = (golden!["id"]!.GetValue<string>(), golden["value"]!.GetValue<string>());
            if (golden["error"] is null)
                ConfigId.ResolveRelative(id, value).ShouldBe(golden["out"]!.GetValue<string>());
            else
                Should.Throw<BundleException>(() => ConfigId.ResolveRelative(id, value)).Kind.ShouldBe(BundleErrorKind.ValueError);
        }
    }

    [Fact]
    public void References_are_matched()
    {
        foreach (var golden in Golden["match_refs"]!.AsArray())
        {
            var found = ConfigId.MatchReferences(golden!["in"]!.GetValue<string>());
            found.ToDictionary(p => p.Key, p => p.Value).ShouldBe(golden["out"]!.AsObject().ToDictionary(p => p.Key, p => p.Value!.GetValue<int>()));
        }
    }

    [Fact]
    public void Paths_and_ids_of_macros_are_split()
    {
        foreach (var golden in Golden["split_path_id"]!.AsArray())
        {
            var (path, id) = ConfigId.SplitPath(golden!["in"]!.GetValue<string>());
            new[] { path, id }.ShouldBe(golden["out"]!.AsArray().Select(v => v!.GetValue<string>()));
        }
    }

    private static object? Run(JsonObject golden, string folder, TargetRegistry registry)
    {
        var parser = new ConfigParser(new ConfigParserOptions { Registry = registry, WorkingDirectory = folder });
        var files = new List<string>();
        foreach (var (name, content) in golden["files"]?.AsObject() ?? [])
        {
            File.WriteAllText(Path.Combine(folder, name), content is JsonValue text && text.TryGetValue<string>(out var raw) ? raw : content!.ToJsonString());
            files.Add(name);
        }
        if (golden["config"] is { } config)
        {
            File.WriteAllText(Path.Combine(folder, "main.json"), config.ToJsonString());
            files = ["main.json"];
        }
        else if (golden["yaml"] is { } yaml)
        {
            File.WriteAllText(Path.Combine(folder, "main.yaml"), yaml.GetValue<string>());
            files = ["main.yaml"];
        }
        parser.ReadConfig(files);
        parser.Update((golden["overrides"]?.AsObject() ?? []).Select(p => KeyValuePair.Create(p.Key, TinyBundle.Value(p.Value))));
        if (golden["call"]?.GetValue<string>() == "raw")
            return parser.Root.ToValue();
        parser.Parse();
        var options = golden["get_kwargs"]?.AsObject() ?? [];
        var value = parser.GetParsedContent(golden["id"]!.GetValue<string>(), new ResolveOptions
        {
            Instantiate = options["instantiate"]?.GetValue<bool>() ?? true,
            EvaluateExpressions = options["eval_expr"]?.GetValue<bool>() ?? true,
            HasFallback = options["default"] is not null,
            Fallback = TinyBundle.Value(options["default"]),
        });
        if (golden["id"]!.GetValue<string>().Length == 0)
            ((DictValue)value!).Remove("_meta_");
        return value;
    }

    // Canonical text: keys sorted, so that only values are compared.
    private static string Text(object? value, TargetRegistry registry) => Text(JsonNode.Parse(JsonText.Write(value, registry.Types, unknown: Describe)));

    private static string Text(JsonNode? node) => node switch
    {
        null => "null",
        JsonObject o => "{" + string.Join(",", o.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}:{Text(p.Value)}")) + "}",
        JsonArray a => "[" + string.Join(",", a.Select(Text)) + "]",
        _ => node.ToJsonString(),
    };

    private static DictValue Describe(object value) => new(
    [
        KeyValuePair.Create<object?, object?>("__object__", value is ConfigItem item ? $"monai.bundle.config_item.Config{item.Kind}" : value.GetType().FullName),
    ]);
}
