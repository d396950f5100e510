using System.Collections;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Python.Runtime;

/// <summary>The bits of a type's flags that mark subclasses of built-in types.</summary>
internal enum PyKind
{
    Long = 24,
    List = 25,
    Tuple = 26,
    Bytes = 27,
    Unicode = 28,
    Dict = 29,
}

/// <summary>.NET values to Python and back.</summary>
internal static unsafe class PyConvert
{
    internal const int Eq = 2;

    /// <summary>Whether an object is of a built-in type or a subclass of it.</summary>
    internal static bool Is(nint o, PyKind kind)
    {
        var type = CPython.PyObject_Type(o);
        var flags = CPython.PyType_GetFlags(type).Value;
        CPython.Py_DecRef(type);
        return (flags >> (int)kind & 1) != 0;
    }

    internal static bool IsFloat(nint o) => CPython.PyObject_IsInstance(o, PythonLibrary.Symbol("PyFloat_Type")) == 1;

    internal static bool IsBool(nint o) => CPython.PyObject_IsInstance(o, PythonLibrary.Symbol("PyBool_Type")) == 1;

    /// <summary>A new str; UTF-16 with surrogatepass loses nothing of a .NET string.</summary>
    internal static nint Unicode(string text)
    {
        var order = BitConverter.IsLittleEndian ? -1 : 1;
        fixed (char* at = text)
        fixed (byte* errors = "surrogatepass\0"u8)
            return CPython.PyUnicode_DecodeUTF16((byte*)at, (nint)text.Length * sizeof(char), errors, &order);
    }

    /// <summary>The text of a new reference to a str, which is given back.</summary>
    internal static string Text(nint newStr)
    {
        PyObject.Checked(newStr);
        nint encoded;
        fixed (byte* encoding = BitConverter.IsLittleEndian ? "utf-16-le\0"u8 : "utf-16-be\0"u8, errors = "surrogatepass\0"u8)
            encoded = CPython.PyUnicode_AsEncodedString(newStr, encoding, errors);
        CPython.Py_DecRef(newStr);
        PyObject.Checked(encoded);
        byte* at;
        nint bytes;
        PyObject.Checked(CPython.PyBytes_AsStringAndSize(encoded, &at, &bytes));
        var text = new string((char*)at, 0, (int)(bytes / sizeof(char)));
        CPython.Py_DecRef(encoded);
        return text;
    }

    /// <summary>A new int from decimal digits.</summary>
    internal static nint LongFromText(string digits)
    {
        fixed (byte* at = WideText.Utf8(digits))
            return CPython.PyLong_FromString(at, null, 10);
    }

    /// <summary>
    /// A new reference to the Python form of a value. Collections are copied into list and dict; a delegate becomes a callable.
    /// </summary>
    internal static PyObject ToPython(object? value) => value switch
    {
        null => PyObject.None,
        PyObject o => o.NewReference(),
        bool b => PyObject.Steal(CPython.PyBool_FromLong(new CLong(b ? 1 : 0))),
        string s => new PyString(s),
        char c => new PyString(c.ToString()),
        double d => new PyFloat(d),
        float f => new PyFloat(f),
        sbyte or byte or short or ushort or int or uint or long => new PyInt(Convert.ToInt64(value)),
        ulong u => new PyInt(u),
        BigInteger n => new PyInt(n),
        Delegate d => PyDelegate.Create(d),
        IDictionary map => ToDict(map),
        IEnumerable items => ToList(items),
        _ => throw new ArgumentException($"{value.GetType()} has no Python form", nameof(value)),
    };

