using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Bundles.Modules;
using Maisi.Bridge.Interop;
using Maisi.Bridge.Python;
using Maisi.Bridge.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;
using TorchSharp;

namespace Maisi.Bridge.Tests.Interop;

/// <summary>Bundles whose parts go to Python, in a real worker.</summary>
public sealed class PythonEvaluatorTests
{
    [SkippableFact]
    public async Task Components_and_expressions_that_are_not_native_are_pythons()
    {
        var values = await ResolveAsync(
            """
            {
              "imports": ["$import fractions", "$from math import gcd"],
              "third": {"_target_": "fractions.Fraction", "numerator": 1, "denominator": "@three"},
              "three": "$1 + 2",
              "sum": "$float(@third + fractions.Fraction(1, 6))",
              "text": "$str(@third)",
              "list": ["@third", 4],
              "count": "$[f.numerator * gcd(12, 18) for f in @list if not isinstance(f, int)]",
              "pair": "$(lambda *a: a)(@three, gcd(4, 6))",
              "maker": {"_target_": "fractions.Fraction", "_mode_": "callable", "denominator": 8},
              "made": "$@maker(numerator=3).denominator"
            }
            """);
        values["sum"].ShouldBe(0.5);
        values["text"].ShouldBe("1/3");
        values["third"].ShouldBeOfType<PythonHandle>().Type.ShouldBe("fractions.Fraction");
        values["count"].ShouldBeOfType<ListValue>().ShouldBe([6L]);
        values["pair"].ShouldBeOfType<TupleValue>().ShouldBe([3L, 2L]);
        values["made"].ShouldBe(8L);
    }

    [SkippableFact]
    public async Task Tensors_cross_both_ways()
    {
        var values = await ResolveAsync(
            """
            {
              "imports": ["$import torch"],
              "native": "$torch.ones((2, 3))",
              "product": "$(lambda t: torch.Tensor.__mul__(t, 2.5))(@native)"
            }
            """,
            "torch");
        var product = values["product"].ShouldBeAssignableTo<torch.Tensor>()!;
        product.shape.ShouldBe([2L, 3L]);
        product.sum().item<float>().ShouldBe(15f);
    }

    [SkippableFact]
    public async Task Errors_name_the_place_and_pythons_reason()
    {
        var error = await Should.ThrowAsync<MaisiException>(() => ResolveAsync("""{ "broken": {"_target_": "fractions.Fraction", "numerator": "x"} }"""));
        error.Message.ShouldContain("ValueError: Invalid literal for Fraction: 'x'");
        error.Where!.ShouldContain("broken");
        var missing = await Should.ThrowAsync<MaisiException>(() => ResolveAsync("""{ "broken": {"_target_": "no_such_package.Thing"} }"""));
        missing.ToString().ShouldContain("no module 'no_such_package'");
    }

    [SkippableFact]
    public async Task Without_permission_nothing_reaches_python()
    {
        using var folder = TestPaths.Temporary();
        await File.WriteAllTextAsync(folder["inference.json"], """{ "third": {"_target_": "fractions.Fraction", "numerator": 1} }""");
        var parser = new ConfigParser(new ConfigParserOptions { Registry = TargetRegistryBuilder.Standard() });
        parser.ReadConfig(folder["inference.json"]);
        Should.Throw<BundleException>(() => parser.GetParsedContent("third")).Hint!.ShouldContain("--allow-python");
    }

    private static async Task<Dictionary<string, object?>> ResolveAsync(string config, params string[] modules)
    {
        PythonInterpreter interpreter;
        try
        {
            interpreter = (await PythonLocator.FindAsync(PythonSearch.Current(), modules)).Interpreter;
        }
        catch (PythonNotFoundException e)
        {
            throw new SkipException(e.Message);
        }
        using var folder = TestPaths.Temporary();
        await File.WriteAllTextAsync(folder["inference.json"], config);
        await using var runtime = new PythonRuntime(new PythonOptions { Executable = interpreter.Executable }, NullLoggerFactory.Instance, TimeProvider.System);
        await using var python = new PythonEvaluator(runtime);
        var parser = new ConfigParser(new ConfigParserOptions { Registry = TargetRegistryBuilder.Standard(), Python = python });
        parser.ReadConfig(folder["inference.json"]);
        return parser.Root.ToValue().ShouldBeOfType<DictValue>().Keys.Cast<string>().Where(id => id != "imports")
            .ToDictionary(id => id, id => parser.GetParsedContent(id), StringComparer.Ordinal);
    }
}
