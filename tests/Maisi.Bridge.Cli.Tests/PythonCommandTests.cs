using System.Diagnostics;
using System.Text.Json;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Cli.Tests;

/// <summary><c>maisi python</c> as a user runs it: a process, its streams and its exit code.</summary>
public sealed class PythonCommandTests
{
    [SkippableFact]
    public async Task Info_prints_the_record()
    {
        var (code, output, errors) = await RunAsync(TestPaths.Root, "python", "info", "--json");
        Skip.If(code == 2 && errors.Contains("no Python interpreter serves", StringComparison.Ordinal), "no Python here");
        code.ShouldBe(0, errors);
        using var json = JsonDocument.Parse(output);
        var python = json.RootElement.GetProperty("interpreter");
        File.Exists(python.GetProperty("libpython").GetString()).ShouldBeTrue();
        Version.Parse(python.GetProperty("version").GetString()!).Major.ShouldBe(3);
        var (_, text, _) = await RunAsync(TestPaths.Root, "python", "info");
        text.ShouldContain($"executable   {python.GetProperty("executable").GetString()}");
    }

    [Fact]
    public async Task A_named_interpreter_that_is_missing_is_wrong_input()
    {
        var (code, output, errors) = await RunAsync(TestPaths.Root, "python", "info", "--python", "/no/such/python");
        code.ShouldBe(2);
        output.ShouldBeEmpty();
        errors.ShouldContain("maisi: the interpreter named by explicit does not serve: the file does not exist");
        errors.ShouldContain("where: /no/such/python");
    }

    [SkippableFact]
    public async Task Setup_makes_an_environment_that_info_then_finds()
    {
        var (code, _, problem) = await RunAsync(TestPaths.Root, "python", "info");
        Skip.If(code != 0, problem);
        using var folder = TestPaths.Temporary();
        await File.WriteAllTextAsync(folder["pyproject.toml"], "[project]\nname = \"x\"\nversion = \"1\"\n");
        var (made, output, errors) = await RunAsync(folder.Path, "python", "setup");
        made.ShouldBe(0, errors);
        output.ShouldContain("found by     project");
        var (_, found, _) = await RunAsync(folder.Path, "python", "info");
        found.ShouldContain($"executable   {Path.Combine(folder.Path, ".venv")}");
    }

    [Fact]
    public async Task Setup_without_a_project_leaves_nothing()
    {
        using var folder = TestPaths.Temporary();
        var (code, _, errors) = await RunAsync(folder.Path, "python", "setup");
        code.ShouldBe(2);
        errors.ShouldContain("pyproject.toml");
        Directory.EnumerateFileSystemEntries(folder.Path).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_worker_verb_says_its_protocol_first_and_ends_with_its_input()
    {
        var (_, output, _) = await RunAsync(TestPaths.Root, "python-worker");
        using var hello = JsonDocument.Parse(output.Split('\n')[0]);
        hello.RootElement.GetProperty("type").GetString().ShouldBe("hello");
        hello.RootElement.GetProperty("protocol").GetInt32().ShouldBe(1);
        var (_, help, _) = await RunAsync(TestPaths.Root, "--help");
        help.ShouldNotContain("python-worker");
    }

    [SkippableFact]
    public async Task A_bundle_reaches_python_only_when_allowed()
    {
        var (code, _, problem) = await RunAsync(TestPaths.Root, "python", "info");
        Skip.If(code != 0, problem);
        using var folder = TestPaths.Temporary();
        await File.WriteAllTextAsync(folder["c.json"], """{ "third": {"_target_": "fractions.Fraction", "numerator": 1, "denominator": 3}, "text": "$str(@third)" }""");
        var (refused, nothing, errors) = await RunAsync(folder.Path, "bundle", "resolve", "text", "--config_file", "c.json");
        refused.ShouldBe(2);
        nothing.ShouldBeEmpty();
        errors.ShouldContain("--allow-python");
        var (allowed, output, _) = await RunAsync(folder.Path, "bundle", "resolve", "text", "--config_file", "c.json", "--allow_python");
        allowed.ShouldBe(0);
        output.Trim().ShouldBe("\"1/3\"");
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", typeof(CommandRunner).Assembly.Location, .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        start.Environment.Remove("VIRTUAL_ENV");
        start.Environment.Remove("MAISI_PYTHON");
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await errors);
    }
}
