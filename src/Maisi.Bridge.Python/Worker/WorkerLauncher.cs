using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;
using System.Text;

namespace Maisi.Bridge.Python;

/// <summary>Starts worker processes: this assembly under the .NET host that runs the caller, or a single-file <c>maisi</c> itself.</summary>
internal static class WorkerLauncher
{
    /// <summary>Starts one with its own mark.</summary>
    /// <exception cref="PythonWorkerException">The process does not start.</exception>
    public static Process Start(PythonOptions options, string mark)
    {
        var start = Command();
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        start.StandardOutputEncoding = start.StandardErrorEncoding = Encoding.UTF8;
        start.UseShellExecute = false;
        start.CreateNoWindow = true;
        PythonEnvironment.Scrub(start.Environment);
        foreach (var (name, value) in options.Environment)
            start.Environment[name] = value;
        start.Environment.TryGetValue("PYTHONPATH", out var inherited);
        start.Environment["PYTHONPATH"] = string.Join(Path.PathSeparator, options.Paths.Append(PythonFiles.Folder).Append(inherited).Where(p => !string.IsNullOrEmpty(p)));
        PythonEnvironment.UseUtf8(start.Environment);
        // Large arrays in large pages: a fresh result of 256 MB costs a quarter of the time. Only glibc knows the variable.
        start.Environment.TryAdd("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");
        start.Environment[WorkerProtocol.MarkVariable] = mark;
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new PythonWorkerException($"the worker does not start: {e.Message}: {start.FileName}", null, "");
        }
    }

    private static ProcessStartInfo Command()
    {
        var assembly = Assembly.GetExecutingAssembly().Location;
        if (File.Exists(Path.ChangeExtension(assembly, ".runtimeconfig.json")))
            return new ProcessStartInfo(DotnetHost(), ["exec", assembly]);
        return new ProcessStartInfo(Environment.ProcessPath!, ["python-worker"]);
    }

    // The host that belongs to the running framework, wherever it is installed; PATH may hold another one.
    private static string DotnetHost()
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        var framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        var beside = Path.GetFullPath(Path.Combine(framework, "..", "..", "..", name));
        return File.Exists(beside) ? beside : Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? name;
    }
}
