using Maisi.Bridge.Bundles;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Tests.Bundles;

/// <summary>Bundles that try to run code, to hang, to fill the memory or to reach outside their folder: each has its error.</summary>
public sealed class HostileConfigTests
{
    /// <summary>Expressions that escape from Python's eval, and the kind of error that stops each.</summary>
    public static TheoryData<string, BundleErrorKind> Expressions() => new()
    {
        { "$__import__('os').system('touch escaped')", BundleErrorKind.SyntaxError },
        { "$().__class__.__bases__[0].__subclasses__()", BundleErrorKind.SyntaxError },
        { "$[].__class__.__mro__", BundleErrorKind.SyntaxError },
        { "$(lambda: 0).__globals__", BundleErrorKind.SyntaxError },
        { "$getattr([], '__class__')", BundleErrorKind.RuntimeError },
        { "$getattr([], '__cl' + 'ass__')", BundleErrorKind.RuntimeError },
        { "$'{0.__class__}'.format([])", BundleErrorKind.RuntimeError },
        { "$'{0.__class__.__mro__}'.format(1)", BundleErrorKind.RuntimeError },
        { "$f'{().__class__}'", BundleErrorKind.SyntaxError },
        { "$eval('1')", BundleErrorKind.RuntimeError },
        { "$exec('import os')", BundleErrorKind.RuntimeError },
        { "$compile('1', '', 'eval')", BundleErrorKind.RuntimeError },
        { "$open('/etc/passwd').read()", BundleErrorKind.RuntimeError },
        { "$globals()", BundleErrorKind.RuntimeError },
        { "$builtins.eval('1')", BundleErrorKind.RuntimeError },
        { "$os.system('touch escaped')", BundleErrorKind.RuntimeError },
        { "$os.popen('id')", BundleErrorKind.RuntimeError },
        { "$os.environ['AWS_SECRET_ACCESS_KEY']", BundleErrorKind.RuntimeError },
        { "$os.makedirs('/tmp/maisi-outside/x')", BundleErrorKind.RuntimeError },
        { "$os.makedirs('../escaped')", BundleErrorKind.RuntimeError },
        { "$Path('../../escaped').mkdir(parents=True)", BundleErrorKind.RuntimeError },
        { "$Path('x').unlink()", BundleErrorKind.RuntimeError },
        { "$subprocess.run(['id'])", BundleErrorKind.RuntimeError },
        { "$torch.hub.load('evil/repo', 'x')", BundleErrorKind.RuntimeError },
        { "$torch.GetType()", BundleErrorKind.RuntimeError },
        { "$'x'.GetType()", BundleErrorKind.RuntimeError },
        { "$[x for x in ().__class__.__base__.__subclasses__()]", BundleErrorKind.SyntaxError },
        { "$(x := 5)", BundleErrorKind.SyntaxError },
        { "$exit()", BundleErrorKind.RuntimeError },
        { "$breakpoint()", BundleErrorKind.RuntimeError },
    };

    /// <summary>Expressions that hang Python or fill its memory.</summary>
    public static TheoryData<string> Bombs() =>
    [
        "$9 ** 9 ** 9 ** 9",
        "$10 ** 10 ** 10",
        "$2 ** 100000000",
        "$1 << 10 ** 12",
        "$(10 ** 1000) ** 1000",
        "$'a' * 10 ** 12",
        "$[0] * 10 ** 12",
        "$(0,) * 10 ** 12",
        "$list(range(10 ** 15))",
        "$sum(range(10 ** 15))",
        "$max(range(10 ** 15))",
        "$[x for x in range(10 ** 9)]",
        "$[[x for x in range(10 ** 5)] for y in range(10 ** 5)]",
        "$all(x >= 0 for x in range(10 ** 15))",
        "$10 ** 15 in iter(range(10 ** 15))",
        "$'%1000000000d' % 1",
        "$'{:1000000000}'.format(1)",
        "$f'{1:1000000000}'",
        "$f'{1.5:.1000000000f}'",
        "$'x'.zfill(10 ** 12)",
        "$'x'.ljust(10 ** 12)",
        "$'ab'.replace('a', 'a' * 10 ** 6).replace('a', 'a' * 10 ** 6)",
        "$','.join(['x' * 1000] * 10 ** 9)",
        "$(lambda f: f(f))(lambda f: f(f))",
        "$(lambda f, n: f(f, n))(lambda f, n: f(f, n + 1), 0)",
        "$pow(3, 10 ** 2000, 10 ** 2000 + 1)",
        "$str(10 ** 5000)",
        "$int('9' * 100000)",
        "$functools.reduce(lambda a, b: a + a, range(100), 'x')",
        "$functools.reduce(lambda a, b: [a, a], range(40), 1) == functools.reduce(lambda a, b: [a, a], range(40), 1)",
        "$repr(functools.reduce(lambda a, b: [a, a], range(60), 1))",
        "$list(itertools.product(range(1000), range(1000), range(1000)))",
        "$torch.zeros(10 ** 6, 10 ** 6)",
        "$list(map(lambda x: list(range(10 ** 5)), range(10 ** 5)))",
        "$sorted(range(10 ** 9))",
        "$dict.fromkeys(range(10 ** 9))",
        "$set(range(10 ** 9))",
    ];

