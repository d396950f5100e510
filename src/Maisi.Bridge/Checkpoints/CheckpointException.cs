namespace Maisi.Bridge.Checkpoints;

/// <summary>A checkpoint that cannot be read, written or loaded: damaged, of another format, or of another network.</summary>
public sealed class CheckpointException : MaisiException
{
    /// <inheritdoc cref="MaisiException(string, string?, string?, Exception?)"/>
    public CheckpointException(string message, string? where = null, string? hint = null, Exception? inner = null)
        : base(message, where, hint, inner)
    {
    }
}
