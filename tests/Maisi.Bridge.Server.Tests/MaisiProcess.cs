using System.Diagnostics;
using Maisi.Bridge.Client;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Server.Tests;

/// <summary><c>maisi serve</c> as a process of its own.</summary>
internal sealed class MaisiProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _error;

    private MaisiProcess(Process process, Task<string> error, string url)
    {
        (_process, _error) = (process, error);
        Http = new HttpClient { BaseAddress = new Uri(url), Timeout = TimeSpan.FromMinutes(2) };
        Client = new MaisiClient(Http);
    }

    // Where its own build has put it: beside these tests it would lack what they take from the framework.
    public static string Program { get; } = Path.Combine(
        TestPaths.Root, "src", "Maisi.Bridge.Cli", "bin", Path.GetFileName(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)))!, "net10.0", "maisi.dll");

    public HttpClient Http { get; }

    public MaisiClient Client { get; }

    public static Task<MaisiProcess> ServeAsync(TinyBundle bundle, string data, params string[] more) =>
        StartAsync("dotnet", [Program, "serve", "--bundle", bundle.Path, "--data", data, "--urls", "http://127.0.0.1:0", "--database", bundle.Database, "--min-free", "1", .. more]);

    /// <summary>Starts a program that says where it listens.</summary>
    public static async Task<MaisiProcess> StartAsync(string program, IEnumerable<string> arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        const string Mark = "listening on ";
        var line = await process.StandardOutput.ReadLineAsync();
        if (line?.StartsWith(Mark, StringComparison.Ordinal) != true)
            throw new InvalidOperationException($"maisi serve did not start: {line} {await error}");
        _ = process.StandardOutput.ReadToEndAsync();
        return new MaisiProcess(process, error, line[Mark.Length..]);
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>A signal, by its name, and the exit code that follows.</summary>
    public async Task<int> EndAsync(string signal)
    {
        using (var kill = Process.Start("kill", ["-" + signal, $"{_process.Id}"]))
            await kill.WaitForExitAsync();
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    /// <summary>Its log, when it has ended.</summary>
    public Task<string> LogAsync() => _error;

    public async Task<Job> EndAsync(Job job)
    {
        await foreach (var seen in Client.WatchJobAsync(job.Id))
            job = seen;
        return job;
    }

    public void Dispose()
    {
        Http.Dispose();
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }
}
