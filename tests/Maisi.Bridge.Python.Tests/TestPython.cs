using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Python.Tests;

/// <summary>The interpreter that the tests host: MAISI_TEST_PYTHON, or whatever the locator chain finds. Never PATH's by luck.</summary>
internal static class TestPython
{
    private static readonly Lazy<Task<(PythonInterpreter? Found, string Reason)>> Located = new(LocateAsync);

    /// <summary>Functions for workers.</summary>
    public static string Functions { get; } = Path.Combine(TestPaths.Root, "tests", "Maisi.Bridge.Python.Tests", "functions");

    /// <summary>How often a scaled test repeats.</summary>
    public static int Count(int few) => int.TryParse(Environment.GetEnvironmentVariable("MAISI_FUZZ"), out var n) ? n : few;

    /// <summary>The interpreter; skips the test where there is none.</summary>
    public static async Task<PythonInterpreter> RequireAsync(params string[] modules)
    {
        var (found, reason) = await Located.Value;
        Skip.If(found is null, reason);
        foreach (var module in modules)
            Skip.IfNot(found!.Modules.ContainsKey(module), $"{found.Executable} has no {module}");
        return found!;
    }

    /// <summary>A runtime on that interpreter; skips the test where there is none.</summary>
    public static async Task<PythonRuntime> RuntimeAsync(Action<PythonOptions>? configure = null, params string[] modules)
    {
        var options = new PythonOptions { Executable = (await RequireAsync(modules)).Executable };
        options.Paths.Add(Functions);
        configure?.Invoke(options);
        return new PythonRuntime(options, Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance, TimeProvider.System);
    }

    private static async Task<(PythonInterpreter? Found, string Reason)> LocateAsync()
    {
        try
        {
            return ((await PythonLocator.FindAsync(PythonSearch.Current(Environment.GetEnvironmentVariable("MAISI_TEST_PYTHON")))).Interpreter, "");
        }
        catch (PythonNotFoundException e)
        {
            return (null, e.Message);
        }
    }
}
