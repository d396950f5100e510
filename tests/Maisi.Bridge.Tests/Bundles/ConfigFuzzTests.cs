using System.Text;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Bundles.Parsing;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Tests.Bundles;

/// <summary>
/// Configs made at random from the pieces that matter, and recorded configs with random damage: whatever happens, the only exception is
/// the typed one. MAISI_FUZZ sets the count.
/// </summary>
public sealed class ConfigFuzzTests
{
    private static readonly int Count = int.TryParse(Environment.GetEnvironmentVariable("MAISI_FUZZ"), out var count) ? count : 2_000;

    private static readonly TargetRegistry Registry = TargetRegistryBuilder.Standard();

    private static readonly string[] Pieces =
    [
        "@a", "@b", "@c::0", "@::a", "@::::b", "@", "%a", "%b::0", "%::c", "%x.json::a", "#", "::", "$", "$@a + 1", "$@b[0]", "$len(@c)", "+", "-", "*", "**", "//", "%", "(", ")",
        "[", "]", "{", "}", ",", ":", ".", "lambda x: x", " for x in ", " if ", " else ", " and ", " or ", " not ", " in ", " is ", "'", "\"", "f'{@a:>5}'", "f'", "{@a!r}", "\\", "\n",
        "1", "0", "-1", "1e3", "1e400", "0x1f", "0o7", "10**9", "None", "True", "False", "...", "x", "y", "_target_", "_disabled_", "_requires_", "_mode_", "callable",
        "builtins.dict", "builtins.list", "math.pi", "math.floor", "$import math", "$from os import path", "$math.floor(2.5)", "np.prod([1, 2])", "str", "int('5')",
        ".split(',')", ".append(1)", ".get('k')", ".format(1)", ".__class__", "range(3)", "sorted(", "map(", "sum(", "print(", "json.dumps(", "<<", ">>", "~", "^", "|", "&", "==", "!=", "<=", "é", "𝟙", "\u0000",
    ];

    [Fact]
    public void Random_configs_end_in_a_value_or_a_typed_error()
    {
        var values = 0;
        for (var seed = 0; seed < Count; seed++)
        {
            var random = new Random(seed);
            var config = new DictNode(SourceLocation.Caller);
            foreach (var key in new[] { "a", "b", "c", "imports" })
                config.Entries[key] = Node(random, 0);
            values += Try(seed, parser => parser.SetConfig(config)) ? 1 : 0;
        }
        // Enough configs must be sound for the test to reach the evaluator.
        values.ShouldBeGreaterThan(Count / 20);
    }

    [Fact]
    public void Damaged_files_end_in_a_value_or_a_typed_error()
    {
        var golden = File.ReadAllText(TestPaths.Golden("config_cases.json"));
        var samples = System.Text.Json.Nodes.JsonNode.Parse(golden)!["cases"]!.AsArray()
            .Select(c => (Json: c!["config"]?.ToJsonString(), Yaml: c["yaml"]?.GetValue<string>())).Where(s => s.Json is not null || s.Yaml is not null).ToList();
        var reader = new ConfigFile("/", static _ => { });
        for (var seed = 0; seed < Count; seed++)
        {
            var random = new Random(seed);
            var (json, yaml) = samples[random.Next(samples.Count)];
            var asYaml = json is null || random.Next(4) == 0;
            var text = Damage(json ?? yaml!, random);
            Try(seed, parser => parser.SetConfig(reader.Parse(text, asYaml ? "f.yaml" : "f.json")));
        }
    }

    [Fact]
    public void Random_expressions_end_in_a_value_or_a_typed_error()
    {
        for (var seed = 0; seed < Count; seed++)
        {
            var random = new Random(seed);
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 14)).Select(_ => Pieces[random.Next(Pieces.Length)]));
            var config = new DictNode(SourceLocation.Caller, [KeyValuePair.Create<object, ConfigNode>("a", new ScalarNode(SourceLocation.Caller, 3L)), KeyValuePair.Create<object, ConfigNode>("e", new ScalarNode(SourceLocation.Caller, "$" + text))]);
            Try(seed, parser => parser.SetConfig(config));
            CommandLiteral.Parse(text);
        }
    }

    private static bool Try(int seed, Action<ConfigParser> set)
    {
        var parser = new ConfigParser(new ConfigParserOptions { Registry = Registry, WorkingDirectory = Path.GetTempPath() });
        try
        {
            set(parser);
            parser.Parse();
            var value = parser.GetParsedContent();
            Representation.Repr(value, new EvaluationContext { Globals = new Dictionary<string, object?>(), Builtins = Registry.Builtins, Types = Registry.Types });
            return true;
        }
        catch (BundleException)
        {
            return false;
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"seed {seed}", e);
        }
    }

    private static ConfigNode Node(Random random, int depth)
    {
        switch (depth > 3 ? 3 + random.Next(5) : random.Next(8))
        {
            case 0:
                return new ListNode(SourceLocation.Caller, Enumerable.Range(0, random.Next(4)).Select(_ => Node(random, depth + 1)));
            case 1:
                return new DictNode(SourceLocation.Caller, Enumerable.Range(0, random.Next(4)).Select(i => KeyValuePair.Create<object, ConfigNode>(random.Next(3) == 0 ? Pieces[random.Next(Pieces.Length)] : $"k{i}", Node(random, depth + 1))));
            case 2:
                var component = new DictNode(SourceLocation.Caller);
                component.Entries["_target_"] = new ScalarNode(SourceLocation.Caller, random.Next(3) switch { 0 => "builtins.dict", 1 => "math.pi", _ => Pieces[random.Next(Pieces.Length)] });
                component.Entries["x"] = Node(random, depth + 1);
                return component;
            case 3:
                return new ScalarNode(SourceLocation.Caller, (long)random.Next(-5, 5));
            case 4:
                return new ScalarNode(SourceLocation.Caller, random.NextDouble());
            case 5:
                return new ScalarNode(SourceLocation.Caller, random.Next(3) switch { 0 => null, 1 => true, _ => "text" });
            case 6:
                return new ScalarNode(SourceLocation.Caller, Pieces[random.Next(16)]);
            default:
                return new ScalarNode(SourceLocation.Caller, "$" + string.Concat(Enumerable.Range(0, random.Next(1, 5)).Select(_ => Pieces[random.Next(Pieces.Length)])));
        }
    }

    private static string Damage(string text, Random random)
    {
        var built = new StringBuilder(text);
        for (var n = random.Next(1, 4); n > 0 && built.Length > 0; n--)
        {
            var at = random.Next(built.Length);
            switch (random.Next(4))
            {
                case 0:
                    built.Remove(at, Math.Min(random.Next(1, 6), built.Length - at));
                    break;
                case 1:
                    built.Insert(at, Pieces[random.Next(Pieces.Length)]);
                    break;
                case 2:
                    built[at] = (char)random.Next(1, 127);
                    break;
                default:
                    built.Insert(at, built.ToString(at, Math.Min(random.Next(1, 20), built.Length - at)));
                    break;
            }
        }
        return built.ToString();
    }
}
