namespace Maisi.Bridge.Python;

/// <summary>No interpreter serves: none was found, or the one that was named does not work.</summary>
public sealed class PythonNotFoundException(string message, string? where = null, string? hint = null, Exception? inner = null)
    : MaisiException(message, where, hint, inner);

/// <summary>The Python function raised.</summary>
/// <param name="target">The function that was called.</param>
/// <param name="type">Python's exception class.</param>
/// <param name="message">Its message.</param>
/// <param name="traceback">Python's traceback, with causes.</param>
public sealed class PythonCallException(string target, string type, string message, string traceback)
    : MaisiException($"{type}: {message}", $"{target}\n{traceback.TrimEnd()}")
{
    /// <summary>Python's exception class, with its module unless built in.</summary>
    public string PythonType { get; } = type;

    /// <summary>The exception's message.</summary>
    public string PythonMessage { get; } = message;

    /// <summary>Python's traceback, with causes.</summary>
    public string PythonTraceback { get; } = traceback;
}

/// <summary>The worker process ended in the middle of a call, or did not start.</summary>
/// <param name="what">What was going on.</param>
/// <param name="exitCode">The process's exit code; 128 + n after signal n; null when it could not be started at all.</param>
/// <param name="output">The end of what it printed.</param>
public sealed class PythonWorkerException(string what, int? exitCode, string output)
    : MaisiException(what + Describe(exitCode), output.Length > 0 ? $"the worker's last output:\n{output.TrimEnd()}" : null)
{
    /// <summary>The process's exit code; 128 + n after signal n.</summary>
    public int? ExitCode { get; } = exitCode;

    /// <summary>The end of what it printed, with a traceback after a crash in native code.</summary>
    public string Output { get; } = output;

    private static string Describe(int? exitCode) => exitCode switch
    {
        null => "",
        > 128 and < 160 => $" (killed by signal {exitCode - 128})",
        _ => $" (exit code {exitCode})",
    };
}

/// <summary>Which limit a call exceeded.</summary>
public enum PythonLimit
{
    /// <summary>Start of the process and the interpreter.</summary>
    Start,

    /// <summary>The whole call.</summary>
    Total,

    /// <summary>The time without progress, log or output.</summary>
    Stall,

    /// <summary>The time without a sign of life from the process itself.</summary>
    Heartbeat,
}

/// <summary>A call exceeded a limit; its process has been ended.</summary>
/// <param name="target">The function that was called.</param>
/// <param name="limit">The limit.</param>
/// <param name="allowed">Its value.</param>
/// <param name="output">The end of what the worker printed.</param>
public sealed class PythonTimeoutException(string target, PythonLimit limit, TimeSpan allowed, string output)
    : MaisiException($"{target} exceeded its {limit.ToString().ToLowerInvariant()} limit of {allowed.TotalSeconds:0.###} s", output.Length > 0 ? $"the worker's last output:\n{output.TrimEnd()}" : null, "raise the limit, or let the function report progress")
{
    /// <summary>The limit.</summary>
    public PythonLimit Limit { get; } = limit;
}

/// <summary>Client and worker do not understand each other.</summary>
public sealed class PythonProtocolException(string message, Exception? inner = null)
    : MaisiException(message, hint: "client and worker are of different versions; rebuild both", inner: inner);

/// <summary>The project's Python environment could not be made.</summary>
public sealed class PythonSetupException(string message, string? where = null, string? hint = null)
    : MaisiException(message, where, hint);
