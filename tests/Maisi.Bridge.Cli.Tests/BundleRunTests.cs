using System.Diagnostics;
using System.Text.Json.Nodes;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Cli.Tests;

/// <summary>The recorded runs of <c>python -m monai.bundle run</c>, repeated with <c>maisi bundle run</c>.</summary>
public sealed class BundleRunTests
{
    private static readonly JsonObject Golden = JsonNode.Parse(File.ReadAllText(TestPaths.Golden("config_cases.json")))!.AsObject();

    public static TheoryData<int> Runs() => [.. Enumerable.Range(0, Golden["cli_runs"]!.AsArray().Count)];

    [Theory]
    [MemberData(nameof(Runs))]
    public async Task Run_prints_what_MONAI_printed(int index)
    {
        var golden = Golden["cli_runs"]![index]!;
        using var folder = TestPaths.Temporary();
        foreach (var (name, content) in Golden["cli_files"]!.AsObject())
            await File.WriteAllTextAsync(folder[name], content!.ToJsonString());
        var (code, output, error) = await Maisi.RunAsync(folder.Path, ["bundle", "run", .. golden["args"]!.AsArray().Select(a => a!.GetValue<string>())]);
        output.ShouldBe(golden["out"]!.AsArray().Select(l => l!.GetValue<string>()), error);
        if (golden["exit_code"]!.GetValue<int>() == 0)
        {
            code.ShouldBe(0, error);
            return;
        }
        code.ShouldBe(2);
        var recorded = golden["error"]!.GetValue<string>();
        error.ShouldContain(recorded[(recorded.IndexOf(": ", StringComparison.Ordinal) + 2)..].Trim('\'', '.'), Case.Insensitive);
        error.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task Resolve_prints_json()
    {
        using var folder = TestPaths.Temporary();
        await File.WriteAllTextAsync(folder["c.json"], """{"size": [512, 512, 128], "latent": "$[4] + [s // 4 for s in @size]"}""");
        var (code, output, _) = await Maisi.RunAsync(folder.Path, ["bundle", "resolve", "--id", "latent", "--config_file", "c.json", "--size#2", "256", "--indent", "0"]);
        code.ShouldBe(0);
        output.ShouldBe(["[4, 128, 128, 64]"]);
    }

    [Fact]
    public async Task An_error_names_file_line_column_id_chain_and_cure()
    {
        using var folder = TestPaths.Temporary();
        await File.WriteAllTextAsync(folder["c.json"], "{\n  \"output_size\": 512,\n  \"shape\": [4, \"$@ouput_size // 4\"],\n  \"run\": [\"$print(@shape)\"]\n}");
        var (code, output, error) = await Maisi.RunAsync(folder.Path, ["bundle", "run", "--config_file", "c.json"]);
        code.ShouldBe(2);
        output.ShouldBeEmpty();
        error.ShouldContain("`@ouput_size` is not defined");
        error.ShouldContain("c.json:3:16, id 'shape::1', reached through run::0 -> shape -> shape::1");
        error.ShouldContain("did you mean 'output_size'?");
    }

    [Fact]
    public async Task Explain_lists_what_is_not_native()
    {
        using var folder = TestPaths.Temporary();
        await File.WriteAllTextAsync(folder["c.json"], "{\"a\": {\"_target_\": \"some.other.Thing\"},\n \"b\": \"$ignite.x()\", \"c\": \"$1 + 1\"}");
        var (code, output, _) = await Maisi.RunAsync(folder.Path, ["bundle", "explain", "--config_file", "c.json"]);
        code.ShouldBe(2);
        output.Length.ShouldBe(3);
        output[0].ShouldStartWith("Unsupported c.json:1:7  a  some.other.Thing");
        output[1].ShouldStartWith("Unsupported c.json:2:7  b  $ignite.x()");
        output[2].ShouldBe("1 native, 0 python, 2 unsupported");
    }
}

/// <summary>Runs the built <c>maisi</c> as its users do.</summary>
internal static class Maisi
{
    /// <summary>Exit code, lines on stdout, text on stderr.</summary>
    public static async Task<(int Code, string[] Output, string Error)> RunAsync(string folder, string[] arguments)
    {
        using var process = Start(folder, arguments);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries), await error);
    }

    /// <summary>The program, running.</summary>
    public static Process Start(string folder, string[] arguments) => Process.Start(
        new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "maisi.dll"), .. arguments])
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
}
