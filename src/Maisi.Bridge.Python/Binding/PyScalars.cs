using System.Numerics;

namespace Python.Runtime;

/// <summary>A number.</summary>
public class PyNumber : PyObject
{
    internal PyNumber(nint newReference)
        : base(newReference)
    {
    }

    /// <summary>Another reference to a number.</summary>
    public PyNumber(PyObject o)
        : base(o)
    {
    }
}

/// <summary>An int of any size.</summary>
public class PyInt : PyNumber
{
    /// <summary>Another reference to an int.</summary>
    public PyInt(PyObject o)
        : base(IsIntType(o) ? o : throw new ArgumentException("object is not an int", nameof(o)))
    {
    }

    /// <summary>An int.</summary>
    public PyInt(long value)
        : base(Checked(CPython.PyLong_FromLongLong(value)))
    {
    }

    /// <summary>An int.</summary>
    public PyInt(ulong value)
        : base(Checked(CPython.PyLong_FromUnsignedLongLong(value)))
    {
    }

    /// <summary>An int.</summary>
    public PyInt(BigInteger value)
        : base(Checked(PyConvert.LongFromText(value.ToString())))
    {
    }

    /// <summary>Whether an object is an int (bool counts, as in Python).</summary>
    public static bool IsIntType(PyObject value) => PyConvert.Is(value.Handle, PyKind.Long);

    /// <summary>The value.</summary>
    /// <exception cref="InvalidCastException">It does not fit.</exception>
    public int ToInt32() => As<int>();

    /// <summary>The value.</summary>
    /// <exception cref="InvalidCastException">It does not fit.</exception>
    public long ToInt64() => As<long>();

    /// <summary>The value, whatever its size.</summary>
    public BigInteger ToBigInteger() => As<BigInteger>();
}

/// <summary>A float.</summary>
public class PyFloat : PyNumber
{
    /// <summary>Another reference to a float.</summary>
    public PyFloat(PyObject o)
        : base(IsFloatType(o) ? o : throw new ArgumentException("object is not a float", nameof(o)))
    {
    }

    /// <summary>A float.</summary>
    public PyFloat(double value)
        : base(Checked(CPython.PyFloat_FromDouble(value)))
    {
    }

    /// <summary>Whether an object is a float.</summary>
    public static bool IsFloatType(PyObject value) => PyConvert.IsFloat(value.Handle);

    /// <summary>The value.</summary>
    public double ToDouble() => As<double>();
}

/// <summary>Text.</summary>
public class PyString : PySequence
{
    /// <summary>Another reference to a str.</summary>
    public PyString(PyObject o)
        : base(IsStringType(o) ? o : throw new ArgumentException("object is not a str", nameof(o)))
    {
    }

    /// <summary>A str; lone surrogates cross unchanged.</summary>
    public PyString(string s)
        : base(Checked(PyConvert.Unicode(s)))
    {
    }

    /// <summary>Whether an object is a str.</summary>
    public static bool IsStringType(PyObject value) => PyConvert.Is(value.Handle, PyKind.Unicode);
}

/// <summary>A class.</summary>
public class PyType : PyObject
{
    internal PyType(nint newReference)
        : base(newReference)
    {
    }

    /// <summary>Its name without the module.</summary>
    public string Name
    {
        get
        {
            using var name = GetAttr("__name__");
            return name.As<string>();
        }
    }
}

/// <summary>A module, or a scope in which code runs.</summary>
public class PyModule : PyObject
{
    internal PyModule(nint newReference)
        : base(newReference)
    {
    }

    /// <summary>A new empty module with the built-ins.</summary>
    public PyModule(string name = "")
        : base(Create(name))
    {
    }

    /// <summary>Imports a module by its dotted name.</summary>
    public static PyObject Import(string name)
    {
        using var text = new PyString(name);
        return new PyModule(Checked(CPython.PyImport_Import(text.Handle)));
    }

    /// <summary>The module's namespace.</summary>
    public PyDict Variables()
    {
        using var dict = Borrow(Checked(CPython.PyModule_GetDict(Handle)));
        return new PyDict(dict);
    }

    /// <summary>Runs statements in the module.</summary>
    public PyModule Exec(string code)
    {
        using var scope = Variables();
        PythonEngine.Exec(code, scope);
        return this;
    }

    /// <summary>Evaluates an expression in the module.</summary>
    public PyObject Eval(string code)
    {
        using var scope = Variables();
        return PythonEngine.Eval(code, scope);
    }

    /// <summary>Evaluates an expression in the module and converts it.</summary>
    public T Eval<T>(string code)
    {
        using var result = Eval(code);
        return result.As<T>();
    }

    /// <summary>Sets a variable.</summary>
    public PyModule Set(string name, object? value)
    {
        using var converted = PyConvert.ToPython(value);
        SetAttr(name, converted);
        return this;
    }

    /// <summary>A variable.</summary>
    public PyObject Get(string name) => GetAttr(name);

    /// <summary>A variable, converted.</summary>
    public T Get<T>(string name)
    {
        using var value = Get(name);
        return value.As<T>();
    }

    /// <summary>Whether a variable exists.</summary>
    public bool Contains(string name) => HasAttr(name);

    private static nint Create(string name)
    {
        using var text = new PyString(name);
        return Checked(CPython.PyModule_NewObject(text.Handle));
    }
}
