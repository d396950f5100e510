using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Maisi.Bridge.Python;

/// <summary>
/// Keeps stdin and stdout of this process for the protocol and gives Python others: reading finds an empty input, and what Python or a
/// C library prints goes to stderr. Nothing that is printed can then be taken for a line of the protocol.
/// </summary>
internal static partial class StandardStreams
{
    private const int Duplicate = 1030; // F_DUPFD_CLOEXEC on Linux
    private const int DuplicateMac = 67;
    private const int ReadOnly = 0;

    /// <summary>Takes both streams; call it once, before anything is printed.</summary>
    public static (Stream Input, Stream Output) Take() => OperatingSystem.IsWindows() ? TakeOnWindows() : TakeOnUnix();

    private static (Stream Input, Stream Output) TakeOnUnix()
    {
        var command = OperatingSystem.IsMacOS() ? DuplicateMac : Duplicate;
        var input = fcntl(0, command, 3);
        var output = fcntl(1, command, 3);
        var empty = open("/dev/null", ReadOnly);
        if (input < 0 || output < 0 || empty < 0 || dup2(empty, 0) < 0 || dup2(2, 1) < 0)
            throw new IOException($"cannot set up the standard streams (errno {Marshal.GetLastPInvokeError()})");
        _ = close(empty);
        return (Open(input, FileAccess.Read), Open(output, FileAccess.Write));
    }

    // Python's own descriptors live in the C runtime (ucrtbase), the handles in the process: both are redirected.
    private static (Stream Input, Stream Output) TakeOnWindows()
    {
        var input = OpenHandle(_get_osfhandle(_dup(0)), FileAccess.Read);
        var output = OpenHandle(_get_osfhandle(_dup(1)), FileAccess.Write);
        var empty = _open("NUL", ReadOnly);
        if (_dup2(empty, 0) != 0 || _dup2(2, 1) != 0)
            throw new IOException("cannot set up the standard streams");
        const int standardInput = -10, standardOutput = -11;
        _ = SetStdHandle(standardInput, _get_osfhandle(0));
        _ = SetStdHandle(standardOutput, _get_osfhandle(1));
        return (input, output);
    }

    private static FileStream Open(int descriptor, FileAccess access) => OpenHandle(descriptor, access);

    private static FileStream OpenHandle(nint handle, FileAccess access) => new(new SafeFileHandle(handle, ownsHandle: true), access, bufferSize: 0);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int dup2(int from, int to);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);

    [LibraryImport("ucrtbase")]
    private static partial int _dup(int descriptor);

    [LibraryImport("ucrtbase")]
    private static partial int _dup2(int from, int to);

    [LibraryImport("ucrtbase", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int _open(string path, int flags);

    [LibraryImport("ucrtbase")]
    private static partial nint _get_osfhandle(int descriptor);

    [LibraryImport("kernel32")]
    private static partial int SetStdHandle(int which, nint handle);
}
