using Microsoft.Extensions.Logging;

namespace Maisi.Bridge.Python;

/// <summary>The log messages of the Python subsystem: events 5000 to 5099.</summary>
internal static partial class PythonLog
{
    /// <summary>.NET's level for a number of Python's logging.</summary>
    public static LogLevel Level(int python) => python switch
    {
        >= 50 => LogLevel.Critical,
        >= 40 => LogLevel.Error,
        >= 30 => LogLevel.Warning,
        >= 20 => LogLevel.Information,
        >= 10 => LogLevel.Debug,
        _ => LogLevel.Trace,
    };

    /// <summary>Python's number for a level of .NET.</summary>
    public static int Number(LogLevel level) => level switch
    {
        LogLevel.Trace => 1,
        LogLevel.Debug => 10,
        LogLevel.Information => 20,
        LogLevel.Warning => 30,
        LogLevel.Error => 40,
        _ => 50,
    };

    [LoggerMessage(5000, LogLevel.Debug, "Python {Version} at {Executable} (found by {Locator})")]
    public static partial void Located(ILogger logger, Version version, string executable, string locator);

    [LoggerMessage(5001, LogLevel.Debug, "worker {Process} started")]
    public static partial void Started(ILogger logger, int process);

    [LoggerMessage(5002, LogLevel.Debug, "worker {Process} ended with code {Code}")]
    public static partial void Ended(ILogger logger, int process, int code);

    [LoggerMessage(5003, LogLevel.Warning, "worker {Process} is killed: {Reason}")]
    public static partial void Killed(ILogger logger, int process, string reason);

    [LoggerMessage(5004, LogLevel.Information, "{Line}")]
    public static partial void Printed(ILogger logger, string line);

    [LoggerMessage(EventId = 5005, Message = "{Text}")]
    public static partial void Forwarded(ILogger logger, LogLevel level, string text);
}
