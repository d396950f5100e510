using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace Maisi.Bridge.Python;

/// <summary>Asks an interpreter about itself by running <c>maisi_bridge.probe</c> in it.</summary>
internal static class PythonProbe
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    // The first entry of sys.path under -c is the working folder, where a stray json.py would be imported.
    private const string Script = "import sys; sys.path[0] = sys.argv[1]; import maisi_bridge.probe as probe; probe.main(sys.argv[2:])";

    /// <summary>Runs the probe.</summary>
    /// <exception cref="PythonNotFoundException">It does not start, fails, or has no shared libpython.</exception>
    public static async Task<PythonInterpreter> RunAsync(string locator, string executable, IReadOnlyCollection<string> modules, CancellationToken token)
    {
        var start = new ProcessStartInfo(executable)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        foreach (var argument in new[] { "-c", Script, PythonFiles.Folder }.Concat(modules))
            start.ArgumentList.Add(argument);
        PythonEnvironment.Scrub(start.Environment);
        start.Environment["PYTHONIOENCODING"] = "utf-8";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(token);
        limit.CancelAfter(Limit);
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new PythonNotFoundException($"it does not start: {e.Message}", executable, inner: e);
        }
        using (process)
        {
            process.StandardInput.Close();
            try
            {
                var output = process.StandardOutput.ReadToEndAsync(limit.Token);
                var errors = process.StandardError.ReadToEndAsync(limit.Token);
                await process.WaitForExitAsync(limit.Token);
                return process.ExitCode == 0
                    ? Parse(locator, executable, await output)
                    : throw new PythonNotFoundException($"it fails with code {process.ExitCode}: {LastLine(await errors)}", executable);
            }
            catch (OperationCanceledException) when (!token.IsCancellationRequested)
            {
                throw new PythonNotFoundException($"it did not answer within {Limit.TotalSeconds:0} s", executable);
            }
            finally
            {
                if (!process.HasExited)
                    process.Kill(entireProcessTree: true);
            }
        }
    }

    // Other code may print while Python starts; the record is the last line.
    private static PythonInterpreter Parse(string locator, string executable, string output)
    {
        using var json = JsonDocument.Parse(LastLine(output));
        var root = json.RootElement;
        string Text(string name) => root.GetProperty(name).GetString()!;
        if (root.GetProperty("libpython").ValueKind == JsonValueKind.Null)
            throw new PythonNotFoundException($"Python {Text("version")} has no shared libpython to host", executable, "install libpython3 for it, or build it with --enable-shared");
        var torch = root.GetProperty("torch");
        return new PythonInterpreter(
            locator,
            executable,
            Version.Parse(Text("version")),
            Text("libpython"),
            Text("prefix"),
            Text("base_prefix"),
            [.. root.GetProperty("paths").EnumerateArray().Select(p => p.GetString()!)],
            root.GetProperty("modules").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString()!, StringComparer.Ordinal),
            torch.ValueKind == JsonValueKind.Null ? null : new PythonTorch(
                torch.GetProperty("version").GetString()!, torch.GetProperty("cuda").GetString(), torch.GetProperty("libtorch").GetString()));
    }

    private static string LastLine(string text) => text.TrimEnd().Split('\n')[^1].TrimEnd('\r');
}
