using System.Reflection;
using System.Runtime.InteropServices;

namespace Python.Runtime;

/// <summary>
/// Opens libpython. On Linux its symbols must be global: extension modules of most distributions are not linked to it and expect to
/// find the C API in the process, as they would inside the python executable.
/// </summary>
internal static partial class PythonLibrary
{
    internal const string ImportName = "libpython";
    private const int RtldNow = 2, RtldGlobal = 0x100, RtldGlobalMac = 8;

    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, nint> Symbols = new(StringComparer.Ordinal);
    private static string? path;
    private static nint handle;

    static PythonLibrary() => NativeLibrary.SetDllImportResolver(typeof(PythonLibrary).Assembly, Resolve);

    /// <summary>The file to open, or that is open. One process hosts one interpreter, so it cannot change once open.</summary>
    internal static string? Path
    {
        get => path;
        set
        {
            lock (Gate)
            {
                if (handle != 0 && value != path)
                    throw new InvalidOperationException($"this process has already opened {path}; a second interpreter needs another process");
                path = value;
            }
        }
    }

    /// <summary>The address of an exported variable.</summary>
    internal static nint Symbol(string name)
    {
        lock (Gate)
        {
            if (!Symbols.TryGetValue(name, out var address))
                Symbols[name] = address = NativeLibrary.GetExport(Open(), name);
            return address;
        }
    }

    /// <summary>The address of an exported variable that not every version has.</summary>
    internal static nint? TryFind(string name)
    {
        lock (Gate)
            return NativeLibrary.TryGetExport(Open(), name, out var address) ? address : null;
    }

    private static nint Resolve(string library, Assembly assembly, DllImportSearchPath? search)
    {
        if (library != ImportName)
            return 0;
        lock (Gate)
            return Open();
    }

    private static nint Open()
    {
        if (handle != 0)
            return handle;
        if (path is null)
            throw new InvalidOperationException("set Runtime.PythonDLL to the interpreter's libpython before using Python");
        if (OperatingSystem.IsWindows())
            return handle = NativeLibrary.Load(path);
        handle = dlopen(path, RtldNow | (OperatingSystem.IsMacOS() ? RtldGlobalMac : RtldGlobal));
        return handle != 0 ? handle : throw new DllNotFoundException($"libpython does not open: {Marshal.PtrToStringUTF8(dlerror())}");
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint dlopen(string file, int flags);

    [LibraryImport("libc")]
    private static partial nint dlerror();
}

/// <summary>Which libpython the engine opens.</summary>
public static class Runtime
{
    /// <summary>Full path of libpython (<c>libpython3.11.so.1.0</c>, <c>python311.dll</c>); set it before the engine starts.</summary>
    public static string? PythonDLL
    {
        get => PythonLibrary.Path;
        set => PythonLibrary.Path = value;
    }
}
