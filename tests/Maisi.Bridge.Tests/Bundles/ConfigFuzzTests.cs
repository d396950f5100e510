using FsCheck;
using FsCheck.Fluent;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Bundles.Parsing;
using Microsoft.FSharp.Core;

namespace Maisi.Bridge.Tests.Bundles;

/// <summary>
/// Generated configs, recorded configs with random damage, and generated expressions: whatever happens, the only exception is the typed
/// one. MAISI_FUZZ sets the count and starts from another seed each time; otherwise the seed is fixed.
/// </summary>
public sealed class ConfigFuzzTests
{
    private static readonly bool IsLong = int.TryParse(Environment.GetEnvironmentVariable("MAISI_FUZZ"), out Count);
    private static readonly int Count;

    private static readonly TargetRegistry Registry = TargetRegistryBuilder.Standard();
    private static readonly ConfigFile Reader = new("/", static _ => { });

    private static FsCheck.Config Runs
    {
        get
        {
            var config = FsCheck.Config.QuickThrowOnFailure.WithMaxTest(IsLong ? Count : 1_000);
            return IsLong ? config : config.WithReplay(FSharpOption<Replay>.Some(new Replay(new Rnd(20250607, 31), FSharpOption<int>.None)));
        }
    }

    [Fact]
    public void Generated_configs_end_in_a_value_or_a_typed_error()
    {
        var (values, all) = (0, 0);
        Check.One(Runs, Prop.ForAll(ConfigGenerators.Config.ToArbitrary(), text =>
        {
            all++;
            values += EndsInValue(text, "f.json") ? 1 : 0;
        }));
        // Enough configs must be sound for the test to reach the evaluator.
        values.ShouldBeGreaterThan(all / 50);
    }

    [Fact]
    public void Damaged_files_end_in_a_value_or_a_typed_error() =>
        Check.One(Runs, Prop.ForAll(ConfigGenerators.Damaged.ToArbitrary(), file => { EndsInValue(file.Text, file.Name); }));

    [Fact]
    public void Generated_expressions_end_in_a_value_or_a_typed_error() => Check.One(Runs, Prop.ForAll(ConfigGenerators.Expression.ToArbitrary(), text =>
    {
        EndsInValue(System.Text.Json.JsonSerializer.Serialize(new Dictionary<string, object> { ["a"] = 3, ["b"] = "x", ["c"] = new[] { 1, 2 }, ["e"] = "$" + text }), "f.json");
        CommandLiteral.Parse(text);
    }));

    // False: a BundleException. Any other exception fails the property, which shows the text.
    private static bool EndsInValue(string text, string name)
    {
        var parser = new ConfigParser(new ConfigParserOptions { Registry = Registry, WorkingDirectory = Path.GetTempPath() });
        try
        {
            parser.SetConfig(Reader.Parse(text, name));
            parser.Parse();
            var value = parser.GetParsedContent();
            Representation.Repr(value, new EvaluationContext { Globals = new Dictionary<string, object?>(), Builtins = Registry.Builtins, Types = Registry.Types });
            return true;
        }
        catch (BundleException)
        {
            return false;
        }
    }
}
