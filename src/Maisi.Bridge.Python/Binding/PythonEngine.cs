using System.Runtime.InteropServices;
using System.Text;

namespace Python.Runtime;

/// <summary>What <see cref="PythonEngine.Compile"/> compiles; the numbers are CPython's start symbols.</summary>
public enum RunFlagType
{
    /// <summary>One interactive statement.</summary>
    Single = 256,

    /// <summary>A module.</summary>
    File = 257,

    /// <summary>One expression.</summary>
    Eval = 258,
}

/// <summary>
/// The interpreter of this process: pythonnet's class of that name, with the members that this project uses. Set
/// <see cref="Runtime.PythonDLL"/> first. All state belongs to CPython, of which a process can hold one.
/// </summary>
public static unsafe class PythonEngine
{
    // CPython keeps these pointers, so they are never freed.
    private static nint programName, pythonHome;

    /// <summary>Whether an interpreter runs in this process.</summary>
    public static bool IsInitialized => Runtime.PythonDLL is not null && CPython.Py_IsInitialized() != 0;

    /// <summary>For example <c>3.11.2 (main, ...) [GCC 12.2.0]</c>.</summary>
    public static string Version => Marshal.PtrToStringUTF8(CPython.Py_GetVersion()) ?? "";

    /// <summary>
    /// Full path of the python executable that this process stands for. CPython finds its standard library, and a virtual environment's
    /// <c>pyvenv.cfg</c>, from here: this, never <see cref="PythonHome"/>, is how a venv is chosen. Set it before <see cref="Initialize"/>.
    /// </summary>
    public static string ProgramName
    {
        get => WideText.Read(programName);
        set => CPython.Py_SetProgramName(programName = WideText.Allocate(value));
    }

    /// <summary>Overrides the prefix of the standard library; wanted only for an embeddable distribution, never for a venv.</summary>
    public static string PythonHome
    {
        get => WideText.Read(pythonHome);
        set => CPython.Py_SetPythonHome(pythonHome = WideText.Allocate(value));
    }

    /// <summary>
    /// Starts the interpreter; the calling thread becomes Python's main thread and holds the lock until
    /// <see cref="BeginAllowThreads"/>. Python's own signal handlers stay off, so that Ctrl+C remains .NET's.
    /// </summary>
    public static void Initialize()
    {
        if (IsInitialized)
            return;
        // The python program heeds this variable; an embedded interpreter does not, and has this switch up to 3.14.
        if (Environment.GetEnvironmentVariable("PYTHONUTF8") == "1" && PythonLibrary.TryFind("Py_UTF8Mode") is { } utf8Mode)
            Marshal.WriteInt32(utf8Mode, 1);
        CPython.Py_InitializeEx(0);
    }

    /// <summary>Ends the interpreter. The calling thread must be the one that started it and hold the lock.</summary>
    public static void Shutdown()
    {
        if (!IsInitialized)
            return;
        PyObject.ReleaseFinalized();
        _ = CPython.Py_FinalizeEx();
    }

    /// <summary>Releases the lock, so that other threads can take it; returns what <see cref="EndAllowThreads"/> needs.</summary>
    public static nint BeginAllowThreads() => CPython.PyEval_SaveThread();

    /// <summary>Takes the lock back on the thread that released it.</summary>
    public static void EndAllowThreads(nint state) => CPython.PyEval_RestoreThread(state);

    /// <summary>Compiles source into a code object.</summary>
    public static PyObject Compile(string code, string filename = "<string>", RunFlagType mode = RunFlagType.File)
    {
        fixed (byte* text = WideText.Utf8(code), file = WideText.Utf8(filename))
            return PyObject.Steal(CPython.Py_CompileString(text, file, (int)mode));
    }

    /// <summary>Evaluates one expression; without globals in an empty namespace with the built-ins.</summary>
    public static PyObject Eval(string code, PyDict? globals = null, PyObject? locals = null) => Run(code, globals, locals, RunFlagType.Eval);

    /// <summary>Runs statements; without globals in an empty namespace with the built-ins.</summary>
    public static void Exec(string code, PyDict? globals = null, PyObject? locals = null) => Run(code, globals, locals, RunFlagType.File).Dispose();

    /// <summary>The calling thread's id as Python knows it, for <see cref="Interrupt"/>.</summary>
    public static ulong GetPythonThreadID()
    {
        using var threading = Py.Import("threading");
        using var id = threading.InvokeMethod("get_ident");
        return id.As<ulong>();
    }

    /// <summary>Raises KeyboardInterrupt in a Python thread at its next bytecode; returns how many threads were found (0 or 1).</summary>
    public static int Interrupt(ulong pythonThreadID) =>
        CPython.PyThreadState_SetAsyncExc(new CULong((nuint)pythonThreadID), CPython.Exception("PyExc_KeyboardInterrupt"));

    private static PyObject Run(string code, PyDict? globals, PyObject? locals, RunFlagType mode)
    {
        using var compiled = Compile(code, mode: mode);
        using var own = globals is null ? new PyDict() : null;
        var scope = globals ?? own!;
        if (!scope.HasKey("__builtins__"))
        {
            using var builtins = PyObject.Borrow(CPython.PyEval_GetBuiltins());
            scope.SetItem("__builtins__", builtins);
        }
        return PyObject.Steal(CPython.PyEval_EvalCode(compiled.Handle, scope.Handle, (locals ?? scope).Handle));
    }
}

/// <summary>C's wchar_t text (four bytes on Unix, two on Windows) and zero-terminated UTF-8.</summary>
internal static class WideText
{
    private static Encoding Wide => OperatingSystem.IsWindows() ? Encoding.Unicode : Encoding.UTF32;

    internal static nint Allocate(string text)
    {
        var bytes = Wide.GetBytes(text + '\0');
        var at = Marshal.AllocHGlobal(bytes.Length);
        Marshal.Copy(bytes, 0, at, bytes.Length);
        return at;
    }

    internal static unsafe string Read(nint at)
    {
        if (at == 0)
            return "";
        if (OperatingSystem.IsWindows())
            return Marshal.PtrToStringUni(at) ?? "";
        var length = 0;
        while (((int*)at)[length] != 0)
            length++;
        return Encoding.UTF32.GetString((byte*)at, length * sizeof(int));
    }

    internal static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text + '\0');
}