    [Theory]
    [MemberData(nameof(Expressions))]
    public void Code_is_refused(string expression, BundleErrorKind kind)
    {
        using var folder = TestPaths.Temporary();
        var error = Fails(folder, Config(expression));
        error.Kind.ShouldBe(kind);
        error.Location.ShouldNotBeNull();
        Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName).ShouldBe(["main.json"]);
        Directory.Exists("/tmp/maisi-outside").ShouldBeFalse();
    }

    [Theory]
    [MemberData(nameof(Bombs))]
    public void Bombs_end_in_an_error(string expression)
    {
        using var folder = TestPaths.Temporary();
        Fails(folder, Config(expression)).Kind.ShouldBe(BundleErrorKind.RuntimeError);
    }

    [Fact]
    public void Statements_after_an_import_are_not_run()
    {
        using var folder = TestPaths.Temporary();
        Resolve(folder, Config("$import os; os.system('touch escaped')"));
        File.Exists(folder["escaped"]).ShouldBeFalse();
    }

    [Fact]
    public void Brackets_nested_without_end_are_refused()
    {
        using var folder = TestPaths.Temporary();
        Fails(folder, Config("$" + new string('(', 9_000) + "1" + new string(')', 9_000))).Kind.ShouldBe(BundleErrorKind.SyntaxError);
        Fails(folder, Config("$" + new string('-', 15_000) + "1")).Kind.ShouldBe(BundleErrorKind.SyntaxError);
        Fails(folder, Config("$" + string.Concat(Enumerable.Repeat("not ", 4_000)) + "1")).Kind.ShouldBe(BundleErrorKind.SyntaxError);
        Fails(folder, Config("$" + string.Concat(Enumerable.Repeat("lambda: ", 2_000)) + "1")).Kind.ShouldBe(BundleErrorKind.SyntaxError);
        Fails(folder, Config("$" + string.Concat(Enumerable.Repeat("f'{", 5_000)))).Kind.ShouldBe(BundleErrorKind.SyntaxError);
        Fails(folder, Config("$" + new string('1', 30_000))).Kind.ShouldBe(BundleErrorKind.SyntaxError);
    }

    [Fact]
    public void Long_chains_of_operators_are_evaluated_or_refused_without_a_crash()
    {
        using var folder = TestPaths.Temporary();
        var sum = string.Join("+", Enumerable.Repeat("1", 9_000));
        try
        {
            Resolve(folder, Config("$" + sum)).ShouldBe(9_000L);
        }
        catch (BundleException e)
        {
            e.Kind.ShouldBe(BundleErrorKind.RuntimeError);
        }
    }

    [Theory]
    [InlineData("{\"a\":")]
    [InlineData("[")]
    public void Json_nested_without_end_is_refused(string open)
    {
        using var folder = TestPaths.Temporary();
        Fails(folder, string.Concat(Enumerable.Repeat(open, 100_000))).Kind.ShouldBe(BundleErrorKind.RecursionError);
    }

    [Theory]
    [InlineData("[")]
    [InlineData("{a: ")]
    [InlineData("- ")]
    public void Yaml_nested_without_end_is_refused(string open)
    {
        using var folder = TestPaths.Temporary();
        Fails(folder, string.Concat(Enumerable.Repeat(open, 50_000)), "main.yaml").ShouldNotBeNull();
    }

    [Fact]
    public void Yaml_aliases_of_aliases_are_refused()
    {
        using var folder = TestPaths.Temporary();
        var lines = new List<string> { "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]" };
        for (var i = 1; i < 12; i++)
            lines.Add($"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]");
        Fails(folder, string.Join('\n', lines), "main.yaml").Kind.ShouldBe(BundleErrorKind.MemoryError);
    }

    [Fact]
    public void Macros_of_macros_are_refused()
    {
        using var folder = TestPaths.Temporary();
        var entries = new List<string> { "\"m0\": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]" };
        for (var i = 1; i < 12; i++)
            entries.Add($"\"m{i}\": [{string.Join(", ", Enumerable.Repeat($"\"%m{i - 1}\"", 10))}]");
        Fails(folder, "{" + string.Join(",", entries) + "}", "main.json", "m11").Kind.ShouldBe(BundleErrorKind.MemoryError);
    }

    [Fact]
    public void A_macro_of_its_own_container_ends()
    {
        using var folder = TestPaths.Temporary();
        var config = "{\"a\": {\"b\": \"%a\", \"c\": \"%a\"}, \"d\": [\"%d\", \"%\"]}";
        try
        {
            Resolve(folder, config, "main.json", "");
        }
        catch (BundleException e)
        {
            e.Kind.ShouldBeOneOf(BundleErrorKind.MemoryError, BundleErrorKind.RecursionError, BundleErrorKind.ValueError);
        }
    }

    [Fact]
    public void Macros_do_not_read_outside_the_bundle()
    {
        using var outside = TestPaths.Temporary();
        File.WriteAllText(outside["secret.json"], "{\"password\": 1}");
        using var folder = TestPaths.Temporary();
        File.CreateSymbolicLink(folder["link.json"], outside["secret.json"]);
        foreach (var path in new[] { outside["secret.json"], Path.GetRelativePath(folder.Path, outside["secret.json"]), "link.json" })
        {
            var error = Fails(folder, $"{{\"a\": \"%{path}::password\"}}");
            error.Kind.ShouldBe(BundleErrorKind.PermissionError);
            error.Message.ShouldNotContain("1}");
        }
    }

    [Fact]
    public void A_chain_of_thousands_of_references_is_refused()
    {
        using var folder = TestPaths.Temporary();
        var entries = Enumerable.Range(0, 5_000).Select(i => $"\"r{i}\": \"@r{i + 1}\"").Append("\"r5000\": 1").Prepend("\"a\": \"@r0\"");
        Fails(folder, "{" + string.Join(",", entries) + "}").Kind.ShouldBe(BundleErrorKind.RecursionError);
    }

    [Fact]
    public void Lists_of_references_that_double_do_not_grow_when_they_are_resolved()
    {
        using var folder = TestPaths.Temporary();
        var entries = Enumerable.Range(1, 60).Select(i => $"\"d{i}\": [\"@d{i - 1}\", \"@d{i - 1}\"]").Prepend("\"d0\": 1");
        Resolve(folder, "{" + string.Join(",", entries) + "}", "main.json", "d60").ShouldNotBeNull();
    }

    [Fact]
    public void A_pickle_that_calls_code_is_refused()
    {
        using var folder = TestPaths.Temporary();
        // cos\nsystem\n(S'touch escaped'\ntR. : what pickle runs as os.system('touch escaped').
        File.WriteAllText(folder["evil.pt"], "cos\nsystem\n(S'touch escaped'\ntR.");
        Fails(folder, Config("$torch.load('evil.pt')")).Kind.ShouldBe(BundleErrorKind.RuntimeError);
        File.Exists(folder["escaped"]).ShouldBeFalse();
    }

    private static string Config(string expression) =>
        $$"""{"imports": ["$import os", "$import subprocess", "$import functools", "$import itertools", "$from pathlib import Path"], "a": {{System.Text.Json.JsonSerializer.Serialize(expression)}}}""";

    private static BundleException Fails(TemporaryFolder folder, string text, string file = "main.json", string id = "a")
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Should.Throw<BundleException>(() => Resolve(folder, text, file, id));
        // Far above what any case needs; a bomb passes it by orders of magnitude. Work is bounded by the budget of steps, not by a clock.
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(2L << 30);
        error.Message.Length.ShouldBeLessThan(4_000);
        return error;
    }

    private static object? Resolve(TemporaryFolder folder, string text, string file = "main.json", string id = "a")
    {
        File.WriteAllText(folder[file], text);
        var parser = new ConfigParser(new ConfigParserOptions { Registry = TargetRegistryBuilder.Standard(), WorkingDirectory = folder.Path });
        parser.ReadConfig(file);
        parser.Parse();
        return parser.GetParsedContent(id);
    }
}
