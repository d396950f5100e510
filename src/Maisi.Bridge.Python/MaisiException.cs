namespace Maisi.Bridge;

/// <summary>
/// An error that the caller can act on: what is wrong, where, and what to do about it. Every typed error of the library derives
/// from it; the command line prints it on one screen and leaves with exit code 2.
/// </summary>
public class MaisiException : Exception
{
    /// <param name="message">What is wrong, in one sentence.</param>
    /// <param name="where">The file, field, configuration id or option at fault; null when the message says it.</param>
    /// <param name="hint">What to do about it; null when that is plain from the message.</param>
    /// <param name="inner">The cause, shown only when a stack trace is asked for.</param>
    public MaisiException(string message, string? where = null, string? hint = null, Exception? inner = null)
        : base(message, inner)
    {
        Where = where;
        Hint = hint;
    }

    /// <summary>The file, field, configuration id or option at fault.</summary>
    public string? Where { get; }

    /// <summary>What to do about it.</summary>
    public string? Hint { get; }
}
