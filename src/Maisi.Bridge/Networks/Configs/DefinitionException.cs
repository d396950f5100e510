namespace Maisi.Bridge.Networks;

/// <summary>A network or scheduler definition that cannot be built: an unknown or missing argument, or two arguments that contradict each other.</summary>
public sealed class DefinitionException : MaisiException
{
    /// <inheritdoc cref="MaisiException(string, string?, string?, Exception?)"/>
    public DefinitionException(string message, string? where = null, string? hint = null, Exception? inner = null)
        : base(message, where, hint, inner)
    {
    }
}
