namespace Maisi.Bridge.Volumes;

/// <summary>A file that is not the medical image that it claims to be, or holds what this library does not read.</summary>
public sealed class VolumeFormatException : MaisiException
{
    /// <inheritdoc cref="MaisiException(string, string?, string?, Exception?)"/>
    public VolumeFormatException(string message, string? where = null, string? hint = null, Exception? inner = null)
        : base(message, where, hint, inner)
    {
    }
}
