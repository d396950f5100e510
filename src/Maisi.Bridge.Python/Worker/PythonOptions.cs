using Microsoft.Extensions.Logging;

namespace Maisi.Bridge.Python;

/// <summary>How Python is found and how its workers behave.</summary>
public sealed class PythonOptions
{
    /// <summary>The interpreter to use; null runs the locator chain (see <see cref="PythonLocator"/>).</summary>
    public string? Executable { get; set; }

    /// <summary>Modules that the interpreter must have.</summary>
    public IList<string> Modules { get; } = [];

    /// <summary>Folders with Python modules, put before everything else; child processes see them too.</summary>
    public IList<string> Paths { get; } = [];

    /// <summary>Environment variables for workers; a null value removes one.</summary>
    public IDictionary<string, string?> Environment { get; } = new Dictionary<string, string?>(StringComparer.Ordinal);

    /// <summary>The lowest level of Python's logging that crosses.</summary>
    public LogLevel LogLevel { get; set; } = LogLevel.Information;

    /// <summary>How long a worker may take until Python runs in it.</summary>
    public TimeSpan StartTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How often a worker says that it lives.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>After how long without a heartbeat a worker counts as frozen.</summary>
    public TimeSpan HeartbeatTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How many pooled workers may run at a time.</summary>
    public int PoolSize { get; set; } = Math.Max(1, System.Environment.ProcessorCount / 2);

    /// <summary>After how long without work a pooled worker is ended.</summary>
    public TimeSpan PoolIdle { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>After how many calls a pooled worker is replaced, so that what leaks in Python does not add up.</summary>
    public int PoolCallsPerWorker { get; set; } = 1000;
}

/// <summary>The limits of one call.</summary>
public sealed record PythonCallOptions
{
    /// <summary>Whether the call may share a process with other short calls, before and after it. Jobs get a process of their own.</summary>
    public bool Pooled { get; init; }

    /// <summary>The whole call; null for none.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The time without progress, log or output; null for none.</summary>
    public TimeSpan? StallTimeout { get; init; }

    /// <summary>How long Python gets to stop by itself (KeyboardInterrupt, <c>maisi_bridge.cancelled()</c>) before it is killed.</summary>
    public TimeSpan CancelGrace { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>What running Python code reports with <c>maisi_bridge.progress</c>.</summary>
/// <param name="Fraction">From 0 to 1; null when unknown.</param>
/// <param name="Message">A line of text.</param>
/// <param name="Stage">The name of a stage.</param>
/// <param name="Values">Named numbers, such as a loss.</param>
public sealed record PythonProgress(double? Fraction, string? Message, string? Stage, IReadOnlyDictionary<string, double> Values);

/// <summary>The arguments of a call, by position and by name.</summary>
/// <param name="Positional">In order.</param>
/// <param name="Named">Python's keyword arguments.</param>
public sealed record PythonArguments(IReadOnlyList<object?> Positional, IReadOnlyDictionary<string, object?> Named)
{
    /// <summary>No arguments.</summary>
    public static PythonArguments None { get; } = Of();

    /// <summary>Arguments by position.</summary>
    public static PythonArguments Of(params object?[] positional) => new(positional, new Dictionary<string, object?>(StringComparer.Ordinal));

    /// <summary>These arguments and one more by name.</summary>
    public PythonArguments With(string name, object? value) =>
        this with { Named = new Dictionary<string, object?>(Named, StringComparer.Ordinal) { [name] = value } };
}
