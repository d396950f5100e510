namespace TorchSharp;

/// <summary>Why the tensor library could not be loaded.</summary>
public enum LibtorchLoadFailure
{
    /// <summary>libmaisi_torch.so is not beside the program.</summary>
    ShimMissing,

    /// <summary>A library that the shim needs, usually libtorch itself, was not found.</summary>
    LibraryMissing,

    /// <summary>The libtorch found is not the version that the shim was built for.</summary>
    WrongVersion,

    /// <summary>A symbol is missing: the shim and libtorch do not belong together.</summary>
    UnresolvedSymbol,

    /// <summary>The shim has another interface version than this assembly.</summary>
    WrongInterface,

    /// <summary>The dynamic linker refused for another reason.</summary>
    Other,
}

/// <summary>The native tensor library did not load. The message says what was tried and what to do.</summary>
public sealed class LibtorchLoadException : DllNotFoundException
{
    public LibtorchLoadException(LibtorchLoadFailure failure, string message, Exception? innerException = null)
        : base(message, innerException) => Failure = failure;

    public LibtorchLoadException(string message, Exception innerException)
        : this(LibtorchLoadFailure.Other, message, innerException)
    {
    }

    public LibtorchLoadException(string message)
        : this(LibtorchLoadFailure.Other, message)
    {
    }

    public LibtorchLoadException()
        : this("the native tensor library did not load")
    {
    }

    /// <summary>Why it failed.</summary>
    public LibtorchLoadFailure Failure { get; }
}
