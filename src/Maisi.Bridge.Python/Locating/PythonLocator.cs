namespace Maisi.Bridge.Python;

/// <summary>Finds the interpreter to host: the first candidate of the chain that works and has the modules asked for.</summary>
public static class PythonLocator
{
    /// <summary>The oldest and the newest minor version of Python 3 that the binding supports.</summary>
    public const int OldestMinor = 9, NewestMinor = 14;

    /// <summary>Runs the chain: explicit path, MAISI_PYTHON, active venv, the project's .venv, conda, Python.Included, system.</summary>
    /// <param name="search">Where to look.</param>
    /// <param name="modules">Importable modules that the interpreter must have.</param>
    /// <param name="token">Ends the search.</param>
    /// <returns>The winner, and what was passed over on the way.</returns>
    /// <exception cref="PythonNotFoundException">Nothing serves, or a named interpreter does not work.</exception>
    public static async Task<(PythonInterpreter Interpreter, IReadOnlyList<PythonRejection> Rejected)> FindAsync(
        PythonSearch search, IReadOnlyCollection<string>? modules = null, CancellationToken token = default)
    {
        var rejected = new List<PythonRejection>();
        foreach (var step in PythonLocators.All)
        {
            foreach (var candidate in step.Candidates(search).Where(c => !string.IsNullOrEmpty(c)))
            {
                var (interpreter, reason) = await TryAsync(step, candidate!, modules ?? [], token);
                if (interpreter is not null)
                    return (interpreter, rejected);
                if (step.Required)
                    throw new PythonNotFoundException($"the interpreter named by {step.Name} does not serve: {reason}", candidate, Hint);
                if (reason is not null)
                    rejected.Add(new PythonRejection(step.Name, candidate!, reason));
            }
        }
        var tried = string.Concat(rejected.Select(r => $"\n  {r.Locator}: {r.Executable}: {r.Reason}"));
        throw new PythonNotFoundException($"no Python interpreter serves{(tried.Length > 0 ? tried : ": none was found")}", hint: Hint);
    }

    private const string Hint = "set MAISI_PYTHON to a python executable (3.9 to 3.14, built with a shared libpython), or run: maisi python setup";

    // A candidate that does not exist is no rejection unless someone named it.
    private static async Task<(PythonInterpreter? Interpreter, string? Reason)> TryAsync(
        PythonLocatorStep step, string candidate, IReadOnlyCollection<string> modules, CancellationToken token)
    {
        if (!File.Exists(candidate))
            return (null, step.Required ? "the file does not exist" : null);
        try
        {
            var found = await PythonProbe.RunAsync(step.Name, candidate, modules, token);
            var missing = modules.Where(m => !found.Modules.ContainsKey(m)).ToList();
            if (found.Version.Major != 3 || found.Version.Minor is < OldestMinor or > NewestMinor)
                return (null, $"it is Python {found.Version}; 3.{OldestMinor} to 3.{NewestMinor} are supported");
            return missing.Count == 0 ? (found, null) : (null, $"it lacks {string.Join(", ", missing)}");
        }
        catch (PythonNotFoundException e)
        {
            return (null, e.Message);
        }
    }
}
