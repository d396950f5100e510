namespace Maisi.Bridge.Networks;

/// <summary>A forward call that does not fit the network: a condition that is missing, or one that the network does not take.</summary>
public sealed class NetworkInputException : MaisiException
{
    /// <inheritdoc cref="MaisiException(string, string?, string?, Exception?)"/>
    public NetworkInputException(string message, string? where = null, string? hint = null, Exception? inner = null)
        : base(message, where, hint, inner)
    {
    }
}
