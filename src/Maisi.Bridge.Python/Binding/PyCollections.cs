using System.Collections;

namespace Python.Runtime;

/// <summary>An object that can be iterated.</summary>
public class PyIterable : PyObject, IEnumerable<PyObject>
{
    internal PyIterable(nint newReference)
        : base(newReference)
    {
    }

    /// <summary>Another reference to an iterable.</summary>
    public PyIterable(PyObject o)
        : base(o)
    {
    }

    /// <summary><c>iter(o)</c>.</summary>
    public PyIter GetEnumerator() => PyIter.GetIter(this);

    IEnumerator<PyObject> IEnumerable<PyObject>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>A list, tuple, string or other sequence.</summary>
public class PySequence : PyIterable
{
    internal PySequence(nint newReference)
        : base(newReference)
    {
    }

    /// <summary>Another reference to a sequence.</summary>
    public PySequence(PyObject o)
        : base(o)
    {
    }

    /// <summary>Whether an object is a sequence.</summary>
    public static bool IsSequenceType(PyObject value) => CPython.PySequence_Check(value.Handle) != 0;

    /// <summary><c>item in o</c>.</summary>
    public bool Contains(PyObject item) => Checked(CPython.PySequence_Contains(Handle, item.Handle)) != 0;

    /// <summary><c>o + other</c>.</summary>
    public PyObject Concat(PyObject other) => Steal(CPython.PySequence_Concat(Handle, other.Handle));
}

/// <summary>A list.</summary>
public class PyList : PySequence
{
    internal PyList(nint newReference)
        : base(newReference)
    {
    }

    /// <summary>An empty list.</summary>
    public PyList()
        : base(Checked(CPython.PyList_New(0)))
    {
    }

    /// <summary>Another reference to a list.</summary>
    public PyList(PyObject o)
        : base(IsListType(o) ? o : throw new ArgumentException("object is not a list", nameof(o)))
    {
    }

    /// <summary>A list of these items.</summary>
    public PyList(PyObject[] items)
        : base(Checked(CPython.PyList_New(items.Length)))
    {
        for (var i = 0; i < items.Length; i++)
        {
            CPython.Py_IncRef(items[i].Handle);
            Checked(CPython.PyList_SetItem(Handle, i, items[i].Handle));
        }
    }

    /// <summary>Whether an object is a list.</summary>
    public static bool IsListType(PyObject value) => PyConvert.Is(value.Handle, PyKind.List);

    /// <summary><c>list(value)</c>.</summary>
    public static PyList AsList(PyObject value) => new(Checked(CPython.PySequence_List(value.Handle)));

    /// <summary><c>append</c>.</summary>
    public void Append(PyObject item) => Checked(CPython.PyList_Append(Handle, item.Handle));

    /// <summary><c>insert</c>.</summary>
    public void Insert(int index, PyObject item) => Checked(CPython.PyList_Insert(Handle, index, item.Handle));

    /// <summary><c>reverse</c>.</summary>
    public void Reverse() => Checked(CPython.PyList_Reverse(Handle));

    /// <summary><c>sort</c>.</summary>
    public void Sort() => Checked(CPython.PyList_Sort(Handle));
}

/// <summary>A tuple.</summary>
public class PyTuple : PySequence
{
    internal PyTuple(nint newReference)
        : base(newReference)
    {
    }

    /// <summary>The empty tuple.</summary>
    public PyTuple()
        : this([])
    {
    }

    /// <summary>Another reference to a tuple.</summary>
    public PyTuple(PyObject o)
        : base(IsTupleType(o) ? o : throw new ArgumentException("object is not a tuple", nameof(o)))
    {
    }

    /// <summary>A tuple of these items.</summary>
    public PyTuple(PyObject[] items)
        : base(Checked(CPython.PyTuple_New(items.Length)))
    {
        for (var i = 0; i < items.Length; i++)
        {
            CPython.Py_IncRef(items[i].Handle);
            Checked(CPython.PyTuple_SetItem(Handle, i, items[i].Handle));
        }
    }

    /// <summary>Whether an object is a tuple.</summary>
    public static bool IsTupleType(PyObject value) => PyConvert.Is(value.Handle, PyKind.Tuple);

    /// <summary><c>tuple(value)</c>.</summary>
    public static PyTuple AsTuple(PyObject value) => new(Checked(CPython.PySequence_Tuple(value.Handle)));
}

/// <summary>A dictionary.</summary>
public class PyDict : PyIterable
{
    internal PyDict(nint newReference)
        : base(newReference)
    {
    }

    /// <summary>An empty dictionary.</summary>
    public PyDict()
        : base(Checked(CPython.PyDict_New()))
    {
    }

    /// <summary>Another reference to a dictionary.</summary>
    public PyDict(PyObject o)
        : base(IsDictType(o) ? o : throw new ArgumentException("object is not a dict", nameof(o)))
    {
    }

    /// <summary>Whether an object is a dictionary.</summary>
    public static bool IsDictType(PyObject value) => PyConvert.Is(value.Handle, PyKind.Dict);

    /// <summary><c>key in o</c>.</summary>
    public bool HasKey(PyObject key) => Checked(CPython.PyDict_Contains(Handle, key.Handle)) != 0;

    /// <summary><c>key in o</c>.</summary>
    public bool HasKey(string key)
    {
        using var k = new PyString(key);
        return HasKey(k);
    }

    /// <summary>The keys.</summary>
    public PyIterable Keys() => new(Checked(CPython.PyDict_Keys(Handle)));

    /// <summary>The values.</summary>
    public PyIterable Values() => new(Checked(CPython.PyDict_Values(Handle)));

    /// <summary>Pairs of key and value.</summary>
    public PyIterable Items() => new(Checked(CPython.PyDict_Items(Handle)));

    /// <summary>A shallow copy.</summary>
    public PyDict Copy() => new(Checked(CPython.PyDict_Copy(Handle)));

    /// <summary><c>update</c>.</summary>
    public void Update(PyObject other) => Checked(CPython.PyDict_Update(Handle, other.Handle));

    /// <summary><c>clear</c>.</summary>
    public void Clear() => CPython.PyDict_Clear(Handle);
}
