namespace Maisi.Bridge.Python;

/// <summary>What locators look at; tests give their own.</summary>
/// <param name="Executable">An interpreter that the caller named; null for none.</param>
/// <param name="WorkingFolder">Where the search for a project's <c>.venv</c> starts.</param>
/// <param name="Variable">Reads an environment variable.</param>
public sealed record PythonSearch(string? Executable, string WorkingFolder, Func<string, string?> Variable)
{
    /// <summary>The search of this process.</summary>
    public static PythonSearch Current(string? executable = null) =>
        new(executable, Environment.CurrentDirectory, Environment.GetEnvironmentVariable);
}

/// <summary>One way to find an interpreter.</summary>
/// <param name="Name">What the record calls it.</param>
/// <param name="Required">Whether a candidate that fails is an error, because someone named it, and not a reason to look further.</param>
/// <param name="Candidates">Executables to try, which need not exist.</param>
internal sealed record PythonLocatorStep(string Name, bool Required, Func<PythonSearch, IEnumerable<string?>> Candidates);

/// <summary>The chain, in order of precedence.</summary>
internal static class PythonLocators
{
    public static readonly IReadOnlyList<PythonLocatorStep> All =
    [
        new("explicit", Required: true, s => [s.Executable]),
        new("MAISI_PYTHON", Required: true, s => [s.Variable("MAISI_PYTHON")]),
        new("venv", Required: false, s => [InVenv(s.Variable("VIRTUAL_ENV"))]),
        new("project", Required: false, s => Above(s.WorkingFolder).Select(folder => InVenv(Path.Combine(folder, ".venv")))),
        new("conda", Required: false, s => [InConda(s.Variable("CONDA_PREFIX"))]),
        new("included", Required: false, Included),
        new("system", Required: false, OnSystem),
    ];

    /// <summary>The python of a virtual environment's folder.</summary>
    public static string? InVenv(string? folder) => string.IsNullOrEmpty(folder) ? null
        : OperatingSystem.IsWindows() ? Path.Combine(folder, "Scripts", "python.exe") : Path.Combine(folder, "bin", "python");

    private static string? InConda(string? prefix) => string.IsNullOrEmpty(prefix) ? null
        : OperatingSystem.IsWindows() ? Path.Combine(prefix, "python.exe") : Path.Combine(prefix, "bin", "python");

    private static IEnumerable<string> Above(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
            yield return at.FullName;
    }

    // Where the Python.Included package unpacks its embeddable distribution.
    private static IEnumerable<string?> Included(PythonSearch search)
    {
        var root = search.Variable("LOCALAPPDATA");
        return OperatingSystem.IsWindows() && Directory.Exists(root)
            ? Directory.EnumerateDirectories(root, "python-3*-embed-*").Select(folder => Path.Combine(folder, "python.exe"))
            : [];
    }

    // The distribution's own interpreter comes before PATH, where version managers put shims that lack the distribution's modules.
    private static IEnumerable<string?> OnSystem(PythonSearch search)
    {
        if (OperatingSystem.IsWindows())
            return OnPath(search, "python.exe");
        return new[] { "/usr/bin/python3", "/usr/local/bin/python3", "/opt/homebrew/bin/python3" }.Concat(OnPath(search, "python3")).Distinct();
    }

    private static IEnumerable<string> OnPath(PythonSearch search, string name) =>
        (search.Variable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(folder => Path.Combine(folder, name));
}
