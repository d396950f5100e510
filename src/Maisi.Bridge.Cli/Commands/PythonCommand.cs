using System.CommandLine;
using System.Text.Json;
using Maisi.Bridge.Python;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi python</c>: which Python is used, and the project's own environment.</summary>
internal static class PythonCommand
{
    private static readonly JsonSerializerOptions _json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Create() => new("python", "Find, inspect and set up the Python that workers run.")
    {
        Info(),
        Setup(),
    };

    /// <summary>The worker process itself: started by the library, of no use to people.</summary>
    public static Command Worker()
    {
        var command = new Command("python-worker", "Host Python for another process (JSON lines on stdin and stdout).") { Hidden = true };
        command.SetAction(_ => WorkerHost.Serve());
        return command;
    }

    private static Option<string?> Interpreter() => new("--python") { Description = "Interpreter to use instead of the one that is found." };

    private static Command Info()
    {
        var (python, json) = (Interpreter(), new Option<bool>("--json") { Description = "Print JSON." });
        var modules = new Option<string[]>("--module") { Description = "Module that the interpreter must have; may be repeated." };
        var command = new Command("info", "Print the interpreter that is found, and what was passed over on the way.") { python, modules, json };
        command.SetAction(async (result, token) =>
        {
            var (found, rejected) = await PythonLocator.FindAsync(PythonSearch.Current(result.GetValue(python)), result.GetValue(modules), token);
            if (result.GetValue(json))
                Console.WriteLine(JsonSerializer.Serialize(new { Interpreter = Fields(found), Rejected = rejected }, _json));
            else
                Console.WriteLine(Describe(found, rejected));
        });
        return command;
    }

    private static Command Setup()
    {
        var python = Interpreter();
        var project = new Option<DirectoryInfo>("--project") { Description = "Folder of pyproject.toml.", DefaultValueFactory = _ => new DirectoryInfo(".") };
        var extras = new Option<string[]>("--extra") { Description = "Extra of pyproject.toml to install, for example auto3dseg or dicom; may be repeated." };
        var system = new Option<bool>("--system-site-packages") { Description = "Keep the interpreter's own packages visible." };
        var command = new Command("setup", "Make the project's .venv from pyproject.toml; without --extra a bare one that needs no network.") { python, project, extras, system };
        command.SetAction(async (result, token) =>
        {
            var folder = result.GetRequiredValue(project).FullName;
            // A .venv that is being repaired must not be the interpreter that repairs it.
            var search = PythonSearch.Current(result.GetValue(python)) with { WorkingFolder = Path.GetPathRoot(folder)! };
            var (found, _) = await PythonLocator.FindAsync(search, token: token);
            var made = await PythonSetup.RunAsync(folder, found, result.GetValue(extras) ?? [], result.GetValue(system), new ErrorLines(), token);
            Console.WriteLine(Describe(made, []));
        });
        return command;
    }

    /// <summary>The interpreter that workers would run, for people and for machines; without one, why there is none.</summary>
    public static async Task<(string Text, object Fields)> RecordAsync(CancellationToken token)
    {
        try
        {
            var (found, rejected) = await PythonLocator.FindAsync(PythonSearch.Current(null), token: token);
            return (Describe(found, rejected), Fields(found));
        }
        catch (PythonNotFoundException e)
        {
            return ($"none: {e.Message}", new { missing = e.Message });
        }
    }

    private static string Describe(PythonInterpreter python, IReadOnlyList<PythonRejection> rejected)
    {
        var modules = python.Modules.Select(m => m.Value.Length > 0 ? $"{m.Key} {m.Value}" : m.Key);
        var text = $"""
            found by     {python.Locator}
            executable   {python.Executable}
            version      {python.Version}
            libpython    {python.LibPython}
            prefix       {python.Prefix}{(python.IsVirtual ? $" (virtual, of {python.BasePrefix})" : "")}
            paths        {string.Join("\n             ", python.Paths)}
            modules      {(python.Modules.Count > 0 ? string.Join(", ", modules) : "none of torch, monai, numpy")}
            torch        {(python.Torch is { } torch ? $"{torch.Version}, {(torch.Cuda is null ? "CPU" : "CUDA " + torch.Cuda)}" : "none")}
            libtorch     {python.Torch?.LibTorch ?? "none"}
            """;
        return text + string.Concat(rejected.Select(r => $"\npassed over  {r.Executable} ({r.Locator}): {r.Reason}"));
    }

    private static object Fields(PythonInterpreter python) => new
    {
        python.Locator,
        python.Executable,
        Version = python.Version.ToString(),
        Libpython = python.LibPython,
        python.Prefix,
        python.BasePrefix,
        python.Paths,
        python.Modules,
        Torch = python.Torch is { } torch ? new { torch.Version, torch.Cuda, Libtorch = torch.LibTorch } : null,
    };

    private sealed class ErrorLines : IProgress<string>
    {
        public void Report(string value) => Console.Error.WriteLine(value);
    }
}
