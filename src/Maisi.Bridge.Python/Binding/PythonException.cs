namespace Python.Runtime;

/// <summary>An exception that Python raised, with Python's traceback.</summary>
public sealed unsafe class PythonException : Exception
{
    private readonly string formatted;

    private PythonException(PyType type, PyObject value, PyObject? traceback, string message, string formatted)
        : base(message)
    {
        Type = type;
        Value = value;
        Traceback = traceback;
        this.formatted = formatted;
    }

    /// <summary>The exception's class.</summary>
    public PyType Type { get; }

    /// <summary>The exception.</summary>
    public PyObject Value { get; }

    /// <summary>The traceback object.</summary>
    public PyObject? Traceback { get; }

    /// <summary>Python's traceback above .NET's.</summary>
    public override string StackTrace => $"{formatted}\n{base.StackTrace}";

    /// <summary>What Python's console would print: traceback, causes, message.</summary>
    public string Format() => formatted;

    /// <summary>Takes the error that Python has set; a .NET exception that passed through Python comes back as itself.</summary>
    internal static Exception Fetch()
    {
        nint type, value, traceback;
        CPython.PyErr_Fetch(&type, &value, &traceback);
        if (type == 0)
            return new InvalidOperationException("Python reported a failure without an exception");
        CPython.PyErr_NormalizeException(&type, &value, &traceback);
        if (traceback != 0)
            _ = CPython.PyException_SetTraceback(value, traceback);
        var held = new PyObject(value);
        var heldType = new PyType(type);
        var heldTraceback = traceback == 0 ? null : new PyObject(traceback);
        if (PyDelegate.Original(held) is not { } original)
            return new PythonException(heldType, held, heldTraceback, Describe(held), Describe(heldType, held, heldTraceback));
        held.Dispose();
        heldType.Dispose();
        heldTraceback?.Dispose();
        return original;
    }

    /// <summary>Sets this error in Python again.</summary>
    internal void Restore()
    {
        using var traceback = Traceback?.NewReference();
        CPython.Py_IncRef(Type.Handle);
        CPython.Py_IncRef(Value.Handle);
        if (traceback is not null)
            CPython.Py_IncRef(traceback.Handle);
        CPython.PyErr_Restore(Type.Handle, Value.Handle, traceback?.Handle ?? 0);
    }

    private static string Describe(PyObject value)
    {
        var text = CPython.PyObject_Str(value.Handle);
        if (text != 0)
            return PyConvert.Text(text);
        CPython.PyErr_Clear();
        return "the exception's own __str__ failed";
    }

    // Asked of Python's traceback module; the C calls are plain, because an error in here must not lead back to Fetch.
    private static string Describe(PyType type, PyObject value, PyObject? traceback)
    {
        var result = "";
        using var name = new PyString("traceback");
        using var method = new PyString("format_exception");
        using var args = new PyTuple([type, value, traceback ?? PyObject.None]);
        var module = CPython.PyImport_Import(name.Handle);
        var format = module == 0 ? 0 : CPython.PyObject_GetAttr(module, method.Handle);
        var lines = format == 0 ? 0 : CPython.PyObject_Call(format, args.Handle, 0);
        if (lines != 0)
        {
            using var list = new PyObject(lines);
            result = string.Concat(list.As<string[]>());
        }
        CPython.PyErr_Clear();
        CPython.Py_DecRef(format);
        CPython.Py_DecRef(module);
        return result;
    }
}
