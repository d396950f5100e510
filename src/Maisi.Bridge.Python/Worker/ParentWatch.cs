using System.Runtime.InteropServices;

namespace Maisi.Bridge.Python;

/// <summary>
/// Ends the worker when its parent is gone. Three signs are heeded: the end of stdin, a broken stdout, and on Linux the kernel's
/// parent-death signal. The kernel also sends that signal when only the thread that forked has ended, as pool threads do, so the
/// handler looks whether the parent is still there.
/// </summary>
internal sealed partial class ParentWatch : IDisposable
{
    private const int SetParentDeathSignal = 1, SetChildSubreaper = 36, HangUp = 1;
    private readonly PosixSignalRegistration? registration;

    /// <summary>Arms the watch.</summary>
    /// <param name="parent">The parent's process id.</param>
    /// <param name="gone">Called, on any thread, when the parent has ended.</param>
    public ParentWatch(int parent, Action gone)
    {
        if (OperatingSystem.IsWindows())
            return;
        // A group of its own keeps the terminal's Ctrl+C from Python: the client decides how to stop it.
        _ = setpgid(0, 0);
        if (!OperatingSystem.IsLinux())
            return;
        registration = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            if (getppid() != parent)
                gone();
        });
        _ = prctl(SetParentDeathSignal, HangUp, 0, 0, 0);
        _ = prctl(SetChildSubreaper, 1, 0, 0, 0);
        if (getppid() != parent)
            gone();
    }

    /// <summary>Ends this process at once: no destructors, no finalizers, nothing that could hang or crash.</summary>
    public static void ExitNow(int code)
    {
        if (OperatingSystem.IsWindows())
            Environment.Exit(code);
        else
            _exit(code);
    }

    /// <inheritdoc/>
    public void Dispose() => registration?.Dispose();

    [LibraryImport("libc")]
    private static partial int prctl(int option, CULong a, CULong b, CULong c, CULong d);

    private static int prctl(int option, uint a, uint b, uint c, uint d) => prctl(option, new CULong(a), new CULong(b), new CULong(c), new CULong(d));

    [LibraryImport("libc")]
    private static partial int getppid();

    [LibraryImport("libc")]
    private static partial int setpgid(int process, int group);

    [LibraryImport("libc")]
    private static partial void _exit(int code);
}
