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

    /// <summary>Removes what must not reach Python.</summary>
    public static void Scrub(IDictionary<string, string?> environment)
    {
        foreach (var name in Unwanted)
            environment.Remove(name);
    }
}
