namespace Maisi.Bridge.Python;

/// <summary>The Python package that travels beside this assembly.</summary>
internal static class PythonFiles
{
    /// <summary>The folder that goes into <c>sys.path</c>.</summary>
    public static string Folder { get; } = Path.Combine(Path.GetDirectoryName(typeof(PythonFiles).Assembly.Location) is { Length: > 0 } beside
        ? beside : AppContext.BaseDirectory, "python");
}

/// <summary>The environment of processes that run Python.</summary>
internal static class PythonEnvironment
{
    // PYTHONHOME breaks every venv; the others are left-overs of a distributed launch and would make torch wait for its peers.
    private static readonly string[] Unwanted =
    [
        "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__",
        "RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "NUM_NODES", "NODE_RANK", "MASTER_ADDR", "MASTER_PORT", "CMD_PREFIX",
    ];

    // The first that is set decides.
    private static readonly string[] LocaleVariables = ["LC_ALL", "LC_CTYPE", "LANG"];

    /// <summary>Removes what must not reach Python.</summary>
    public static void Scrub(IDictionary<string, string?> environment)
    {
        foreach (var name in Unwanted)
            environment.Remove(name);
    }

    /// <summary>
    /// Makes paths and prints UTF-8, also under the C locale of a bare container. An embedded interpreter ignores PYTHONUTF8 and takes its
    /// file system encoding from the locale; the interpreters that Python code starts take it from the variable.
    /// </summary>
    public static void UseUtf8(IDictionary<string, string?> environment)
    {
        environment["PYTHONUTF8"] = "1";
        if (OperatingSystem.IsWindows())
            return;
        var name = Array.Find(LocaleVariables, n => environment.TryGetValue(n, out var value) && !string.IsNullOrEmpty(value));
        var isUtf8 = name is not null && environment[name]!.Replace("-", "", StringComparison.Ordinal).EndsWith("utf8", StringComparison.OrdinalIgnoreCase);
        if (!isUtf8)
            environment[name == "LC_ALL" ? name : "LC_CTYPE"] = "C.UTF-8";
    }
}