    /// <summary>A Python object as a .NET value.</summary>
    internal static object? ToManaged(PyObject o, Type target)
    {
        if (target == typeof(object) || target == typeof(PyObject))
            return target == typeof(object) && o.IsNone() ? null : o.NewReference();
        if (target.IsSubclassOf(typeof(PyObject)))
            return Activator.CreateInstance(target, o);
        if (Nullable.GetUnderlyingType(target) is { } inner)
            return o.IsNone() ? null : ToManaged(o, inner);
        if (target == typeof(string))
            return o.IsNone() ? null : Is(o.Handle, PyKind.Unicode) ? o.ToString() : throw Cannot(o, target);
        if (target == typeof(bool))
            return IsBool(o.Handle) ? o.IsTrue() : throw Cannot(o, target);
        if (target == typeof(double) || target == typeof(float))
            return Convert.ChangeType(AsDouble(o, target), target);
        if (target == typeof(BigInteger))
        {
            using var index = Integer(o, target);
            return BigInteger.Parse(index.ToString());
        }
        if (target.IsPrimitive)
            return AsInteger(o, target);
        return ToCollection(o, target) ?? throw Cannot(o, target);
    }

    private static double AsDouble(PyObject o, Type target)
    {
        var number = CPython.PyNumber_Float(o.Handle);
        if (number == 0 || Is(o.Handle, PyKind.Unicode))
        {
            CPython.PyErr_Clear();
            throw Cannot(o, target);
        }
        using var held = new PyObject(number);
        return CPython.PyFloat_AsDouble(number);
    }

    private static object AsInteger(PyObject o, Type target)
    {
        using var index = Integer(o, target);
        if (target == typeof(ulong))
        {
            var unsigned = CPython.PyLong_AsUnsignedLongLong(index.Handle);
            return CPython.PyErr_Occurred() == 0 ? unsigned : throw Overflow(o, target);
        }
        var value = CPython.PyLong_AsLongLong(index.Handle);
        if (value == -1 && CPython.PyErr_Occurred() != 0)
            throw Overflow(o, target);
        try
        {
            return Convert.ChangeType(value, target);
        }
        catch (OverflowException)
        {
            throw Overflow(o, target);
        }
    }

    // __index__ accepts int and numpy's integers, and refuses float, as Python's own range() does.
    private static PyObject Integer(PyObject o, Type target)
    {
        var index = CPython.PyNumber_Index(o.Handle);
        if (index != 0)
            return new PyObject(index);
        CPython.PyErr_Clear();
        throw Cannot(o, target);
    }

    private static object? ToCollection(PyObject o, Type target)
    {
        var element = target.IsArray ? target.GetElementType()
            : target.IsGenericType && target.GetGenericTypeDefinition() == typeof(List<>) ? target.GetGenericArguments()[0] : null;
        if (element is null || CPython.PySequence_Check(o.Handle) == 0)
            return null;
        var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(element))!;
        using var items = PyIter.GetIter(o);
        while (items.MoveNext())
        {
            using var item = items.Current;
            list.Add(ToManaged(item, element));
        }
        if (!target.IsArray)
            return list;
        var array = Array.CreateInstance(element, list.Count);
        list.CopyTo(array, 0);
        return array;
    }

    private static PyDict ToDict(IDictionary map)
    {
        var result = new PyDict();
        foreach (DictionaryEntry entry in map)
        {
            using var key = ToPython(entry.Key);
            using var value = ToPython(entry.Value);
            result.SetItem(key, value);
        }
        return result;
    }

    private static PyList ToList(IEnumerable items)
    {
        var result = new PyList();
        foreach (var item in items)
        {
            using var value = ToPython(item);
            result.Append(value);
        }
        return result;
    }

    private static InvalidCastException Cannot(PyObject o, Type target)
    {
        using var type = o.GetPythonType();
        return new InvalidCastException($"cannot convert a Python {type.Name} to {target}");
    }

    private static InvalidCastException Overflow(PyObject o, Type target)
    {
        CPython.PyErr_Clear();
        return new InvalidCastException($"{o} does not fit {target}");
    }
}

/// <summary>The extension that pythonnet calls <c>ToPython</c>.</summary>
public static class ConverterExtension
{
    /// <summary>
    /// A new reference to the Python form of a value: numbers, text, bool, null, PyObject, delegates, and copies of collections.
    /// </summary>
    public static PyObject ToPython(this object? o) => PyConvert.ToPython(o);
}
