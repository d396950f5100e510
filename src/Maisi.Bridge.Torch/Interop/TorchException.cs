using System.Runtime.InteropServices;

namespace TorchSharp;

/// <summary>What kind of error libtorch reported.</summary>
public enum TorchErrorKind
{
    /// <summary>A failed check inside libtorch: shapes, dtypes, devices.</summary>
    Torch = 1,

    /// <summary>An index outside its dimension.</summary>
    Index = 2,

    /// <summary>The operator exists, but not for this device or dtype.</summary>
    NotImplemented = 3,

    /// <summary>The device's memory is exhausted.</summary>
    OutOfMemory = 4,

    /// <summary>A value outside its range.</summary>
    Value = 5,

    /// <summary>A value of the wrong type.</summary>
    Type = 6,

    /// <summary>An exception of the C++ library.</summary>
    Standard = 7,

    /// <summary>Anything else.</summary>
    Unknown = 8,

    /// <summary>This libtorch version has no such operator or overload.</summary>
    NoOperator = 9,

    /// <summary>CUDA was asked for in a build without it.</summary>
    NoCuda = 10,
}

/// <summary>An error reported by libtorch. TorchSharp throws <see cref="ExternalException"/> in its place, so catch that in shared code.</summary>
public class TorchException : ExternalException
{
    public TorchException(string message, TorchErrorKind kind)
        : base(message) => Kind = kind;

    public TorchException(string message, Exception innerException)
        : base(message, innerException) => Kind = TorchErrorKind.Unknown;

    public TorchException(string message)
        : this(message, TorchErrorKind.Unknown)
    {
    }

    public TorchException()
        : this("libtorch reported an error")
    {
    }

    /// <summary>What kind of error it is.</summary>
    public TorchErrorKind Kind { get; }

    /// <summary>The error that the shim recorded last on this thread.</summary>
    internal static unsafe TorchException Last()
    {
        int kind;
        var message = Marshal.PtrToStringUTF8((nint)Native.mt_last_error(&kind)) ?? "unknown error";
        return (TorchErrorKind)kind == TorchErrorKind.OutOfMemory
            ? new TorchOutOfMemoryException(message)
            : new TorchException(message, (TorchErrorKind)kind);
    }
}

/// <summary>The device has not enough memory for a tensor.</summary>
public sealed class TorchOutOfMemoryException : TorchException
{
    public TorchOutOfMemoryException(string message)
        : base(message, TorchErrorKind.OutOfMemory)
    {
    }

    public TorchOutOfMemoryException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public TorchOutOfMemoryException()
        : this("out of memory")
    {
    }
}
