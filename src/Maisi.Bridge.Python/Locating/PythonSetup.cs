using System.Diagnostics;

namespace Maisi.Bridge.Python;

/// <summary>Makes the project's <c>.venv</c>, which the locator chain then finds.</summary>
public static class PythonSetup
{
    /// <summary>Creates <c>.venv</c> beside a pyproject.toml and installs the project's extras into it. An existing one is updated.</summary>
    /// <param name="project">The folder of pyproject.toml.</param>
    /// <param name="python">The interpreter to build on.</param>
    /// <param name="extras">Extras of pyproject.toml to install; none makes a bare environment and needs no network.</param>
    /// <param name="systemPackages">Whether the interpreter's own packages stay visible.</param>
    /// <param name="output">Told every line that the tools print.</param>
    /// <param name="token">Stops the tools; a new environment is removed again.</param>
    /// <returns>The environment's interpreter.</returns>
    /// <exception cref="PythonSetupException">A tool failed; a new environment has been removed again.</exception>
    public static async Task<PythonInterpreter> RunAsync(
        string project, PythonInterpreter python, IReadOnlyCollection<string> extras, bool systemPackages, IProgress<string> output, CancellationToken token)
    {
        if (!File.Exists(Path.Combine(project, "pyproject.toml")))
            throw new PythonSetupException("there is no pyproject.toml here", project, "run it in the project's folder, or name that with --project");
        var venv = Path.Combine(project, ".venv");
        var isNew = !Directory.Exists(venv);
        try
        {
            var arguments = new List<string> { "-m", "venv", venv };
            if (systemPackages)
                arguments.Add("--system-site-packages");
            if (extras.Count == 0)
                arguments.Add("--without-pip");
            await RunToolAsync(python.Executable, arguments, "install the venv module (Debian and Ubuntu: apt-get install python3-venv)", output, token);
            var inside = PythonLocators.InVenv(venv)!;
            if (extras.Count > 0)
                await RunToolAsync(inside, ["-m", "pip", "install", $"{project}[{string.Join(',', extras)}]"], "see pip's output above; it needs a package index", output, token);
            return await PythonProbe.RunAsync("project", inside, [], token);
        }
        catch when (isNew && Directory.Exists(venv))
        {
            Directory.Delete(venv, recursive: true);
            throw;
        }
    }

    private static async Task RunToolAsync(string executable, IEnumerable<string> arguments, string hint, IProgress<string> output, CancellationToken token)
    {
        var start = new ProcessStartInfo(executable, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        PythonEnvironment.Scrub(start.Environment);
        using var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Report(line.Data);
        process.ErrorDataReceived += (_, line) => Report(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(token);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
        if (process.ExitCode != 0)
            throw new PythonSetupException($"'{Path.GetFileName(executable)} {string.Join(' ', start.ArgumentList)}' failed with code {process.ExitCode}", executable, hint);

        void Report(string? line)
        {
            if (line is not null)
                output.Report(line);
        }
    }
}
