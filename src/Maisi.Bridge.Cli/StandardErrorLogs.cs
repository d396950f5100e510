using Microsoft.Extensions.Logging;

namespace Maisi.Bridge.Cli;

/// <summary>Log records as lines on stderr, which leaves stdout to data.</summary>
internal sealed class StandardErrorLogs : ILoggerProvider
{
    /// <summary>A factory of loggers that write from a level on.</summary>
    public static ILoggerFactory Factory(LogLevel least = LogLevel.Information)
    {
        var factory = new LoggerFactory([], new LoggerFilterOptions { MinLevel = least });
        factory.AddProvider(new StandardErrorLogs());
        return factory;
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Logger(categoryName);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private sealed class Logger(string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var level = logLevel == LogLevel.Information ? "" : $"{logLevel.ToString().ToLowerInvariant()}: ";
            Console.Error.WriteLine($"{level}{category}: {formatter(state, exception)}");
        }
    }
}
