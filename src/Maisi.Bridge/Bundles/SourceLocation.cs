namespace Maisi.Bridge.Bundles;

/// <summary>A place in a config file.</summary>
/// <param name="File">The file as the user named it, or a word such as "command line".</param>
/// <param name="Line">The line, from 1; 0 when the text has no lines.</param>
/// <param name="Column">The column in characters, from 1.</param>
public readonly record struct SourceLocation(string File, int Line, int Column)
{
    /// <summary>What the user typed on the command line, or passed through the API.</summary>
    public static SourceLocation Caller { get; } = new("command line", 0, 0);

    /// <summary>True for text that came from the caller and not from a file.</summary>
    public bool IsCaller => Line == 0;

    /// <inheritdoc/>
    public override string ToString() => IsCaller ? File : $"{File}:{Line}:{Column}";
}
